"""Use cases of operators for webhook endpoints; each change is audited."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from xero_service.crypto import KeyRing
from xero_service.domain import (
    SECRETS_OVERLAP,
    Actor,
    AuditAction,
    AuditEvent,
    Delivery,
    Endpoint,
    StoredEvent,
    check_kind,
)
from xero_service.errors import InvalidRequest, NotFound
from xero_service.outbound.webhook_sender import WebhookAnswer, WebhookSender
from xero_service.services.events.delivery_signature import (
    new_secret,
    open_secrets,
    seal_secret,
    signed,
)
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

TEST_KIND = "webhook.test"  # sent by the command `test` alone; never stored
OFFBOARDED = "its org was offboarded"


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An endpoint and its new secret, which is shown this once."""

    endpoint: Endpoint
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndpointService:
    """Creates, lists, rotates, disables and tests endpoints, and delivers events again."""

    database: Database
    keys: KeyRing
    sender: WebhookSender

    async def create(
        self, actor: Actor, *, url: str, org_id: str | None, kinds: Sequence[str]
    ) -> NewSecret:
        """Create an endpoint; raises InvalidRequest for an unusable URL or an unknown kind."""
        _check_url(url)
        for kind in kinds:
            try:
                check_kind(kind)
            except ValueError as error:
                raise InvalidRequest(f"No such kind of event: {kind!r}.") from error
        endpoint_id, secret = uuid4(), new_secret()
        async with self.database.transaction() as tx:
            endpoint = await tx.endpoints.create(
                endpoint_id,
                url=url,
                org_id=org_id,
                kinds=sorted(set(kinds)),
                secret_enc=seal_secret(self.keys, endpoint_id, secret),
            )
            await tx.audit.add(_event(actor, AuditAction.WEBHOOK_CREATED, endpoint))
        return NewSecret(endpoint, secret)

    async def all(self) -> tuple[Endpoint, ...]:
        """Return every endpoint, without secrets."""
        async with self.database.transaction() as tx:
            return await tx.endpoints.all()

    async def rotate(self, actor: Actor, endpoint_id: UUID) -> NewSecret:
        """Replace the secret; the previous one signs, too, for 24 hours. Raises NotFound."""
        secret = new_secret()
        async with self.database.transaction() as tx:
            endpoint = await _lock(tx, endpoint_id)
            current = open_secrets(self.keys, endpoint)[0]
            await tx.endpoints.rotate(
                endpoint_id,
                secret_enc=seal_secret(self.keys, endpoint_id, secret),
                previous_secret_enc=seal_secret(self.keys, endpoint_id, current, previous=True),
                overlap=SECRETS_OVERLAP,
            )
            await tx.audit.add(_event(actor, AuditAction.WEBHOOK_ROTATED, endpoint))
        return NewSecret(endpoint, secret)

    async def disable(self, actor: Actor, endpoint_id: UUID) -> Endpoint:
        """Stop the deliveries; events go on to collect. Raises NotFound."""
        async with self.database.transaction() as tx:
            endpoint = await _lock(tx, endpoint_id)
            if await tx.endpoints.disable(endpoint_id, reason="an operator"):
                await tx.audit.add(_event(actor, AuditAction.WEBHOOK_DISABLED, endpoint))
        return endpoint

    async def disable_of_org(self, actor: Actor, org_id: str) -> tuple[Endpoint, ...]:
        """Disable the endpoints that receive this org's events alone; return those it disabled.

        Endpoints of all orgs stay enabled.
        """
        async with self.database.transaction() as tx:
            disabled = [
                each
                for each in await tx.endpoints.all()
                if each.org_id == org_id and await tx.endpoints.disable(each.id, reason=OFFBOARDED)
            ]
            await tx.audit.extend(
                [_event(actor, AuditAction.WEBHOOK_DISABLED, each) for each in disabled]
            )
        return tuple(disabled)

    async def enable(self, actor: Actor, endpoint_id: UUID) -> Endpoint:
        """Resume the deliveries, of what collected too, and end a pause. Raises NotFound."""
        async with self.database.transaction() as tx:
            endpoint = await _lock(tx, endpoint_id)
            await tx.endpoints.enable(endpoint_id)
            await tx.audit.add(_event(actor, AuditAction.WEBHOOK_ENABLED, endpoint))
        return endpoint

    async def deliveries(
        self, *, only_failed: bool, endpoint_id: UUID | None, limit: int
    ) -> tuple[Delivery, ...]:
        """Return the newest deliveries."""
        async with self.database.transaction() as tx:
            return await tx.deliveries.list(
                only_failed=only_failed, endpoint_id=endpoint_id, limit=limit
            )

    async def redeliver(
        self,
        actor: Actor,
        *,
        event_id: UUID | None,
        since: datetime | None,
        endpoint_id: UUID | None,
    ) -> int:
        """Deliver one event, or all since a time, again; return how many deliveries are due.

        Raises NotFound for an unknown event or endpoint, and where no endpoint receives the event.
        """
        async with self.database.transaction() as tx:
            event = None if event_id is None else await tx.events.find(event_id)
            if event_id is not None and event is None:
                raise NotFound("No such event, or it is past its retention.")
            endpoint = None if endpoint_id is None else await _lock(tx, endpoint_id)
            due = await tx.deliveries.redeliver(
                event_id=event_id, since=since, endpoint_id=endpoint_id
            )
            if due == 0 and event is not None:
                raise NotFound("No endpoint receives this event.")
            org_id = event.org_id if event else endpoint.org_id if endpoint else None
            detail: dict[str, str | int | bool | None] = {"deliveries": due}
            if event is not None:
                detail["eventId"] = event.public_id
            if endpoint is not None:
                detail["endpointId"] = str(endpoint.id)
            await tx.audit.add(
                AuditEvent(actor, AuditAction.WEBHOOK_REDELIVERED, org_id=org_id, detail=detail)
            )
        return due

    async def test(self, actor: Actor, endpoint_id: UUID) -> WebhookAnswer:
        """Send a signed event of the kind `webhook.test`, once; return the answer.

        Raises NotFound.
        """
        async with self.database.transaction() as tx:
            endpoint = await _lock(tx, endpoint_id)
            await tx.audit.add(_event(actor, AuditAction.WEBHOOK_TESTED, endpoint))
        at = datetime.now(UTC)
        event = StoredEvent(0, uuid4(), at, TEST_KIND, endpoint.org_id, None, None, {})
        headers, body = signed(open_secrets(self.keys, endpoint), event, at=at)
        return await self.sender.post(endpoint.url, headers, body)


async def _lock(tx: Transaction, endpoint_id: UUID) -> Endpoint:
    endpoint = await tx.endpoints.lock(endpoint_id)
    if endpoint is None:
        raise NotFound("No such endpoint.")
    return endpoint


def _check_url(url: str) -> None:
    """Raise InvalidRequest unless `url` is http or https with a host and no secret in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InvalidRequest("The URL cannot be read.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isascii():
        raise InvalidRequest("Give an http or https URL, such as https://billing.internal/events.")
    if not url.isprintable() or " " in url or parts.fragment:
        raise InvalidRequest("The URL must have no space and no fragment.")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequest("The URL must have no user name or password: verify the signature.")


def _event(actor: Actor, action: AuditAction, endpoint: Endpoint) -> AuditEvent:
    return AuditEvent(
        actor, action, org_id=endpoint.org_id, detail={"endpointId": str(endpoint.id)}
    )
