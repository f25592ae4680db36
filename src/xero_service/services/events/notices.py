"""Mail to the people who can help a binding: claims what is due, sends, records.

A mail is sent twice only where a process dies between the server's acceptance and our record: the
claim expires, and the mail is sent again with the same Message-ID.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr

from xero_service import failpoints
from xero_service.background import BackgroundWork
from xero_service.crypto import KeyRing
from xero_service.domain import PAUSE_AFTER_NOTICE, ClaimedNotice, NoticeKind
from xero_service.errors import CiphertextUnreadable
from xero_service.failpoints import Place
from xero_service.outbound.mailer import MailAnswer, Mailer
from xero_service.services.events.delivery import jitter
from xero_service.services.events.notice_mail import Notice, compose
from xero_service.services.events.unsubscribing import NoticeKeys, UnsubscribeService
from xero_service.settings.smtp import is_address
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction
from xero_service.telemetry import Metrics, logger

AT_ONCE = 4  # mails of a process, each on a connection of its own
CLAIM_TTL = timedelta(minutes=5)  # longer than a mail waits for its turn and is sent
TO_THE_USER = "You get this mail because you connected {name} to Xero."
TO_THE_TEAM = "You get this mail because this address is told of every connection."

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """From whom and to whom, and where the links lead. `team`: the addresses in NOTICES_TO."""

    sender: str
    team: tuple[str, ...] = field(repr=False)
    frontend_url: str
    unsubscribe_url: str


@dataclass(frozen=True, slots=True)
class NoticeService:
    """Sends due mail; safe in any number of replicas. Without `mailer` it sends none."""

    database: Database
    mailer: Mailer | None
    keys: KeyRing
    settings: NoticeSettings
    unsubscribing: UnsubscribeService
    metrics: Metrics
    background: BackgroundWork

    @property
    def is_enabled(self) -> bool:
        """Whether SMTP_URL is set."""
        return self.mailer is not None

    async def add(self) -> None:
        """Note the people who are to hear of bindings that have a problem by now."""
        team = list(await self._team())
        async with self.database.background_transaction() as tx:
            await tx.notices.add(team)

    async def claim(self) -> Sequence[ClaimedNotice]:
        """Claim a few due mails."""
        team = list(await self._team())
        async with self.database.background_transaction() as tx:
            return await tx.notices.claim(team, limit=AT_ONCE, ttl=CLAIM_TTL)

    async def send(self, claimed: ClaimedNotice) -> None:
        """Send a claimed mail and record it; a shutdown waits for both."""
        await self.background.start(self._send(claimed))

    async def check(self) -> MailAnswer | None:
        """Connect to the mail server without sending; None where no mail is sent."""
        return None if self.mailer is None else await self.mailer.check()

    async def _send(self, claimed: ClaimedNotice) -> None:
        failpoints.reached(Place.NOTICE_CLAIMED)
        keys = await self.unsubscribing.notice_keys()
        async with self.database.background_transaction() as tx:
            address = await self._address(tx, claimed, keys)
            unwanted = address is None or _is_unwanted(
                claimed, await tx.unsubscribes.kinds(keys.hash_of(address))
            )
        if address is None or unwanted:
            await self._withhold(claimed, "withheld")
            return
        answer = await self._mail(claimed, address, keys)
        failpoints.reached(Place.NOTICE_ACCEPTED)
        if answer.is_accepted:
            async with self.database.background_transaction() as tx:
                await tx.notices.record_told(claimed, claimed.told_after, pause=PAUSE_AFTER_NOTICE)
            self.metrics.notices.labels("sent").inc()
        else:
            await self._record_failed(claimed, answer)

    async def _team(self) -> Mapping[str, str]:
        """Return the addresses in NOTICES_TO by their keyed hashes."""
        keys = await self.unsubscribing.notice_keys()
        return {keys.hash_of(address): address for address in self.settings.team}

    async def _address(
        self, tx: Transaction, claimed: ClaimedNotice, keys: NoticeKeys
    ) -> str | None:
        """Return the recipient's address, or None where nothing is to be sent.

        A Xero user whose address is in NOTICES_TO, too, gets the mail once: by the latter.
        """
        team = await self._team()
        if not claimed.is_xero_user:
            return team.get(claimed.recipient)
        consent = await tx.authorisations.newest_of(claimed.recipient, claimed.org_id)
        if consent is None or consent.consenter_enc is None:
            return None
        try:
            _, email = json.loads(
                self.keys.decrypt_token(
                    consent.consenter_enc, f"{consent.authorisation_id}:consenter_enc"
                )
            )
        except CiphertextUnreadable:  # the alarm is raised
            return None
        if not isinstance(email, str) or not is_address(email) or keys.hash_of(email) in team:
            return None
        return email

    async def _mail(self, claimed: ClaimedNotice, address: str, keys: NoticeKeys) -> MailAnswer:
        assert self.mailer is not None  # noqa: S101 - else nothing is claimed
        settings = self.settings
        token = keys.token(claimed.kind, keys.hash_of(address))
        notice = Notice(
            kind=claimed.kind,
            binding_id=claimed.binding_id,
            tenant_name=claimed.tenant_name,
            reason=TO_THE_USER if claimed.is_xero_user else TO_THE_TEAM,
            frontend_url=settings.frontend_url,
            unsubscribe_url=f"{settings.unsubscribe_url}?token={token}",
        )
        message = compose(
            notice, sender=settings.sender, recipient=address, message_id=_message_id(claimed)
        )
        sender = parseaddr(settings.sender)[1]
        return await self.mailer.send(message.as_bytes(), sender=sender, recipient=address)

    async def _withhold(self, claimed: ClaimedNotice, outcome: str) -> None:
        async with self.database.background_transaction() as tx:
            await tx.notices.record_withheld(claimed, claimed.told_after)
        self.metrics.notices.labels(outcome).inc()

    async def _record_failed(self, claimed: ClaimedNotice, answer: MailAnswer) -> None:
        log.warning(
            "a mail was not sent",
            binding_id=claimed.binding_id,
            kind=claimed.kind,
            status=answer.status,
            reason=answer.reason,
            attempt=claimed.attempt,
        )
        if answer.is_final or claimed.retry_after is None:
            await self._withhold(claimed, "given_up")
            return
        async with self.database.background_transaction() as tx:
            await tx.notices.record_failed(claimed, retry_in=claimed.retry_after * jitter())
        self.metrics.notices.labels("failed").inc()


def _is_unwanted(claimed: ClaimedNotice, unsubscribed: frozenset[NoticeKind]) -> bool:
    """Whether the recipient unsubscribed, be it from all that this mail would close."""
    if claimed.kind in unsubscribed:
        return True
    return claimed.kind is NoticeKind.RECOVERED and claimed.over <= unsubscribed


def _message_id(claimed: ClaimedNotice) -> str:
    """Return an id that is the same for each attempt to send this mail."""
    parts = (claimed.binding_id, claimed.recipient, claimed.kind, claimed.mailed_at)
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:40]
