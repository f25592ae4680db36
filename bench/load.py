"""Generates load from another process: with wrk if available, else with a client of our own."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from bench.figures import percentile
from bench.raw_http import HttpConnection
from demo.stack import ROOT

CONNECTIONS = 32
SCRIPT = """
wrk.method = "{method}"
{headers}
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("\\nRESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """The result of a load: requests per second, latencies in milliseconds, failures."""

    per_second: float
    p50: float
    p99: float
    failed: int = 0


@cache
def wrk() -> str | None:
    """Return the path of wrk, after installing Debian's package if possible; None if missing."""
    if not shutil.which("wrk") and os.geteuid() == 0 and shutil.which("apt-get"):
        for words in (["update"], ["install", "--yes", "--no-install-recommends", "wrk"]):
            subprocess.run(["apt-get", *words], capture_output=True, check=False)
    return shutil.which("wrk")


def client() -> str:
    """Return the name of the load generator."""
    return "wrk" if wrk() else "a client of our own (no wrk here)"


def run(
    url: str, headers: Mapping[str, str], *, method: str, seconds: float, directory: Path
) -> Load:
    """Request `url` for `seconds` on 32 connections and return the result."""
    if program := wrk():
        lines = (f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
        script = directory / "load.lua"
        script.write_text(SCRIPT.format(method=method, headers="\n".join(lines)), encoding="utf-8")
        command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", str(script), url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        numbers = done.stdout.partition("RESULT ")[2].split()
        requests, microseconds, p50, p99, failed = map(int, numbers[:5])
        return Load(requests / microseconds * 1e6, p50 / 1000, p99 / 1000, failed)
    arguments = {"url": url, "headers": dict(headers), "method": method, "seconds": seconds}
    command = [sys.executable, "-m", "bench.load", json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return Load(**json.loads(done.stdout))


async def _own(url: str, headers: dict[str, str], method: str, seconds: float) -> Load:
    lines = [await HttpConnection.open(url) for _ in range(CONNECTIONS)]
    path = urlsplit(url).path
    took: list[float] = []
    failed: list[bool] = []
    began = time.perf_counter()

    async def one(line: HttpConnection) -> None:
        while time.perf_counter() - began < seconds:
            answer = await line.request(method, path, headers)
            failed.append(answer.status >= 400)
            took.append(answer.seconds * 1000)

    await asyncio.gather(*map(one, lines))
    rate = len(took) / (time.perf_counter() - began)
    return Load(rate, percentile(took, 0.5), percentile(took, 0.99), sum(failed))


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_own(**json.loads(sys.argv[1]))))))
