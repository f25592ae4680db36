"""A process of its own that does one thing and dies, or stops, at one place.

Configured by the environment like the service. Where it is to die it exits with `DIED`, as a power
failure would; where it is to stop it lies still until a signal continues or kills it. It exits with
0 where nothing kept it from its end.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch
from uuid import UUID

from xero_service import failpoints, wiring
from xero_service.domain import SYSTEM, Actor, Role, SessionUser
from xero_service.failpoints import Place
from xero_service.services.connect.flow import CallbackParams
from xero_service.services.events.xero_webhooks import WebhookRequest
from xero_service.settings import load
from xero_service.wiring import Services

DIED = 70
ACTOR = Actor("user", "user_acme_admin")
ADMIN = SessionUser("user_acme_admin", "org_acme", Role.ADMIN)


async def refresh(services: Services, told: dict[str, Any]) -> None:
    await services.tokens.refresh_grant_single_flight(UUID(told["grant"]))


async def callback(services: Services, told: dict[str, Any]) -> None:
    await services.connect.finish(
        CallbackParams(state=told["state"], code=told["code"]),
        ACTOR,
        browser_id=told["browser"],
        session=None,
    )


async def select(services: Services, told: dict[str, Any]) -> None:
    await services.tenants.select(ADMIN, ACTOR, UUID(told["grant"]), told["tenant"])


async def disconnect(services: Services, told: dict[str, Any]) -> None:
    await services.disconnects.disconnect(UUID(told["binding"]), "org_acme", ACTOR)


async def reconcile(services: Services, told: dict[str, Any]) -> None:
    await services.upkeep.reconcile.reconcile(UUID(told["grant"]))


async def warn(services: Services, _: dict[str, Any]) -> None:
    await services.upkeep._warn()


async def suspend(services: Services, told: dict[str, Any]) -> None:
    await services.operators.suspend(SYSTEM, UUID(told["binding"]))


async def resume(services: Services, told: dict[str, Any]) -> None:
    await services.operators.resume(SYSTEM, UUID(told["binding"]))


async def webhook(services: Services, told: dict[str, Any]) -> None:
    body = told["body"].encode()

    async def parts() -> AsyncIterator[bytes]:
        yield body

    await services.xero_webhooks.receive(
        WebhookRequest(parts(), len(body), told["signature"].encode(), is_json=True)
    )


async def deliver(services: Services, _: dict[str, Any]) -> None:
    await services.deliveries.deliver_due()


async def notify(services: Services, _: dict[str, Any]) -> None:
    await services.upkeep._send_notices()


DEEDS = {
    "deliver": deliver,
    "notify": notify,
    "refresh": refresh,
    "callback": callback,
    "select": select,
    "disconnect": disconnect,
    "reconcile": reconcile,
    "warn": warn,
    "suspend": suspend,
    "resume": resume,
    "webhook": webhook,
}


async def work(deed: str, told: dict[str, Any]) -> None:
    async with wiring.services(load()) as services:
        await DEEDS[deed](services, told)


def die() -> None:
    os._exit(DIED)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


FATES = {"dies": die, "stops": stop}


def run(
    environment: Mapping[str, str],
    errors: Path,
    begins: Connection,
    fate: Literal["dies", "stops"],
    where: str,
    deed: str,
    told: dict[str, Any],
) -> None:
    """Be the process; `errors` is the file that its standard error goes to."""
    os.environ.clear()
    os.environ.update(environment)
    with errors.open("wb") as file:
        os.dup2(file.fileno(), 2)

    def meet_it_there(place: Place) -> None:
        if place.name == where:
            FATES[fate]()

    begins.send(None)
    begins.close()
    with patch.object(failpoints, "reached", meet_it_there):
        asyncio.run(work(deed, told))
