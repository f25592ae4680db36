"""The errors that this service returns, and who can resolve each.

A class is a row of the table that the API publishes: its HTTP status, its stable code, its
title, and whether it is operational (expected in a healthy service) or a fault of ours.
`api.problems` alone turns an error into an HTTP answer (RFC 9457).
"""

from enum import StrEnum
from typing import ClassVar


class ResolvedBy(StrEnum):
    """Who must act before the same request can succeed."""

    CALLER = "caller"  # sends something else
    PERSON = "person"  # who is signed in
    ADMIN = "admin"  # of the org, on the settings page
    OPERATOR = "operator"  # of this service
    TIME = "time"  # no action: retry later


class IntegrationError(Exception):
    """Base of all errors that may reach a caller; `detail` is written for that caller."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"
    operational: ClassVar[bool] = True
    resolved_by: ClassVar[ResolvedBy] = ResolvedBy.OPERATOR

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None) -> None:
        """`detail`: a sentence for the caller; `retry_after`: seconds after which a retry helps."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after = retry_after


# --- Who is calling, and what they may do -------------------------------------------------


class AuthError(IntegrationError):
    """The caller did not prove who they are."""

    status = 401
    code = "unauthorized"
    title = "Sign in first"
    resolved_by = ResolvedBy.CALLER


class SessionPending(AuthError):
    """The session has an open task (Clerk: `sts` is `pending`) and counts as signed out."""

    code = "session_pending"
    title = "Finish signing in first"
    resolved_by = ResolvedBy.PERSON


class OrgRequired(AuthError):
    """The session has no active organisation."""

    status = 403
    code = "org_required"
    title = "Choose an organisation first"


class AdminRequired(AuthError):
    """Only an admin of the organisation may do this."""

    status = 403
    code = "admin_required"
    title = "Only an admin of your organisation can do this"
    resolved_by = ResolvedBy.ADMIN


class ImpersonationRefused(AuthError):
    """An impersonated session (`act`) may read, but not connect, select or disconnect."""

    status = 403
    code = "impersonation_refused"
    title = "Not while you are signed in as somebody else"


class ScopeRequired(AuthError):
    """The service key lacks the scope that this operation needs."""

    status = 403
    code = "scope_required"
    title = "This service key may not do that"
    resolved_by = ResolvedBy.OPERATOR


class OrgMismatch(AuthError):
    """A service key bound to one org named another in X-Org-Id."""

    status = 403
    code = "org_mismatch"
    title = "This service key belongs to another organisation"


class CrossSiteRefused(AuthError):
    """Another site caused this start, and a cookie is its only credential."""

    status = 403
    code = "cross_site_refused"
    title = "Start from the settings page"


# --- The request --------------------------------------------------------------------------


class NotFound(IntegrationError):
    """The object does not exist or is of another org; the answer never says which."""

    status = 404
    code = "not_found"
    title = "Not found"
    resolved_by = ResolvedBy.CALLER


class CursorGone(IntegrationError):
    """The event of a cursor is not there: the database is older than the cursor."""

    status = 410
    code = "cursor_gone"
    title = "The event of this cursor is lost"
    resolved_by = ResolvedBy.CALLER


