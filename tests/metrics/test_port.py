"""C2: METRICS_PORT and METRICS_HOST: what is opened, and what is refused by name."""

import asyncio
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from demo import ports
from demo.environment import without_service_variables
from demo.stack import SERVICE
from tests import commands
from tests.metrics.conftest import Start
from tests.settings.conftest import COMPLETE, Environment
from tests.settings.conftest import variables as variables
from xero_service.api.metrics_port import listen
from xero_service.app import PREFIX
from xero_service.errors import ConfigError
from xero_service.settings import Settings
from xero_service.telemetry import worker_metrics

EVERYWHERE = "0.0.0.0"  # noqa: S104 - for a moment


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def run(*words: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SERVICE, *words],
        env={**without_service_variables(os.environ), **COMPLETE, **variables},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("words", [("serve",), ("serve", "--workers", "2"), ("upkeep",)])
def test_a_metrics_port_that_another_program_has_is_refused_c2(
    tmp_path: Path, taken: int, words: tuple[str, ...]
) -> None:
    done = run(*words, directory=tmp_path, METRICS_PORT=str(taken))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"METRICS_PORT cannot be opened at 127.0.0.1, port {taken}: Address already in use.\n"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", EVERYWHERE])
def test_a_metrics_port_that_is_the_apis_is_refused_c2(tmp_path: Path, host: str) -> None:
    port = str(ports.free())

    done = run("serve", "--port", port, directory=tmp_path, METRICS_PORT=port, METRICS_HOST=host)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"METRICS_PORT is the port of the API, {port}; choose another.\n"


async def test_one_round_beside_a_running_upkeep_does_not_want_its_port_c2(
    settings: Settings,
    taken: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("METRICS_PORT", str(taken))

    done = await asyncio.to_thread(commands.run, capsys, "upkeep", "--once")

    assert done.code == 0, done.said


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "9100.5"])
def test_what_is_no_port_is_refused_by_name_c2(variables: Environment, value: str) -> None:
    assert "METRICS_PORT" in variables.refusal(METRICS_PORT=value)


def test_no_host_of_that_name_is_refused_by_name_c2(variables: Environment) -> None:
    settings = variables.loaded(METRICS_PORT=str(ports.free()), METRICS_HOST="nowhere.invalid")

    with pytest.raises(ConfigError, match=r"METRICS_PORT cannot be opened at nowhere\.invalid"):
        listen(settings)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        (None, "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        (EVERYWHERE, EVERYWHERE),
        ("::1", "::1"),
    ],
)
def test_the_port_is_opened_at_the_host_which_is_this_machine_alone_unless_said_c2(
    variables: Environment, host: str | None, address: str
) -> None:
    port = ports.free()
    if host is not None:
        variables.set(METRICS_HOST=host)

    listener = listen(variables.loaded(METRICS_PORT=str(port)))

    assert listener is not None
    with listener:
        assert listener.getsockname()[:2] == (address, port)


async def test_no_port_redirects_to_the_host_that_a_request_names_s24_s25(start: Start) -> None:
    """S24, S25: not from an address that is a route but for a slash, either."""
    evil = {"Host": "evil.example"}
    paths = ["/healthz/", "/readyz/", "/metrics/", "//healthz", "/metrics//"]
    async with (
        start("serve", "--no-upkeep") as running,
        httpx.AsyncClient(trust_env=False, timeout=60, follow_redirects=False) as http,
    ):
        for address in (
            *(running.metrics + path for path in paths),
            *(running.api + path for path in [*paths, f"{PREFIX}/bindings/", "/docs/"]),
        ):
            answer = await http.get(address, headers=evil)

            assert answer.status_code == 404, address
            assert "evil" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("empty", [{}, {"METRICS_PORT": ""}])
def test_without_a_port_nothing_is_opened_c2(
    variables: Environment, empty: Mapping[str, str]
) -> None:
    assert listen(variables.loaded(**empty)) is None


def test_several_workers_without_a_place_for_their_metrics_are_refused_c2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))

    with pytest.raises(ConfigError, match="TMPDIR"), worker_metrics.directory_for(2):
        pass
    with worker_metrics.directory_for(1) as none:
        assert none is None
