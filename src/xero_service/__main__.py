"""The command `xero-service`, and `python -m xero_service`: starts soon."""

# ruff: noqa: E402 - what comes first here makes what comes after it quick
import gc
import sys
from typing import Any, cast

gc.disable()  # what is imported is there for good: no garbage to look for, again and again
cast("Any", sys.modules)["rich"] = None  # structlog would load it, for tracebacks not used here
import structlog  # noqa: F401

del sys.modules["rich"]

from xero_service.cli import run

gc.freeze()
gc.enable()


def main() -> None:
    """Run the command."""
    run()


if __name__ == "__main__":
    main()
