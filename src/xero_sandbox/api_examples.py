"""Summaries, examples and parameter descriptions of the OpenAPI document."""

from typing import Any

from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING

_USER, _NAME = ACME_BOOKKEEPER.xero_user_id, "Acme Trading Ltd"
_ID = "9b2f6c1e-4d3a-4f58-8e07-1c6d5a9b3f42"
_NOW = "2026-11-28T09:00:00+00:00"
_CLOCK = {"now": _NOW, "offsetSeconds": 0.0, "frozen": False}
_JWKS = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "…", "n": "…", "e": "AQAB"}]}
_PERSON = {"id": "user_acme_admin", "name": "Acme admin", "email": "admin@acme.example.com"}
_ORGS = [{"id": "org_acme", "name": "Acme", "slug": "acme", "role": "admin"}]
_TOKENS = {
    "id_token": "eyJhbGciOi…",
    "access_token": "eyJhbGciOi…",
    "expires_in": 1800,
    "token_type": "Bearer",
    "refresh_token": "…",
    "scope": "openid profile email offline_access accounting.settings.read",
}
_CONNECTION = {
    "id": _ID,
    "authEventId": _ID,
    "tenantId": ACME_TRADING,
    "tenantType": "ORGANISATION",
    "tenantName": _NAME,
    "createdDateUtc": "2026-11-28T09:00:00.0000000",
    "updatedDateUtc": "2026-11-28T09:00:00.0000000",
}
_FAULT = {
    "id": 1,
    "kind": "token.refresh",
    "fault": "503",
    "when": "before",
    "times": 1,
    "seconds": 30.0,
    "retryAfter": 22,
    "xeroUserId": None,
    "changes": {},
    "left": 1,
    "struck": 0,
    "holding": 0,
    "released": False,
}
_SUBSCRIPTION = {
    "url": "http://localhost:8000/api/integrations/xero/webhooks/xero",
    "key": "…",
    "status": "active",
    "problem": None,
    "nextEventSequence": 1,
    "waitingEvents": 0,
}
_RECORDS = {"Id": _ID, "Status": "OK", "Contacts": [{"ContactID": _ID, "Name": "City Limousines"}]}
_SWITCHES = {"graceReplay": "new_set", "reconsent": "supersedes", "minuteLimit": 60}
_PAGE = "<!doctype html><title>Sample app wants access</title>"