class InvalidRequest(IntegrationError):
    """The request does not have the documented shape."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid"
    resolved_by = ResolvedBy.CALLER


class MalformedRequest(IntegrationError):
    """The bytes are not a valid HTTP request, or the end of the request is ambiguous."""

    status = 400
    code = "malformed_request"
    title = "This is not a request that can be read"
    resolved_by = ResolvedBy.CALLER


class RequestTimeout(IntegrationError):
    """The head or the body of a request arrived too slowly."""

    status = 408
    code = "request_timeout"
    title = "The request took too long to arrive"
    resolved_by = ResolvedBy.CALLER


class HeadTooLarge(IntegrationError):
    """The target and the header fields of a request are too large together."""

    status = 431
    code = "head_too_large"
    title = "The head of the request is too large"
    resolved_by = ResolvedBy.CALLER


class InvalidReturnTo(InvalidRequest):
    """`returnTo` is not a plain path of the frontend (RFC 9700 §4.11)."""

    code = "invalid_return_to"
    title = "returnTo must be a path of the frontend"


class TenantNotAccessible(IntegrationError):
    """The consent does not reach this tenant, or Xero no longer gives access to it."""

    status = 422
    code = "tenant_not_accessible"
    title = "Xero does not give access to this organisation"
    resolved_by = ResolvedBy.ADMIN


class TenantBoundElsewhere(IntegrationError):
    """Another org has a binding of this tenant; the answer never says which org."""

    status = 409
    code = "tenant_bound_elsewhere"
    title = "This Xero organisation is already connected elsewhere"
    resolved_by = ResolvedBy.ADMIN


# --- Tokens ---------------------------------------------------------------------------------


class TokenError(IntegrationError):
    """Base of the errors of a grant or binding that has no usable token."""

    status = 409
    code = "token_unavailable"
    title = "No token is available"
    resolved_by = ResolvedBy.ADMIN


class ReauthorizationRequired(TokenError):
    """Xero no longer honours the grant; only a person can fix this."""

    code = "reauthorization_required"
    title = "Connect to Xero again"


class BindingSuspended(TokenError):
    """An operator switched this binding off."""

    code = "binding_suspended"
    title = "This connection is suspended"
    resolved_by = ResolvedBy.OPERATOR


class PermissionMissing(TokenError):
    """Xero refused a call for want of a scope that a new consent would grant."""

    code = "permission_missing"
    title = "The connection lacks a permission at Xero"


class GrantShared(TokenError):
    """A token of this grant would open another org's tenants too (design: rule 9)."""

    code = "grant_shared"
    title = "The Xero user of this connection also serves another organisation"
    resolved_by = ResolvedBy.CALLER


class CiphertextUnreadable(TokenError):
    """A stored secret does not open: wrong key, moved to another row, or altered."""

    status = 500
    code = "internal_error"
    title = "Something went wrong on our side"
    operational = False
    resolved_by = ResolvedBy.OPERATOR


# Audited when an identified caller is refused (S49): these follow from who the caller is, or from
# who owns the object. A grant that needs a person and a failure of Xero do not.
DENIALS = (
    AuthError,
    NotFound,
    TenantNotAccessible,
    TenantBoundElsewhere,
    BindingSuspended,
    GrantShared,
)


# --- Proxy ----------------------------------------------------------------------------------


class ForbiddenPath(IntegrationError):
    """The proxy accepts only plain paths below Xero's API roots."""

    status = 400
    code = "forbidden_path"
    title = "The proxy does not lead there"
    resolved_by = ResolvedBy.CALLER


class BodyTooLarge(IntegrationError):
    """The request body is over the documented limit."""

    status = 413
    code = "body_too_large"
    title = "The request body is too large"
    resolved_by = ResolvedBy.CALLER


class UnsupportedMediaType(IntegrationError):
    """The body is not of the media type that the operation reads."""

    status = 415
    code = "unsupported_media_type"
    title = "The body is of another type than this operation reads"
    resolved_by = ResolvedBy.CALLER


class UpstreamTimeout(IntegrationError):
    """Xero did not answer the proxied request in time and may have carried it out.

    A caller that repeats it should send the same `Idempotency-Key`.
    """

    status = 504
    code = "xero_timeout"
    title = "Xero did not answer in time"
    resolved_by = ResolvedBy.TIME


class RateBudgetExhausted(IntegrationError):
    """The tenant's share of Xero's limits is used up; returned before Xero answers 429."""

    status = 429
    code = "rate_budget_exhausted"
    title = "Too many calls for this Xero organisation"
    resolved_by = ResolvedBy.TIME

    def __init__(
        self, detail: str | None = None, *, retry_after: int | None = None, problem: str = "minute"
    ) -> None:
        """`problem`: the limit that is used up, as Xero's `X-Rate-Limit-Problem` names it."""
        super().__init__(detail, retry_after=retry_after)
        self.problem = problem


# --- Xero -----------------------------------------------------------------------------------


class ExternalAPIError(IntegrationError):
    """Xero did not answer as it should; nothing is wrong with the user's consent."""

    status = 503
    code = "xero_unavailable"
    title = "Xero is not available"
    resolved_by = ResolvedBy.TIME

    def __init__(self, detail: str | None = None, *, retry_after: int | None = 5) -> None:
        """`retry_after` has a default here, because only time helps."""
        super().__init__(detail, retry_after=retry_after)


