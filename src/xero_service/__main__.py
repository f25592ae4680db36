"""The command `xero-service`, and `python -m xero_service`: starts soon."""

# ruff: noqa: E402 - what comes first here makes what comes after it quick
import gc
import sys
from typing import Any, cast

gc.disable()  # what is imported is there for good: no garbage to look for, again and again
modules = cast("dict[str, Any]", sys.modules)
modules["pydantic.v1"] = None  # FastAPI would load it, to see whether a model is one of these
modules["rich"] = None  # structlog would load it, for tracebacks not used here
import structlog  # noqa: F401

del modules["rich"]

from xero_service.cli import run

gc.freeze()
gc.enable()


def main() -> None:
    """Run the command."""
    run()


if __name__ == "__main__":
    main()
