"""What the API document shows as examples: the sample people and organisations of the demo."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

ORG = "org_acme"
USER = "user_acme_admin"
SCOPES = [
    "openid",
    "profile",
    "email",
    "accounting.settings.read",
    "accounting.contacts.read",
    "accounting.invoices.read",
    "offline_access",
]
TENANT = "20000000-0000-4000-8000-000000000001"
TENANT_NAME = "Acme Trading Ltd"
# Made when an organisation is connected, so these stand for whatever a demo answers.
BINDING = "3d5a4f6e-0b8c-4c51-9a63-5b7f1c2d8e90"
GRANT = "8c1e7b52-6f0d-4a39-b2c4-1e9d7a6f3b05"
EVENT = "evt_5d0c7a3e9b1f4c62a8e4d7f10b396c25"
REQUEST_ID = "6f1c2a0f9c1e4f4b"
STATE = "pX2m0aYq7Jr9sLd4"
CODE = "tR5uV8wZ1bN3cK6e"
UNSUBSCRIBE_TOKEN = "needs_reauth.Xq3vY0sJt7.kW8dT4hLm2"
UNSUBSCRIBE_PAGE = "<!doctype html>…"
CONNECTED_AT = "2026-11-28T09:00:00Z"
USED_AT = "2026-11-28T09:12:30Z"
CHECKED_AT = "2026-11-28T09:05:00Z"
ACCESS_TOKEN_EXPIRES_AT = "2026-11-28T09:40:00Z"
REFRESH_TOKEN_EXPIRES_AT = "2027-01-27T09:10:00Z"
REFRESHED_AT = "2026-11-28T09:10:00Z"
ATTEMPT_EXPIRES_AT = "2026-11-28T09:10:00Z"
AUTHORIZATION_URL = (
    "https://login.xero.com/identity/connect/authorize?response_type=code&client_id=…&state=…"
)

# What a problem's `detail` says where it differs from the title, by code.
DETAILS = {
    "admin_required": "Ask an admin of your organisation.",
    "binding_suspended": "An operator suspended this connection.",
    "body_too_large": "Send at most 64 KiB.",
    "cross_site_refused": "Open the settings page and connect from there.",
    "forbidden_path": "Only paths below Xero's API roots, such as api.xro/, are reached from here.",
    "grant_shared": "Use the API proxy for this connection, or a key for all organisations.",
    "impersonation_refused": "Sign in as yourself to change connections.",
    "invalid_request": "Check these fields: body.tenantId.",
    "invalid_return_to": "returnTo must be a path such as /settings/integrations.",
    "migrations_pending": "Run xero-service migrate.",
    "org_required": "Choose an organisation, then try again.",
    "permission_missing": (
        "An admin must connect again on the settings page, to grant accounting.payments."
    ),
    "rate_budget_exhausted": "This organisation's share of Xero's rate limits is used up for now.",
    "reauthorization_required": "Connect this organisation to Xero again.",
    "scope_required": "This service key lacks the scope that this operation needs.",
    "service_busy": "All database connections are in use.",
    "tenant_bound_elsewhere": (
        "This Xero organisation is connected elsewhere. Disconnect it there first."
    ),
    "tenant_not_accessible": "Your consent at Xero does not reach this organisation.",
    "unauthorized": "Send a service key: Authorization: Bearer xsk_…",
    "xero_misconfigured": "Xero refused the client id or secret of this service.",
    "xero_refused": "Xero refused the access token or the organisation.",
    "xero_timeout": "Xero did not answer; the call may have been made.",
    "xero_unavailable": "Xero could not be reached.",
}
FOR_SERVICES = {
    "org_required": "A key for all organisations must name one in X-Org-Id.",
}
FOR_PEOPLE = {
    "unauthorized": "Send a session token: Authorization: Bearer …",
}
FOR_WEBHOOKS = {
    "body_too_large": "Send at most 1 MiB.",
    "malformed_request": "The body is not a webhook of Xero.",
    "unsupported_media_type": "Send application/json.",
}
FOR_CALLS = {"body_too_large": "Send at most 25 MiB."}
# After how many seconds, where the error itself has no default.
RETRY_AFTER = {"rate_budget_exhausted": 12, "xero_rate_limited": 30, "xero_timeout": 5}

ORGANISATION_OF_XERO = {
    "Status": "OK",
    "Organisations": [{"OrganisationID": TENANT, "Name": TENANT_NAME, "BaseCurrency": "NZD"}],
}
CONTACT_TO_XERO = {"Contacts": [{"Name": "Sample Supplies Ltd"}]}
XERO_WEBHOOK = {
    "events": [
        {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{BINDING}",
            "resourceId": BINDING,
            "tenantId": TENANT,
            "tenantType": "ORGANISATION",
            "eventCategory": "INVOICE",
            "eventType": "UPDATE",
            "eventDateUtc": "2026-11-28T09:12:30.902",
        }
    ],
    "firstEventSequence": 1,
    "lastEventSequence": 1,
    "entropy": "S0m3r4Nd0mt3xt",
}
# By operation: the path below `/api/` to try, and what is sent to it.
PATHS_OF_XERO = {
    "callXeroGet": "api.xro/2.0/Organisation",
    "callXeroPost": "api.xro/2.0/Contacts",
    "callXeroPut": "api.xro/2.0/Contacts",
    "callXeroPatch": f"projects.xro/2.0/Projects/{BINDING}",
    "callXeroDelete": f"files.xro/1.0/Files/{BINDING}",
}
METRICS = (
    "# HELP xero_service_http_requests_total Requests answered.\n"
    "# TYPE xero_service_http_requests_total counter\n"
    'xero_service_http_requests_total{method="GET",route="/healthz",status="200"} 1.0\n'
)


# By schema: examples beside the usual one, for what differs enough to be shown.
NAMED: dict[str, dict[str, Any]] = {
    "RefreshAnswer": {
        "failed": {
            "success": False,
            "hasActiveBindings": True,
            "refreshedCount": 0,
            "errors": [{"bindingId": BINDING, "error": "xero_unavailable"}],
        }
    },
    "RefreshRequest": {"renewOnly": {}},
    "TokenRequest": {"anyToken": {}},
}


def _header(description: str, example: str | int, **schema: Any) -> dict[str, Any]:
    kind = "integer" if isinstance(example, int) else "string"
    return {"description": description, "schema": {"type": kind, **schema}, "example": example}


HEADERS = {
    "X-Request-Id": _header("Names the request in logs, activity and problems.", REQUEST_ID),
    "WWW-Authenticate": _header("How to say who is calling.", "Bearer"),
    "Retry-After": _header(
        "Seconds after which the same request may be repeated; absent where time does not help.",
        5,
        minimum=1,
    ),
    "X-Rate-Limit-Problem": _header(
        "Which of Xero's limits is used up, in Xero's own words: `minute`, `day`, `concurrent`, "
        "or `appminute` for all organisations together.",
        "minute",
    ),
}
# What Xero says of its limits passes back with its answer.
OF_XERO = {
    "X-MinLimit-Remaining": _header("Calls left of the organisation's minute, of 60.", 58),
    "X-DayLimit-Remaining": _header("Calls left of the organisation's day.", 4973),
    "X-AppMinLimit-Remaining": _header("Calls left of the app's minute, of 10,000.", 9998),
}
_FLOW_COOKIE = _header(
    "The flow cookie, by which the callback knows the browser that started.",
    "__Host-xero_flow=…; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=lax",
)
LANDINGS = {
    "startConnection": {
        "200": {"Set-Cookie": _FLOW_COOKIE},
        "302": {
            "Set-Cookie": _FLOW_COOKIE,
            "Location": _header("Xero's consent page.", AUTHORIZATION_URL),
        },
    },
    "finishConnection": {
        "303": {
            "Location": _header(
                "The frontend, at the path that the start asked for, with the result.",
                "https://app.example.com/settings/integrations"
                f"?action=select_tenant&grantId={GRANT}",
            )
        }
    },
}


def of_xero(status: str) -> dict[str, Any]:
    """Return what Xero's API says where it answers with an error."""
    title = HTTPStatus(int(status)).phrase
    return {"Type": None, "Title": title, "Status": int(status), "Detail": None, "Extensions": {}}


def details(operation: Mapping[str, Any]) -> dict[str, str]:
    """Return what the problems of one operation say, by code."""
    is_for_services = operation.get("security") == [{"serviceKey": []}]
    found = DETAILS | (FOR_SERVICES if is_for_services else FOR_PEOPLE)
    if operation["operationId"] in PATHS_OF_XERO:
        return found | FOR_CALLS
    return found | FOR_WEBHOOKS if operation["operationId"] == "receiveXeroWebhook" else found


def of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Return the example of a schema: its own, else one composed of those of its fields."""
    if "examples" in schema:
        return schema["examples"][0]
    if reference := schema.get("$ref"):
        return of(schemas[reference.rpartition("/")[2]], schemas)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return of(schema["anyOf"][0], schemas)
    if schema.get("type") == "array":
        return [of(schema["items"], schemas)]
    return {name: of(field, schemas) for name, field in schema.get("properties", {}).items()}
