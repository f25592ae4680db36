"""Runs one command with the services that it needs."""

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
    """Return the result of `work`; build the services before it and close them after it.

    Raises ConfigError where ENCRYPTION_KEY does not decrypt the stored secrets.
    """

    async def checked(services: wiring.Services) -> T:
        await services.database.check()
        return await work(services)

    return with_unchecked_services(checked)


def with_unchecked_services(work: Callable[[wiring.Services], Awaitable[T]]) -> T:
    """As `with_services`, for a command that checks ENCRYPTION_KEY itself."""
    settings = load()
    configure_logging(level="WARNING", form="text")

    async def run() -> T:
        async with wiring.services(settings) as services:
            return await work(services)

    return asyncio.run(run())


def operator() -> Actor:
    """Return the actor for the audit log: the operating system's user."""
    return Actor(kind="system", id=f"{OPERATOR_PREFIX}{getpass.getuser()}", source="cli")
