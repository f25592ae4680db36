"""The error tree: every way in which this service says no, and what the caller should do.

A class is a row of the table that the API publishes: its HTTP status, its stable code, its
title, and whether it is operational (expected in the life of a healthy service) or a fault of
ours. `api.problems` alone turns an error into an HTTP answer (RFC 9457).
"""

from enum import StrEnum
from typing import ClassVar


class ResolvedBy(StrEnum):
    """Who can end a failure: the same request fails until they have."""

    CALLER = "caller"  # sends something else
    PERSON = "person"  # who is signed in
    ADMIN = "admin"  # of the org, on the settings page
    OPERATOR = "operator"  # of this service
    TIME = "time"  # nobody: repeat later


class IntegrationError(Exception):
    """Base of all errors that may reach a caller; `detail` is written for that caller."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"
    operational: ClassVar[bool] = True
    resolved_by: ClassVar[ResolvedBy] = ResolvedBy.OPERATOR

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None) -> None:
        """Keep the sentence for the caller and the seconds after which trying again helps."""
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
    """An impersonated session (`act`) may look, but not connect, select or disconnect."""

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
    """A start that another site caused, with only a cookie to vouch for it."""

    status = 403
    code = "cross_site_refused"
    title = "Start from the settings page"


# --- What was asked for -------------------------------------------------------------------


class NotFound(IntegrationError):
    """Unknown, or of another org: the two are never told apart."""

    status = 404
    code = "not_found"
    title = "Not found"
    resolved_by = ResolvedBy.CALLER


class InvalidRequest(IntegrationError):
    """The request does not have the documented shape."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid"
    resolved_by = ResolvedBy.CALLER


class MalformedRequest(IntegrationError):
    """What arrived is no HTTP request, or one whose end would be in doubt."""

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
    """The consent does not reach this tenant, or Xero no longer lets it."""

    status = 422
    code = "tenant_not_accessible"
    title = "Xero does not give access to this organisation"
    resolved_by = ResolvedBy.ADMIN


class TenantBoundElsewhere(IntegrationError):
    """A binding that is not revoked exists in another org; which one is never said."""

    status = 409
    code = "tenant_bound_elsewhere"
    title = "This Xero organisation is already connected elsewhere"
    resolved_by = ResolvedBy.ADMIN


# --- Tokens ---------------------------------------------------------------------------------


class TokenError(IntegrationError):
    """A token cannot be had."""

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


# What is on record when somebody known is refused it (S49): who they are, or whose a thing is,
# forbids it. A grant that needs a person, or Xero's trouble, is nobody's decision about them.
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
    """The proxy leads to Xero's API roots only, by plain paths."""

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


class UpstreamTimeout(IntegrationError):
    """Xero did not answer the proxied request in time; it may have been carried out.

    So a caller that repeats it should send the same `Idempotency-Key`.
    """

    status = 504
    code = "xero_timeout"
    title = "Xero did not answer in time"
    resolved_by = ResolvedBy.TIME


class RateBudgetExhausted(IntegrationError):
    """The tenant's share of Xero's limits is used up; ours to say, so that Xero never has to."""

    status = 429
    code = "rate_budget_exhausted"
    title = "Too many calls for this Xero organisation"
    resolved_by = ResolvedBy.TIME

    def __init__(
        self, detail: str | None = None, *, retry_after: int | None = None, problem: str = "minute"
    ) -> None:
        """`problem`: the limit in the way, as Xero's `X-Rate-Limit-Problem` names it."""
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
        """Say that time helps: `retry_after` has a default here."""
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
    """Xero said `invalid_grant`; what that means is for the token service to decide."""


class XeroAccessRefused(ExternalAPIError):
    """Xero refused this access token or tenant (401 or 403)."""

    status = 502
    code = "xero_refused"
    title = "Xero refused the request"
    resolved_by = ResolvedBy.ADMIN

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None) -> None:
        """Say that time does not help: an admin must act."""
        super().__init__(detail, retry_after=retry_after)


class TokenExpired(XeroAccessRefused):
    """Xero refused this access token (401) as expired, or without saying why."""


class TokenDoubted(XeroAccessRefused):
    """Xero refused this access token (401) as one that it does not know.

    Of a token that is live by our clock that puts its grant in doubt (facts §14).
    """


class RateLimitError(ExternalAPIError):
    """Xero answered 429."""

    code = "xero_rate_limited"
    title = "Xero asks us to slow down"


# --- Ourselves ------------------------------------------------------------------------------


class ServiceBusy(IntegrationError):
    """A resource of ours (database, pool, a lease) did not become free in time."""

    status = 503
    code = "service_busy"
    title = "The service is busy"
    resolved_by = ResolvedBy.TIME

    def __init__(self, detail: str | None = None, *, retry_after: int | None = 2) -> None:
        """Say that time helps: `retry_after` has a default here."""
        super().__init__(detail, retry_after=retry_after)


class MigrationsPending(ServiceBusy):
    """The code is ahead of its database."""

    code = "migrations_pending"
    title = "The database waits for its migrations"
    resolved_by = ResolvedBy.OPERATOR


class SignInUnavailable(ServiceBusy):
    """The session issuer's signing keys cannot be had, so nobody can be recognised."""

    code = "sign_in_unavailable"
    title = "Sign-in cannot be checked right now"


class ConfigError(IntegrationError):
    """The configuration is wrong; the message names every fault and no secret value."""

    code = "misconfigured"
    title = "The service is misconfigured"
    operational = False


# --- The consent flow: where the browser is sent instead of an error page ------------------


class FlowError(IntegrationError):
    """A consent that did not come to a connection; `code` travels in `?error=`."""

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
    """Another user or org is signed in than the one that started."""

    code = "session_mismatch"


class ExchangeFailed(FlowError):
    """Xero did not give a token set that can be believed."""


class NoTenants(FlowError):
    """The consent reaches no Xero organisation."""

    code = "no_tenants"


class InsufficientScope(FlowError):
    """Fewer scopes were granted than the service needs."""

    code = "insufficient_scope"