# By method and path: the summary, and an example of the response to a success (None: no body).
OPERATIONS: dict[str, tuple[str, Any]] = {
    "GET /login/identity/connect/authorize": ("Show the consent page", _PAGE),
    "POST /login/consent/{attempt}": ("Decide on the consent page", _PAGE),
    "GET /login/connectionLimit": ("Show the connection limit page", _PAGE),
    "POST /identity/connect/token": ("Exchange or refresh tokens", _TOKENS),
    "POST /identity/connect/revocation": ("Revoke a refresh token", {}),
    "GET /identity/.well-known/openid-configuration": (
        "Read Xero's discovery document",
        {"issuer": "http://localhost:9000/identity"},
    ),
    "GET /identity/.well-known/openid-configuration/jwks": ("Read Xero's signing keys", _JWKS),
    "GET /identity/connect/userinfo": (
        "Read the token's user",
        {"sub": "…", "name": ACME_BOOKKEEPER.name, "xero_userid": _USER},
    ),
    "GET /api/connections": ("List a user's connections", [_CONNECTION]),
    "DELETE /api/connections/{connection_id}": ("Delete one of the connections", None),
    "GET /api/api.xro/2.0/{resource}": ("Read accounting records", _RECORDS),
    "POST /api/api.xro/2.0/{resource}": ("Post accounting records", _RECORDS),
    "PUT /api/api.xro/2.0/{resource}": ("Put accounting records", _RECORDS),
    "GET /session/.well-known/jwks.json": ("Read the session issuer's keys", _JWKS),
    "GET /session/people": ("List the sample people", [{**_PERSON, "orgs": _ORGS}]),
    "POST /session/sign-in": (
        "Sign in as a sample person",
        {"sessionId": "sess_5f0c6e1d2b7a4983", "person": _PERSON, "orgs": _ORGS},
    ),
    "POST /session/tokens": (
        "Mint a session token",
        {"token": "eyJhbGciOi…", "expiresAt": 1795856460},
    ),
    "DELETE /session/sessions/{session_id}": ("End a person's session", None),
    "GET /control/state": (
        "Show the whole state",
        {
            "clock": _CLOCK,
            "switches": _SWITCHES,
            "users": [],
            "orgs": [],
            "connections": [],
            "grants": [],
        },
    ),
    "POST /control/reset": ("Reset the whole sandbox", {"reset": True}),
    "GET /control/clock": ("Read Xero's clock", _CLOCK),
    "POST /control/clock": ("Adjust Xero's clock", _CLOCK),
    "GET /control/journal": (
        "Read the journal of requests",
        [
            {
                "n": 1,
                "at": _NOW,
                "kind": "token.refresh",
                "method": "POST",
                "path": "/identity/connect/token",
                "query": {},
                "headers": {"accept": "application/json"},
                "bodyBytes": 120,
                "status": 200,
                "fingerprint": "5d41402abc4b2a76",
                "xeroUserId": _USER,
                "tenantId": None,
                "clientId": "sandbox",
                "outcome": "issued",
                "faults": [],
            }
        ],
    ),
    "GET /control/tokens": (
        "Read each refresh token's history",
        [
            {
                "fingerprint": "5d41402abc4b2a76",
                "grantId": _ID,
                "xeroUserId": _USER,
                "generation": 1,
                "presented": 1,
                "accepted": 1,
                "createdAt": _NOW,
                "firstUsedAt": _NOW,
                "live": False,
            }
        ],
    ),
    "GET /control/switches": ("Read all the switches", _SWITCHES),
    "POST /control/switches": ("Set some switches", _SWITCHES),
    "POST /control/keys/rotate": ("Rotate a signing key", {"kid": "…"}),
    "POST /control/upstream": ("Delay every Xero request", {"latencyMs": 0.0}),
    "POST /control/consent": (
        "Consent without a browser",
        {"redirect": "http://localhost:8000/api/integrations/xero/callback?code=…&state=…"},
    ),
    "POST /control/connect": (
        "Connect without a consent",
        {"connectionId": _ID, "authEventId": _ID},
    ),
    "POST /control/disconnect": ("Disconnect inside Xero", {"disconnected": True}),
    "POST /control/users/{xero_user_id}/role": ("Change a user's role", {"changed": True}),
    "POST /control/users/{xero_user_id}/refuse-access-tokens": (
        "Refuse a user's access tokens early",
        {"refused": True},
    ),
    "POST /control/users/{xero_user_id}/kill-refresh-tokens": (
        "End a user's refresh tokens",
        {"killed": True},
    ),
    "POST /control/orgs/{tenant_id}": ("Change an organisation at Xero", {"changed": True}),
    "POST /control/orgs/{tenant_id}/reset-demo": (
        "Reset a demo company",
        {"tenantId": "20000000-0000-4000-8000-000000000999"},
    ),
    "POST /control/seed": (
        "Create synthetic grants",
        [
            {
                "xeroUserId": _ID,
                "name": "Seeded user 1",
                "email": "seeded-1@example.com",
                "tenantId": _ID,
                "tenantName": "Seeded Company 1",
                "connectionId": _ID,
                "authEventId": _ID,
                "refreshToken": "…",
                "accessToken": "eyJhbGciOi…",
                "scopes": ["openid", "offline_access"],
            }
        ],
    ),
    "GET /control/webhooks": ("Read the webhook subscription", _SUBSCRIPTION),
    "POST /control/webhooks": ("Set the webhook receiver", _SUBSCRIPTION),
    "DELETE /control/webhooks": ("Remove the webhook receiver", None),
    "POST /control/webhooks/intent": ("Send intent to receive", _SUBSCRIPTION),
    "POST /control/webhooks/events": (
        "Send webhook events",
        {"firstEventSequence": 1, "lastEventSequence": 1},
    ),
    "POST /control/webhooks/settle": ("Wait for webhook deliveries", _SUBSCRIPTION),
    "GET /control/webhooks/deliveries": (
        "List webhook deliveries",
        [
            {
                "n": 1,
                "at": _NOW,
                "purpose": "intent",
                "attempt": 1,
                "firstEventSequence": 0,
                "lastEventSequence": 0,
                "tenantIds": [],
                "correctlySigned": True,
                "status": 200,
                "problem": None,
            }
        ],
    ),
    "GET /control/faults": ("List the injected faults", [_FAULT]),
    "POST /control/faults": ("Inject a fault", _FAULT),
    "DELETE /control/faults": ("Remove all the faults", None),
    "GET /control/faults/{fault_id}": ("Show one of the faults", _FAULT),
    "POST /control/faults/{fault_id}/release": ("Release the held requests", _FAULT),
}
# By name: the description of a parameter, and an example value.
PARAMETERS: dict[str, tuple[str, Any]] = {
    "attempt": ("The id of the consent page; its form posts to it.", "q7Lr2mXz"),
    "authEventId": ("Only the connections that this consent created.", _ID),
    "connection_id": ("The `id` of a connection.", _ID),
    "resource": ("`Organisation`, `Contacts`, `Invoices` and others.", "Contacts"),
    "origin": (
        "The calling page, as browsers send it; the default of `azp`.",
        "http://localhost:8000",
    ),
    "session_id": ("The `sessionId` of the sign-in.", "sess_5f0c6e1d2b7a4983"),
    "since": ("Only entries after the entry of this number.", 0),
    "kind": ("One kind of request, or a family of kinds.", "token.refresh"),
    "xero_user_id": ("The Xero user, by key or id.", "xero-user-1"),
    "tenant_id": ("The organisation, by its tenantId.", ACME_TRADING),
    "fault_id": ("The `id` of a fault.", 1),
    "waitFor": ("Respond when this many requests are held.", 0),
    "timeoutSeconds": ("How long `waitFor` waits before it responds 408.", 10),
}
SWITCHES_TO_TURN = {"graceReplay": "same_set", "minuteLimit": 60}
INVALID = {"detail": [{"loc": ["body", "grants"], "msg": "Field required", "type": "missing"}]}
INVALID_FIELDS = {
    "detail": "One entry for each invalid field.",
    "loc": "The location of the field.",
    "msg": "The error in words.",
    "type": "The error as a code.",
    "input": "The value that was sent.",
    "ctx": "The limits that the value violates.",
}