class XeroUnreachable(ExternalAPIError):
    """The request never left: Xero cannot have acted on it."""


class XeroNoResponse(ExternalAPIError):
    """The request may have arrived and no answer came: Xero may have acted on it."""


class XeroInvalidResponse(ExternalAPIError):
    """Xero answered, but not with what its documentation promises."""


class XeroMisconfigured(ExternalAPIError):
    """Xero refused our client credentials (`invalid_client`): an operator must act."""

    code = "xero_misconfigured"
    title = "The connection to Xero is misconfigured"
    operational = False
    resolved_by = ResolvedBy.OPERATOR


class InvalidGrant(ExternalAPIError):
    """Xero answered `invalid_grant`; `RefreshOutcomes` decides whether the grant has ended."""


class XeroAccessRefused(ExternalAPIError):
    """Xero refused this access token or tenant (401 or 403)."""

    status = 502
    code = "xero_refused"
    title = "Xero refused the request"
    resolved_by = ResolvedBy.ADMIN

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None) -> None:
        """Without `retry_after` by default: an admin must act."""
        super().__init__(detail, retry_after=retry_after)


class TokenExpired(XeroAccessRefused):
    """Xero refused this access token (401) as expired, or without saying why."""


class TokenDoubted(XeroAccessRefused):
    """Xero refused this access token (401) as unknown.

    If the token has not expired by our clock, its grant is in doubt (facts §14).
    """


class PermissionRefused(XeroAccessRefused):
    """Xero refused a call for want of a scope, or of a plan or role; the token is good."""


class RateLimitError(ExternalAPIError):
    """Xero answered 429."""

    code = "xero_rate_limited"
    title = "Xero asks us to slow down"


# --- Ourselves ------------------------------------------------------------------------------


class ServiceBusy(IntegrationError):
    """A resource of the service (database, pool, lease) did not become free in time."""

    status = 503
    code = "service_busy"
    title = "The service is busy"
    resolved_by = ResolvedBy.TIME

    def __init__(self, detail: str | None = None, *, retry_after: int | None = 2) -> None:
        """`retry_after` has a default here, because only time helps."""
        super().__init__(detail, retry_after=retry_after)


class MigrationsPending(ServiceBusy):
    """The code is ahead of its database."""

    code = "migrations_pending"
    title = "The database waits for its migrations"
    resolved_by = ResolvedBy.OPERATOR


class CodeOutdated(ServiceBusy):
    """The database is past what this code works on."""

    code = "code_outdated"
    title = "The database needs newer code than this"
    resolved_by = ResolvedBy.OPERATOR


class SignInUnavailable(ServiceBusy):
    """The session issuer's signing keys are not available, so no session can be verified."""

    code = "sign_in_unavailable"
    title = "Sign-in cannot be checked right now"


class ConfigError(IntegrationError):
    """The configuration is invalid; the message names every fault and no secret value."""

    code = "misconfigured"
    title = "The service is misconfigured"
    operational = False


# --- The consent flow: where the browser is sent instead of an error page ------------------


class FlowError(IntegrationError):
    """A flow that ended without a connection; the redirect carries `code` in `?error=`."""

    status = 303
    code = "exchange_failed"
    title = "Connecting to Xero did not work"


class ConsentDenied(FlowError):
    """The user cancelled at Xero (RFC 6749 §4.1.2.1)."""

    code = "access_denied"


class FlowExpired(FlowError):
    """The attempt is older than ten minutes, or was used."""

    code = "flow_expired"


class FlowMismatch(FlowError):
    """State, flow cookie or issuer are not those of an attempt of this browser."""

    code = "flow_mismatch"


class SessionMismatch(FlowError):
    """The signed-in user or org is not the one that started the flow."""

    code = "session_mismatch"


class ExchangeFailed(FlowError):
    """Xero returned no token set, or one that failed verification."""


class NoTenants(FlowError):
    """The consent reaches no Xero organisation."""

    code = "no_tenants"


class InsufficientScope(FlowError):
    """Fewer scopes were granted than the service needs."""

    code = "insufficient_scope"
