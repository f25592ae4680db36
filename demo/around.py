"""Runs a command against a fresh stack: `python -m demo.around npm --prefix frontend run e2e`.

The stack uses free ports and serves the built page. The command finds it through XERO_SERVICE_URL
and XERO_SANDBOX_URL; `demo.database_change` reads STACK_DATABASE_URL. With `--other-frontend` the
service expects the page at another origin, XERO_FRONTEND_URL, where the command serves it. The exit
code is the command's.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

from demo import ports, stack
from demo.environment import without_service_variables
from demo.processes import LaunchError
from demo.stack import BUILT_PAGE, STATE

USAGE = "usage: python -m demo.around [--other-frontend] COMMAND [ARGUMENT …]"
OTHER_FRONTEND = "--other-frontend"


def run(command: list[str], *, frontend: str | None) -> int:
    """Run `command` against a new stack and return its exit code; keep the logs if it fails."""
    STATE.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="around-", dir=STATE))
    page = BUILT_PAGE if BUILT_PAGE.is_dir() else None
    with stack.running(directory, page=page, frontend=frontend) as started:
        variables = {
            "XERO_SERVICE_URL": started.origin,
            "XERO_FRONTEND_URL": frontend or started.origin,
            "XERO_SANDBOX_URL": started.sandbox,
            "STACK_DATABASE_URL": started.database_url,
            "STACK_PYTHON": sys.executable,
        }
        code = subprocess.run(
            command, env=without_service_variables(os.environ) | variables, check=False
        ).returncode
    if code:
        print(f"The stack's logs are in {os.path.relpath(directory)}.", file=sys.stderr)
    else:
        shutil.rmtree(directory)
    return code


def _stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    command, other_frontend = sys.argv[1:], None
    if command[:1] == [OTHER_FRONTEND]:
        command, other_frontend = command[1:], f"http://localhost:{ports.free()}"
    if not command:
        sys.exit(USAGE)
    try:
        sys.exit(run(command, frontend=other_frontend))
    except LaunchError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
