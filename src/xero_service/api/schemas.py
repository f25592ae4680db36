"""JSON schemas of requests and responses; those of a binding are in binding_schemas."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field

from xero_service.api import examples
from xero_service.api.binding_schemas import (
    Binding,
    BindingId,
    GrantId,
    RequestBody,
    ResponseBody,
    TenantId,
    TenantName,
    TenantType,
)
from xero_service.domain import AuditAction, Availability
from xero_service.services.connect.tenants import TenantChoice, TenantOptions


class AuthorizationStart(ResponseBody):
    """Where to send the browser."""

    authorization_url: str = Field(
        description="Xero's consent page, for this attempt only: navigate there.",
        examples=[examples.AUTHORIZATION_URL],
    )
    expires_at: datetime = Field(
        description="When the attempt ends, ten minutes after its start (UTC).",
        examples=[examples.ATTEMPT_EXPIRES_AT],
    )


class Tenant(ResponseBody):
    """A Xero organisation that a consent of this org reached."""

    tenant_id: TenantId
    tenant_name: TenantName
    tenant_type: TenantType
    just_authorised: bool = Field(
        description="Whether the newest consent reached it.", examples=[True]
    )
    availability: Availability = Field(
        description="`available`; `bound_here`: this org has it already; `unavailable`: it is "
        "connected elsewhere.",
        examples=["available"],
    )
    binding_id: UUID | None = Field(
        description="This org's binding of it; null unless `bound_here`.",
        examples=[None, examples.BINDING],
    )

    @classmethod
    def of(cls, choice: TenantChoice) -> Self:
        """Return the JSON of one tenant."""
        return cls(
            tenant_id=choice.connection.tenant_id,
            tenant_name=choice.connection.tenant_name,
            tenant_type=choice.connection.tenant_type,
            just_authorised=choice.just_authorised,
            availability=choice.availability,
            binding_id=choice.binding_id,
        )


class TenantList(ResponseBody):
    """What can be chosen with a grant."""

    grant_id: GrantId
    tenants: list[Tenant] = Field(description="Each organisation once.")

    @classmethod
    def of(cls, choices: TenantOptions) -> Self:
        """Return the JSON of a grant's tenants."""
        return cls(grant_id=choices.grant_id, tenants=[Tenant.of(each) for each in choices.tenants])


class TenantSelection(RequestBody):
    """Which tenant to bind, through which grant."""

    grant_id: UUID = Field(
        description="As the callback gave it in the landing address.", examples=[examples.GRANT]
    )
    # Printable, because PostgreSQL stores neither NUL nor a lone surrogate.
    tenant_id: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[!-~]+$",
        description="One of those that `GET /tenants/list` answered.",
        examples=[examples.TENANT],
    )


class DisconnectRequest(RequestBody):
    """Which binding to end."""

    tenant_binding_id: UUID = Field(
        description="The `id` of the binding.", examples=[examples.BINDING]
    )


class DisconnectAnswer(ResponseBody):
    """What ended here, and how far it has come at Xero."""

    binding: Binding = Field(description="The binding, now `revoked`.")
    grant_revoked: bool = Field(
        description="Whether the grant ends too, because no other binding rests on it.",
        examples=[True],
    )
    remote_cleanup: Literal["done", "pending", "impossible"] = Field(
        description="At Xero: `done`; `pending`: repeated until Xero answers; `impossible`: Xero "
        "no longer honours the grant, so there is nothing to end.",
        examples=["done"],
    )


class RefreshError(ResponseBody):
    """Why one binding's tokens could not be renewed, or what its check found."""

    binding_id: BindingId
    error: str = Field(
        description="A stable code; `tenant_lost`: Xero no longer gives the grant access to the "
        "organisation, and an admin must connect it again.",
        examples=["xero_unavailable", "tenant_lost"],
    )


class RefreshAnswer(ResponseBody):
    """What a refresh of the org's tokens did."""

    success: bool = Field(description="Whether `errors` is empty.", examples=[True])
    has_active_bindings: bool = Field(
        description="Whether the org has any binding that can be used.", examples=[True]
    )
    refreshed_count: int = Field(
        description="How many bindings have new tokens; 0 where none was due.", examples=[0]
    )
    errors: list[RefreshError] = Field(
        description="One entry for each binding whose tokens could not be renewed, or that was "
        "lost or could not be checked.",
        examples=[[]],
    )


class RefreshRequest(RequestBody):
    """What to do beside the refresh."""

    check: bool = Field(
        default=False,
        strict=True,
        description="Whether Xero is also asked which organisations the org's grants still reach; "
        "each grant is checked at most once a minute.",
        examples=[True],
    )


def _integer(value: object) -> object:
    """Return 300.0 as the integer that it is by JSON Schema (validation, section 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class TokenRequest(RequestBody):
    """What a service needs of the token."""

    min_validity_seconds: Annotated[int, BeforeValidator(_integer)] = Field(
        default=0,
        ge=0,
        le=1500,
        strict=True,
        description="Seconds that the token must still live; it is renewed where it has fewer.",
        examples=[300],
    )


class IssuedToken(ResponseBody):
    """A live access token; send it with `tenantId` as the header `xero-tenant-id`."""

    access_token: str = Field(
        description="For the header `Authorization: Bearer …` of calls to Xero.",
        examples=["eyJhbGciOi…"],
    )
    token_type: Literal["Bearer"] = Field(
        default="Bearer", description="How the token is sent.", examples=["Bearer"]
    )
    expires_at: datetime = Field(
        description="When Xero stops taking it (UTC); ask for another one then.",
        examples=[examples.ACCESS_TOKEN_EXPIRES_AT],
    )
    tenant_id: TenantId
    binding_id: BindingId


class ActivityEvent(ResponseBody):
    """One thing that happened."""

    id: int = Field(description="Of this event.", examples=[1042])
    occurred_at: datetime = Field(description="When (UTC).", examples=[examples.CONNECTED_AT])
    actor_kind: Literal["user", "service", "system"] = Field(
        description="A person, a service key, or this service by itself.", examples=["user"]
    )
    actor_id: str = Field(
        description="The person's or the key's id, or the name of what acted by itself.",
        examples=[examples.USER],
    )
    # Also any text, because a newer replica may record actions that this one does not know.
    action: AuditAction | str = Field(
        description="What was done: a stable code. Newer versions may add codes.",
        examples=["binding.selected"],
    )
    outcome: str = Field(
        description="How it went: `ok`, or a stable code of why not.", examples=["ok"]
    )
    binding_id: UUID | None = Field(
        description="The binding, if it is about one.", examples=[examples.BINDING]
    )
    grant_id: UUID | None = Field(
        description="The grant, if it is about one.", examples=[examples.GRANT]
    )
    tenant_id: str | None = Field(
        description="The organisation at Xero, if it is about one.", examples=[examples.TENANT]
    )
    request_id: str | None = Field(
        description="The request that caused it, as its `X-Request-Id` said; null without one.",
        examples=[examples.REQUEST_ID],
    )
    source: str | None = Field(
        description="The address that the request came from; null without one.",
        examples=["192.0.2.10"],
    )
    detail: dict[str, str | int | bool | None] = Field(
        description="What else is known, by name; the names depend on `action`.",
        examples=[{"created": True}],
    )


class ActivityPage(ResponseBody):
    """Some events; `next` is the cursor of older ones, or null at the end."""

    events: list[ActivityEvent] = Field(description="The newest first.")
    next: int | None = Field(
        description="Send it as `after` for older events; null at the end.", examples=[1042]
    )
