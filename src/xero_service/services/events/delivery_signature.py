"""The signed form of a delivery: headers and body as Standard Webhooks has them."""

import base64
import json
import os
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook

from xero_service.crypto import KeyRing
from xero_service.domain import Endpoint, StoredEvent

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
CURRENT, PREVIOUS = "secret_enc", "previous_secret_enc"
Secrets = Sequence[str]


def new_secret() -> str:
    """Return a new secret: `whsec_` and 256 random bits."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def seal_secret(keys: KeyRing, endpoint_id: UUID, secret: str, *, previous: bool = False) -> str:
    """Seal the secret of an endpoint for the column of the current or the previous one."""
    column = PREVIOUS if previous else CURRENT
    return keys.encrypt_token(secret, f"{endpoint_id}:{column}")


def open_secrets(keys: KeyRing, endpoint: Endpoint) -> Secrets:
    """Return the secrets that sign: the current one, and the previous one while it is replaced.

    Raises CiphertextUnreadable.
    """
    sealed = {CURRENT: endpoint.secret_enc, PREVIOUS: endpoint.previous_secret_enc}
    return [
        keys.decrypt_token(text, f"{endpoint.id}:{column}")
        for column, text in sealed.items()
        if text is not None
    ]


def signed(secrets: Secrets, event: StoredEvent, *, at: datetime) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of an attempt; `at`: its time, which is signed."""
    body = json.dumps(event.to_json(), ensure_ascii=False, separators=(",", ":"))
    signatures = [Webhook(secret).sign(event.public_id, at, body) for secret in secrets]
    headers = {
        "content-type": "application/json",
        "webhook-id": event.public_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return headers, body.encode()
