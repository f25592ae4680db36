"""Run one command with the services that it needs."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TypeVar

from xero_service import wiring
from xero_service.domain import OPERATOR_PREFIX, Actor
from xero_service.settings import load
from xero_service.telemetry import configure_logging

T = TypeVar("T")


def with_services(work: Callable[[wiring.Services], Awaitable[T]]) -> T:
    """Build the services, do the work, finish what it began, and close everything.

    Raises ConfigError where ENCRYPTION_KEY is not the key of the database.
    """

    async def checked(services: wiring.Services) -> T:
        await services.database.check()
        return await work(services)

    return with_unchecked_services(checked)


def with_unchecked_services(work: Callable[[wiring.Services], Awaitable[T]]) -> T:
    """As `with_services`, for a command that itself says whether ENCRYPTION_KEY is the one."""
    settings = load()
    configure_logging(level="WARNING", form="text")

    async def run() -> T:
        async with wiring.services(settings) as services:
            return await work(services)

    return asyncio.run(run())


def operator() -> Actor:
    """Name who runs the command, for the audit log."""
    return Actor(kind="system", id=f"{OPERATOR_PREFIX}{getpass.getuser()}", source="cli")
