"""Xero's webhooks as a test signs and sends them, and the events that came of them."""

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from xero_service.app import PREFIX
from xero_service.settings import Settings

PATH = f"{PREFIX}/webhooks/xero"
JSON = "application/json; charset=utf-8"


def key_of(settings: Settings) -> str:
    assert settings.xero_webhook_key is not None
    return settings.xero_webhook_key.get_secret_value()


def xero_event(tenant_id: str, **changes: Any) -> dict[str, Any]:
    """One event about a record of its own."""
    record = str(uuid4())
    return {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{record}",
        "resourceId": record,
        "tenantId": tenant_id,
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "eventType": "UPDATE",
        "eventDateUtc": "2026-11-28T09:12:30.902",
    } | changes


def batch(first: int, *events: dict[str, Any]) -> bytes:
    """The body of a webhook; its numbers begin with `first`."""
    return json.dumps(
        {
            "events": events,
            "firstEventSequence": first,
            "lastEventSequence": first + len(events) - 1 if events else first,
            "entropy": "S0m3r4Nd0mt3xt",
        }
    ).encode()


def signature(body: bytes, key: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()


def headers_of(body: bytes, key: str, **others: str) -> dict[str, str]:
    return {"content-type": JSON, "x-xero-signature": signature(body, key)} | others


async def send(http: httpx.AsyncClient, body: bytes, key: str, **headers: str) -> httpx.Response:
    return await http.post(PATH, content=body, headers=headers_of(body, key, **headers))


async def stored(database: asyncpg.Connection, kind: str = "xero.%") -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await database.fetch(
        "SELECT *, data::text AS content FROM events WHERE kind LIKE $1 ORDER BY position", kind
    )
    return rows


async def resources(database: asyncpg.Connection) -> list[str]:
    """The records of the stored events, in order."""
    return [
        json.loads(row["content"])["resourceId"]
        for row in await stored(database)
        if row["kind"] != "xero.gap"
    ]


async def gaps(database: asyncpg.Connection) -> list[tuple[int, int]]:
    found = [json.loads(row["content"]) for row in await stored(database, "xero.gap")]
    return [(each["from"], each["to"]) for each in found]
