"""The JSON that travels: camelCase, and no field that was not documented."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from xero_service.domain import Availability, BindingStatus, HealthState
from xero_service.services.activity import Page
from xero_service.services.bindings import BindingView
from xero_service.services.tenants import Choices, TenantChoice


class Answer(BaseModel):
    """What the service says."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Body(BaseModel):
    """What a caller sends; unknown fields are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class ConnectedBy(Answer):
    """Who of this org consented, and as whom at Xero."""

    user_id: str = Field(examples=["user_2abc"])
    xero_name: str | None = Field(examples=["Acme bookkeeper"])
    xero_email: str | None = Field(examples=["acme.bookkeeper@example.com"])


class Health(Answer):
    """How a binding's tokens do."""

    state: HealthState
    access_token_expires_at: datetime | None
    refresh_token_expires_at: datetime | None
    last_refreshed_at: datetime | None
    last_error: str | None = Field(description="A stable code, or null.", examples=[None])


class Limits(Answer):
    """What Xero last said is left of its limits for this organisation; null where unknown."""

    day_remaining: int | None = Field(description="Calls of Xero's day.", examples=[4973])
    minute_remaining: int | None = Field(description="Calls of this minute.", examples=[58])


class Binding(Answer):
    """One Xero organisation linked to this org."""

    id: UUID
    tenant_id: str = Field(examples=["20000000-0000-4000-8000-000000000001"])
    tenant_name: str = Field(examples=["Acme Trading Ltd"])
    tenant_type: str = Field(examples=["ORGANISATION"])
    status: BindingStatus
    grant_id: UUID
    connected_by: ConnectedBy | None
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None
    health: Health
    limits: Limits

    @classmethod
    def of(cls, view: BindingView) -> Self:
        """Shape a binding as its org sees it."""
        binding, consenter, health = view.binding, view.connected_by, view.health
        return cls(
            id=binding.id,
            tenant_id=binding.tenant_id,
            tenant_name=binding.tenant_name,
            tenant_type=binding.tenant_type,
            status=binding.status,
            grant_id=binding.grant_id,
            connected_by=consenter
            and ConnectedBy(
                user_id=consenter.user_id,
                xero_name=consenter.xero_name,
                xero_email=consenter.xero_email,
            ),
            created_at=binding.created_at,
            updated_at=binding.updated_at,
            last_used_at=view.last_used_at,
            health=Health(
                state=health.state,
                access_token_expires_at=health.access_token_expires_at,
                refresh_token_expires_at=health.refresh_token_expires_at,
                last_refreshed_at=health.last_refreshed_at,
                last_error=health.last_error,
            ),
            limits=Limits(
                day_remaining=view.limits.day_remaining,
                minute_remaining=view.limits.minute_remaining,
            ),
        )


class BindingList(Answer):
    """An org's bindings."""

    bindings: list[Binding]
    has_active_bindings: bool


class AuthorizationStart(Answer):
    """Where to send the browser."""

    authorization_url: str = Field(
        examples=["https://login.xero.com/identity/connect/authorize?response_type=code&…"]
    )
    expires_at: datetime


class Tenant(Answer):
    """A Xero organisation that a consent of this org reached."""

    tenant_id: str = Field(examples=["20000000-0000-4000-8000-000000000001"])
    tenant_name: str = Field(examples=["Acme Trading Ltd"])
    tenant_type: str = Field(examples=["ORGANISATION"])
    just_authorised: bool
    availability: Availability
    binding_id: UUID | None

    @classmethod
    def of(cls, choice: TenantChoice) -> Self:
        """Shape one choice."""
        return cls(
            tenant_id=choice.connection.tenant_id,
            tenant_name=choice.connection.tenant_name,
            tenant_type=choice.connection.tenant_type,
            just_authorised=choice.just_authorised,
            availability=choice.availability,
            binding_id=choice.binding_id,
        )


class TenantList(Answer):
    """What can be chosen with a grant."""

    grant_id: UUID
    tenants: list[Tenant]

    @classmethod
    def of(cls, choices: Choices) -> Self:
        """Shape the choices."""
        return cls(grant_id=choices.grant_id, tenants=[Tenant.of(each) for each in choices.tenants])


class TenantSelection(Body):
    """Which tenant to bind, through which grant."""

    grant_id: UUID
    # Printable: what no database stores (NUL, a lone surrogate) is no id.
    tenant_id: str = Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")


class DisconnectRequest(Body):
    """Which binding to end."""

    tenant_binding_id: UUID


class DisconnectAnswer(Answer):
    """What ended here, and how far it has come at Xero."""

    binding: Binding
    grant_revoked: bool
    remote_cleanup: Literal["done", "pending", "impossible"]


class RefreshError(Answer):
    """Why one binding's tokens could not be renewed."""

    binding_id: UUID
    error: str = Field(description="A stable code.", examples=["xero_unavailable"])


class RefreshAnswer(Answer):
    """What a refresh of the org's tokens did."""

    success: bool
    has_active_bindings: bool
    refreshed_count: int
    errors: list[RefreshError]


class Nothing(Body):
    """No fields: a body may be sent, but nothing can be asked for in it."""


def _whole(value: object) -> object:
    """Take 300.0 for the integer that it is in JSON Schema (validation, section 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class TokenRequest(Body):
    """What a service needs of the token."""

    min_validity_seconds: Annotated[int, BeforeValidator(_whole)] = Field(
        default=0,
        ge=0,
        le=1500,
        strict=True,
        description="The token lives at least this long.",
        examples=[300],
    )


class IssuedToken(Answer):
    """A live access token; send it with `tenantId` as the header `xero-tenant-id`."""

    access_token: str = Field(examples=["eyJhbGciOi…"])
    token_type: Literal["Bearer"] = "Bearer"
    expires_at: datetime
    tenant_id: str
    binding_id: UUID


class ActivityEvent(Answer):
    """One thing that happened."""

    id: int
    occurred_at: datetime
    actor_kind: Literal["user", "service", "system"]
    actor_id: str
    action: str = Field(examples=["binding.selected"])
    outcome: str = Field(examples=["ok"])
    binding_id: UUID | None
    grant_id: UUID | None
    tenant_id: str | None
    request_id: str | None
    source: str | None
    detail: dict[str, str | int | bool | None]


class ActivityPage(Answer):
    """Some events; `next` is the cursor of older ones, or null at the end."""

    events: list[ActivityEvent]
    next: int | None

    @classmethod
    def of(cls, page: Page) -> Self:
        """Shape a page."""
        return cls(
            events=[
                ActivityEvent.model_validate(each, from_attributes=True) for each in page.events
            ],
            next=page.next,
        )
