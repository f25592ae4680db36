"""A mail server on loopback that keeps what it accepts, and refuses where it is told to."""

import asyncio
import email
import logging
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Mail:
    """A mail that was accepted."""

    sender: str
    recipients: list[str]
    raw: bytes = field(repr=False)
    message: EmailMessage
    was_encrypted: bool
    was_authenticated: bool

    @property
    def to(self) -> str:
        (recipient,) = self.recipients
        return recipient

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def part(self, subtype: str) -> str:
        found = self.message.get_body((subtype,))
        assert found is not None
        return str(found.get_content())

    @property
    def unsubscribe_url(self) -> str:
        return str(self.message["List-Unsubscribe"]).strip("<>")


@dataclass
class MailServer:
    """`refuses`: the reply to a recipient or to the data, or None to accept."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    refuses: Callable[[str], str | None] = lambda _: None
    refuses_data: str | None = None
    attempts: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list)
    user: tuple[str, str] | None = None

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts += 1
        if refusal := self.refuses(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self.refuses_data:
            return self.refuses_data
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(
            Mail(
                str(envelope.mail_from),
                list(envelope.rcpt_tos),
                envelope.content,
                message,
                session.ssl is not None,
                bool(session.authenticated),
            )
        )
        return "250 OK"

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = data.login.decode(), data.password.decode()
        self.logins.append(given)
        return AuthResult(success=given == self.user)

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.to == address]


@asynccontextmanager
async def serving(
    *, tls: ssl.SSLContext | None = None, user: tuple[str, str] | None = None
) -> AsyncIterator[MailServer]:
    """Run a mail server; with `tls` it insists on STARTTLS, with `user` on a login."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it logs whole mails
    mail_server = MailServer(user=user)
    options: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None}
    if user is not None:
        options |= {
            "authenticator": mail_server.authenticate,
            "auth_required": True,
            "auth_require_tls": tls is not None,
        }

    def session() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of logins without TLS, as on this machine
            return SMTP(mail_server, hostname="mail.test", **options)

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    mail_server.port = server.sockets[0].getsockname()[1]
    try:
        yield mail_server
    finally:
        server.close()
