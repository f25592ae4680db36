"""`xero-service doctor`: checks the configuration and everything that the service depends on."""

import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import typer

from xero_service.app import PREFIX
from xero_service.cli.output import plain
from xero_service.cli.session import with_unchecked_services
from xero_service.errors import ConfigError, IntegrationError, ServiceBusy
from xero_service.settings import Settings, load
from xero_service.store import migrations
from xero_service.store.database import DatabaseFacts
from xero_service.store.db_errors import reason
from xero_service.store.migrations import SchemaState
from xero_service.wiring import Services

CLOCK_TOLERANCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    subject: str
    is_ok: bool
    message: str
    is_configuration: bool = False
    warns: bool = False  # correct, with a risk that an operator should know

    @property
    def mark(self) -> str:
        """Return the sign that is printed before the subject."""
        return "!" if self.warns else "✓" if self.is_ok else "✗"


def doctor() -> None:
    """Check the configuration, the database, Xero, the session issuer and the clock.

    Exits with 1 where something is wrong (✗), and says what to do; with 2 where a variable is
    wrong; a warning (!) is no failure.
    """
    settings = load()
    typer.echo("✓ configuration: complete")

    async def work(services: Services) -> list[Finding]:
        return [finding async for finding in _findings(services, settings)]

    findings = with_unchecked_services(work)
    for finding in findings:
        typer.echo(f"{finding.mark} {finding.subject}: {finding.message}")
    if any(finding.is_configuration for finding in findings):
        sys.exit(2)
    if not all(finding.is_ok for finding in findings):
        sys.exit(1)


async def _findings(services: Services, settings: Settings) -> AsyncIterator[Finding]:
    try:
        facts = await services.database.facts()
        schema = await services.database.schema_state()
        if migrations.serves(schema):
            await services.database.require_writes()
    except ServiceBusy as error:
        why = reason(error)
        yield Finding("database", False, f"{error.detail} Check DATABASE_URL. ({why})")
    else:
        yield Finding("database", True, f"PostgreSQL {facts.version}")
        yield _migrations(schema)
        key = await _encryption_key(services)
        yield key
        durable = facts.synchronous_commit not in {"off"}
        yield Finding(
            "synchronous_commit",
            durable,
            facts.synchronous_commit
            if durable
            else "off: a power failure could lose a rotated token; switch it on",
        )
        yield _audit_log(facts)
        if migrations.serves(schema) and key.is_ok:  # with a wrong key no data may be used
            yield await _verdicts(services)
        skew = abs(time.time() - facts.now.timestamp())
        yield Finding("clock", skew < CLOCK_TOLERANCE_SECONDS, f"{skew:.1f} s from the database's")
    for subject, fetch_keys in (
        ("Xero", services.xero.load_signing_keys),
        ("session issuer", services.session_keys.load),
    ):
        try:
            await fetch_keys()
        except IntegrationError:
            yield Finding(subject, False, "its signing keys cannot be had: check URL and egress")
        else:
            yield Finding(subject, True, "reachable")
    yield await _issuer(services, settings)
    if (mail := await _mail(services)) is not None:
        yield mail
    callback = f"{settings.public_url}{PREFIX}/callback"
    registered = settings.xero_redirect_uri
    yield Finding(
        "redirect URI",
        registered == callback,
        registered if registered == callback else f"{registered} is not {callback}",
    )


async def _encryption_key(services: Services) -> Finding:
    try:
        await services.database.check()
    except ConfigError as error:
        message = error.detail.splitlines()[-1].strip()
        return Finding("encryption key", False, message, is_configuration=True)
    except ServiceBusy as error:
        return Finding("encryption key", False, error.detail)
    return Finding("encryption key", True, "opens what is stored, or nothing is")


async def _verdicts(services: Services) -> Finding:
    """Whether refused grants wait for an operator, and whether a restore would be noticed."""
    if (hold := await services.restore.hold()) is not None:
        since = f"{hold.held_since:%Y-%m-%d %H:%M}"
        message = f"held since {since} ({hold.reason}); see docs/runbooks/VerdictsHeld.md"
        return Finding("verdicts", False, message)
    if not await services.restore.notices_timelines():
        message = (
            "none is held; but the role may not call pg_control_system(), pg_walfile_name() and"
            " pg_current_wal_insert_lsn(), so that a restore is noticed only by processes that ran"
            " before it"
        )
        return Finding("verdicts", True, message, warns=True)
    return Finding("verdicts", True, "none is held")


async def _issuer(services: Services, settings: Settings) -> Finding:
    published = await services.session_issuer()
    if published is None:
        return Finding("AUTH_ISSUER", True, "publishes no metadata to compare it with")
    if published.rstrip("/") == settings.auth_issuer:
        return Finding("AUTH_ISSUER", True, "is what its metadata says")
    message = f"is {settings.auth_issuer}, but its metadata and its tokens say {plain(published)}"
    return Finding("AUTH_ISSUER", False, message, is_configuration=True)


async def _mail(services: Services) -> Finding | None:
    answer = await services.notices.check()
    if answer is None:
        return None
    if answer.is_accepted:
        return Finding("mail server", True, "accepts the connection and the login of SMTP_URL")
    reason = answer.reason if answer.status is None else f"{answer.status}, {answer.reason}"
    return Finding("mail server", False, f"not usable: check SMTP_URL and egress ({reason})")


def _migrations(schema: SchemaState) -> Finding:
    if migrations.is_outdated(schema):
        message = f"need code that carries {schema.oldest_code}; this carries {migrations.newest()}"
        return Finding("migrations", False, message)
    if migrations.is_past(schema.revision):
        message = f"{schema.revision}, newer than this code's {migrations.newest()}"
        return Finding("migrations", True, message)
    current = migrations.serves(schema)
    return Finding("migrations", current, "current" if current else "pending: xero-service migrate")


def _audit_log(facts: DatabaseFacts) -> Finding:
    role = plain(facts.role)
    if not facts.can_change_the_audit_log:
        return Finding("audit log", True, f"the role {role} can only add to it")
    return Finding(
        "audit log",
        True,
        f"the role {role} owns it or may change it, and so could an attacker who has the role;"
        " serve as a role of its own: DATABASE_SERVICE_ROLE, see SECURITY.md",
        warns=True,
    )
