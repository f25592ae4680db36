"""The mail of a notice: plain text, and HTML that looks like the settings page.

Nothing is loaded from elsewhere. Styles are inline, as mail clients want them; a client that knows
`prefers-color-scheme` gets the dark theme.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime, parseaddr
from html import escape
from string import Template
from uuid import UUID

from xero_service.domain import NoticeKind

PAGE = "/settings/integrations"
LONGEST_NAME = 80
# A longer header would be folded by encoding it, in which form no client reads List-Unsubscribe.
UNFOLDED = SMTP.clone(max_line_length=998)
FONT = "font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail of one kind says; `{name}` is the organisation at Xero."""

    subject: str
    badge: str
    text: str
    button: str


WORDS: Mapping[NoticeKind, Words] = {
    NoticeKind.NEEDS_REAUTH: Words(
        "Reconnect {name} to Xero",
        "Needs attention",
        "Xero has ended the connection to {name}. Only a person can renew it: an admin of your"
        " organisation, with a login to Xero. Until then nothing can be read from or written to"
        " {name}.",
        "Reconnect",
    ),
    NoticeKind.EXPIRING: Words(
        "The connection of {name} to Xero is about to end",
        "Needs attention",
        "The connection to {name} still works, but it could not be renewed for a while. Xero ends"
        " a connection that is not renewed for 60 days. Reconnect it to be safe.",
        "Reconnect",
    ),
    NoticeKind.PERMISSIONS_MISSING: Words(
        "{name} needs more permissions at Xero",
        "Needs attention",
        "The connection to {name} works, but it lacks permissions that are needed by now. An admin"
        " of your organisation with a login to Xero can grant them.",
        "Update permissions",
    ),
    NoticeKind.RECOVERED: Words(
        "{name}: the connection to Xero is in order again",
        "In order",
        "What we wrote about the connection to {name} is settled. There is nothing left to do.",
        "Open the settings page",
    ),
}
KINDS: Mapping[NoticeKind, str] = {
    NoticeKind.NEEDS_REAUTH: "connections that must be renewed",
    NoticeKind.EXPIRING: "connections that are about to end",
    NoticeKind.PERMISSIONS_MISSING: "missing permissions",
    NoticeKind.RECOVERED: "connections that are in order again",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What a mail needs to know; `reason`: why its recipient gets it."""

    kind: NoticeKind
    binding_id: UUID
    tenant_name: str
    reason: str
    frontend_url: str
    unsubscribe_url: str


def compose(notice: Notice, *, sender: str, recipient: str, message_id: str) -> EmailMessage:
    """Return the mail; with one-click unsubscribe (RFC 8058) and no automatic reply wanted."""
    values = _values(notice)
    name, address = parseaddr(sender)
    message = EmailMessage(SMTP)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = values["subject"]
    message["Date"] = localtime()
    message["Message-ID"] = f"<{message_id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{notice.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(TEXT.substitute(values), cte="quoted-printable")
    shown = {key: escape(value) for key, value in values.items()}
    surface = "good" if notice.kind is NoticeKind.RECOVERED else "warn"
    html = HTML.substitute(shown, font=FONT, surface=surface, colours=_SURFACES[surface])
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.policy = UNFOLDED
    return message


def _values(notice: Notice) -> dict[str, str]:
    words, name = WORDS[notice.kind], _one_line(notice.tenant_name)
    query = "" if notice.kind is NoticeKind.RECOVERED else f"?reconnect={notice.binding_id}"
    return {
        "subject": words.subject.format(name=name),
        "badge": words.badge,
        "text": words.text.format(name=name),
        "button": words.button.format(name=name),
        "link": f"{notice.frontend_url}{PAGE}{query}",
        "reason": notice.reason.format(name=name),
        "kinds": KINDS[notice.kind],
        "unsubscribe": notice.unsubscribe_url,
    }


def _one_line(name: str) -> str:
    """Return a name from Xero without control characters, and short."""
    name = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip()
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


TEXT = Template("""\
$text

$button:
$link

--
$reason
No more mail about $kinds:
$unsubscribe
""")
_SURFACES = {
    "warn": "background-color:#fff6dd;color:#874e00",
    "good": "background-color:#e3faed;color:#006e3b",
}
HTML = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>$subject</title>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background-color: #0c0c0e !important; }
  .card { background-color: #151517 !important; border-color: #2d2d31 !important; }
  .text { color: #f5f5f6 !important; }
  .muted, .muted a { color: #aaaab2 !important; }
  .warn { background-color: #372813 !important; color: #f2c36a !important; }
  .good { background-color: #153223 !important; color: #63d99b !important; }
  .button { background-color: #f5f5f6 !important; }
  .button a { color: #161619 !important; }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background-color:#fafafa;$font">
<table role="presentation" class="page" width="100%" cellspacing="0" cellpadding="0" border="0"
 style="background-color:#fafafa">
<tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="100%" cellspacing="0" cellpadding="0" border="0"
 style="max-width:520px">
<tr><td class="card"
 style="background-color:#ffffff;border:1px solid #e4e4e7;border-radius:14px;padding:28px">
<span class="$surface" style="display:inline-block;border-radius:999px;padding:3px 10px;
font-size:12px;line-height:18px;font-weight:500;$colours">$badge</span>
<h1 class="text" style="margin:14px 0 8px;font-size:18px;line-height:26px;font-weight:600;
color:#18181b">$subject</h1>
<p class="text" style="margin:0 0 22px;font-size:14px;line-height:22px;color:#18181b">$text</p>
<table role="presentation" cellspacing="0" cellpadding="0" border="0"><tr>
<td class="button" style="background-color:#18181b;border-radius:8px">
<a href="$link" style="display:inline-block;padding:9px 16px;font-size:14px;line-height:20px;
font-weight:500;color:#fafafa;text-decoration:none">$button</a>
</td></tr></table>
</td></tr>
<tr><td class="muted" style="padding:16px 28px;font-size:12px;line-height:18px;color:#5d5d64">
$reason
<a href="$unsubscribe" style="color:#5d5d64;text-decoration:underline">No more mail about $kinds</a>
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
""")
