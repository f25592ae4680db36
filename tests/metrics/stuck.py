"""Upkeep that holds up its event loop for good once there is a file `stuck`."""

# ruff: noqa: ASYNC110, ASYNC240, ASYNC251 - that is what it is for
import asyncio
import time
from pathlib import Path
from typing import Any

from xero_service.__main__ import main
from xero_service.services.upkeep import UpkeepService


async def run(*_: Any) -> None:
    while not Path("stuck").exists():
        await asyncio.sleep(0.05)
    while True:
        time.sleep(1)


if __name__ == "__main__":
    UpkeepService.run = run  # type: ignore[method-assign,assignment]
    main()
