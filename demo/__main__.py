"""`make demo`: starts the stack on fixed ports, prints its addresses, stops it on Ctrl-C."""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from dotenv import dotenv_values

from demo import ports, stack, startup_message, terminal
from demo.environment import SCOPES_FOR_THE_EXAMPLES, names_real_xero, write_env_file
from demo.processes import Child, LaunchError
from demo.stack import BUILT_PAGE, ROOT, STATE

POLL = 0.2


class Stopped(Exception):
    """A signal asked the demo to stop."""


def main() -> int:
    """Run the demo until a signal stops it; return the exit code."""
    stop = _StopOnce()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        with terminal.own_foreground_group():
            run(_options())
    except Stopped:
        print("\nStopped before everything ran.")
    except LaunchError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace) -> None:
    """Start the stack, print its addresses, and run it until a signal arrives or a process ends.

    The stack's directory, with its configuration and logs, is kept only if a process ended.
    """
    ambient = _ambient(options.env_file)
    if not names_real_xero(ambient):
        ambient.setdefault("XERO_SCOPES", SCOPES_FOR_THE_EXAMPLES)
    for port, variable in ((options.port, "PORT"), (options.sandbox_port, "SANDBOX_PORT")):
        if not ports.is_free(port):
            raise LaunchError(
                f"Port {port} is taken. Free it, or choose another: make demo {variable}=…"
            )
    directory = STATE / str(options.port)
    shutil.rmtree(directory, ignore_errors=True)
    page = BUILT_PAGE if BUILT_PAGE.is_dir() and not options.app_url else None
    print("Starting PostgreSQL, the sandbox and the service …", flush=True)
    with (
        stack.running(
            directory,
            port=options.port,
            sandbox_port=options.sandbox_port,
            replicas=options.replicas,
            page=page,
            frontend=options.app_url,
            database_url=ambient.get("DATABASE_URL") or None,
            ambient=ambient,
        ) as started,
        suppress(Stopped),
    ):
        write_env_file(directory / ".env", started.environment)
        startup_message.show(started, page=options.app_url or (started.origin if page else None))
        watch(started.children)
    shutil.rmtree(directory)
    print("\nStopped.")


def watch(children: Sequence[Child]) -> NoReturn:
    """Wait until a child ends; raises LaunchError with its output."""
    while True:
        for child in children:
            if not child.running:
                raise child.failure(f"stopped with exit code {child.process.returncode}")
        time.sleep(POLL)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Run the whole product here: PostgreSQL, a local Xero, the service, its page.",
    )
    parser.add_argument("--port", type=int, default=_number("PORT", 8000), help="of the service")
    parser.add_argument(
        "--sandbox-port", type=int, default=_number("SANDBOX_PORT", 9000), help="of the sandbox"
    )
    parser.add_argument(
        "--app-url",
        default=os.environ.get("APP_URL") or None,
        help="origin of your own application, which shows the page instead of the service",
    )
    parser.add_argument(
        "--replicas", type=int, default=1, help="processes of the service, on further free ports"
    )
    parser.add_argument(
        "--env-file", type=Path, default=ROOT / ".env", help="completes the environment"
    )
    return parser.parse_args()


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise LaunchError(f"{variable} must be a port number, 1 to 65535.")
    return int(text)


def _ambient(env_file: Path) -> dict[str, str]:
    """Return the variables of the file and of the environment; the environment wins."""
    from_file = {name: value for name, value in dotenv_values(env_file).items() if value}
    return {**from_file, **os.environ}


class _StopOnce:
    """Signal handler that raises Stopped at the first signal and ignores further ones."""

    stopping = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if not self.stopping:
            self.stopping = True
            raise Stopped


if __name__ == "__main__":
    sys.exit(main())
