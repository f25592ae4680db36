"""`xero-service doctor`: is everything as it must be?"""

import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import typer

from xero_service.app import PREFIX
from xero_service.cli.session import with_services
from xero_service.errors import IntegrationError, ServiceBusy
from xero_service.settings import Settings, load
from xero_service.store.outages import reason
from xero_service.store.schema import expected_revision, is_past, serves
from xero_service.wiring import Services

CLOCK_TOLERANCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    said: str


def doctor() -> None:
    """Check the configuration, the database, Xero, the session issuer and the clock.

    Exits with 1 where something is wrong, and says what to do.
    """
    settings = load()
    typer.echo("✓ configuration: complete")

    async def work(services: Services) -> list[Finding]:
        return [finding async for finding in _findings(services, settings)]

    findings = with_services(work)
    for finding in findings:
        typer.echo(f"{'✓' if finding.fine else '✗'} {finding.what}: {finding.said}")
    if not all(finding.fine for finding in findings):
        sys.exit(1)


async def _findings(services: Services, settings: Settings) -> AsyncIterator[Finding]:
    try:
        facts = await services.database.facts()
        revision = await services.database.revision()
        if serves(revision):
            await services.database.require_writes()
    except ServiceBusy as error:
        why = reason(error)
        yield Finding("database", False, f"{error.detail} Check DATABASE_URL. ({why})")
    else:
        yield Finding("database", True, f"PostgreSQL {facts.version}")
        yield _migrations(revision)
        durable = facts.synchronous_commit not in {"off"}
        yield Finding(
            "synchronous_commit",
            durable,
            facts.synchronous_commit
            if durable
            else "off: a power failure could lose a rotated token; switch it on",
        )
        skew = abs(time.time() - facts.now.timestamp())
        yield Finding("clock", skew < CLOCK_TOLERANCE_SECONDS, f"{skew:.1f} s from the database's")
    for what, ask in (
        ("Xero", services.xero.load_signing_keys),
        ("session issuer", services.session_keys.load),
    ):
        try:
            await ask()
        except IntegrationError:
            yield Finding(what, False, "its signing keys cannot be had: check URL and egress")
        else:
            yield Finding(what, True, "reachable")
    callback = f"{settings.public_url}{PREFIX}/callback"
    registered = settings.xero_redirect_uri
    yield Finding(
        "redirect URI",
        registered == callback,
        registered if registered == callback else f"{registered} is not {callback}",
    )


def _migrations(revision: str | None) -> Finding:
    if is_past(revision):
        said = f"{revision}, newer than this code's {expected_revision()}"
        return Finding("migrations", True, said)
    current = serves(revision)
    return Finding("migrations", current, "current" if current else "pending: xero-service migrate")
