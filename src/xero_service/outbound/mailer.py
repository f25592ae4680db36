"""Sends one mail by SMTP: bounded in time, encrypted and authenticated as SMTP_URL says."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiosmtplib

from xero_service.certificates import trusted_certificates
from xero_service.settings.smtp import SmtpServer
from xero_service.timeouts import MAIL_SECONDS


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """How the mail server answered; `status`: None without an SMTP reply.

    `reason` names the failure and repeats no word of the server's, which may name the recipient.
    `is_final`: the server refused this mail or its recipient for good, so that sending it again
    would fail again.
    """

    is_accepted: bool
    status: int | None = None
    reason: str = ""
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Mailer:
    """A client of one mail server; `own_name`: the host by which it introduces itself."""

    server: SmtpServer
    own_name: str

    async def send(self, message: bytes, *, sender: str, recipient: str) -> MailAnswer:
        """Send a mail, headers and all, to one recipient; raises nothing."""
        try:
            async with self._connected() as smtp:
                await smtp.sendmail(sender, recipient, message)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _refused(refused.recipients[0])
        except aiosmtplib.SMTPDataError as refused:
            return _refused(refused)
        except Exception as error:  # a malformed reply, a name that does not resolve, no TLS
            return _failed(error)
        return MailAnswer(is_accepted=True)

    async def check(self) -> MailAnswer:
        """Connect and authenticate, and send nothing; raises nothing."""
        try:
            async with self._connected():
                return MailAnswer(is_accepted=True)
        except Exception as error:
            return _failed(error)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        server = self.server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=self.own_name,
            timeout=MAIL_SECONDS,
            use_tls=server.is_tls,
            # None: encrypted where the server offers it.
            start_tls=False if server.is_tls else server.requires_tls or None,
            tls_context=trusted_certificates() if server.requires_tls else _any_certificate(),
        )
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await smtp.connect()
                yield smtp
            # The mail is accepted by now, whatever becomes of the farewell.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await smtp.quit()
        finally:
            smtp.close()


def _any_certificate() -> ssl.SSLContext:
    """Return a context for servers that may also be spoken to without TLS (RFC 7435)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _refused(error: aiosmtplib.SMTPResponseException) -> MailAnswer:
    answer = _failed(error)
    return MailAnswer(False, answer.status, answer.reason, is_final=error.code >= 500)


def _failed(error: Exception) -> MailAnswer:
    status = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
    return MailAnswer(False, status, type(error).__name__)
