"""JSON schemas of a binding, and the bases and fields that all schemas share."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from xero_service.api import examples
from xero_service.domain import BindingStatus, HealthState
from xero_service.services.bindings import BindingView, OrgBindings

# Fields of several schemas, each with its description and example.
BindingId = Annotated[
    UUID,
    Field(
        description="The binding: one Xero organisation linked to one org.",
        examples=[examples.BINDING],
    ),
]
GrantId = Annotated[
    UUID,
    Field(
        description="The grant: one Xero user's consent, on which bindings rest.",
        examples=[examples.GRANT],
    ),
]
TenantId = Annotated[
    str, Field(description="The organisation, by Xero's `tenantId`.", examples=[examples.TENANT])
]
TenantName = Annotated[
    str,
    Field(description="The organisation's name at Xero.", examples=[examples.TENANT_NAME]),
]
TenantType = Annotated[
    str,
    Field(
        description="`ORGANISATION`, the only type that can be bound; else Xero's own word.",
        examples=["ORGANISATION"],
    ),
]


class ResponseBody(BaseModel):
    """Base of the JSON that the service sends: camelCase names, read from values of the domain."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class RequestBody(BaseModel):
    """Base of the JSON that a caller sends: camelCase names, unknown fields are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class ConnectedBy(ResponseBody):
    """Who of this org consented, and as whom at Xero."""

    user_id: str = Field(
        description="Who was signed in, by the session token's `sub`.", examples=[examples.USER]
    )
    xero_name: str | None = Field(
        description="Their name at Xero; null where Xero did not say.",
        examples=["Acme bookkeeper"],
    )
    xero_email: str | None = Field(
        description="Their e-mail address at Xero; null where Xero did not say.",
        examples=["acme.bookkeeper@example.com"],
    )


class Health(ResponseBody):
    """How a binding's tokens do; times are UTC."""

    state: HealthState = Field(
        description="`healthy`; `expiring`: the refresh token is older than 45 days; `retrying`: "
        "the last refresh failed and is repeated; `needs_reauth`: only an admin can help; "
        "`disconnected`: the binding has ended.",
        examples=["healthy"],
    )
    access_token_expires_at: datetime | None = Field(
        description="When the access token ends, 30 minutes after its issue; null without one.",
        examples=[examples.ACCESS_TOKEN_EXPIRES_AT],
    )
    refresh_token_expires_at: datetime | None = Field(
        description="When the refresh token ends unless it is used, 60 days after its issue; "
        "null without one.",
        examples=[examples.REFRESH_TOKEN_EXPIRES_AT],
    )
    last_refreshed_at: datetime | None = Field(
        description="When the tokens were last renewed or first issued; null without any.",
        examples=[examples.REFRESHED_AT],
    )
    last_error: str | None = Field(
        description="A stable code of why the last refresh failed; null where it did not.",
        examples=[None, "xero_unavailable"],
    )


class Limits(ResponseBody):
    """What Xero last said is left of its limits for this organisation; null where unknown."""

    day_remaining: int | None = Field(
        description="Calls left of Xero's day, of 5,000 or what the app's plan has.",
        examples=[4973],
    )
    minute_remaining: int | None = Field(
        description="Calls left of the current minute, of 60.", examples=[58]
    )


class Permissions(ResponseBody):
    """What the Xero user consented to, by the names of Xero's scopes."""

    granted: list[str] = Field(
        description="The scopes of the grant, in Xero's order; empty once `revoked`.",
        examples=[examples.SCOPES],
    )
    missing: list[str] = Field(
        description="The scopes that this service is set up to ask for and that the grant lacks; "
        "an admin who connects again grants them. What is granted works meanwhile.",
        examples=[[], ["accounting.payments.read"]],
    )


class Binding(ResponseBody):
    """One Xero organisation linked to this org; times are UTC."""

    id: BindingId
    tenant_id: TenantId
    tenant_name: TenantName
    tenant_type: TenantType
    status: BindingStatus = Field(
        description="`active`; `suspended`: an operator switched it off; `needs_reauth`: an admin "
        "must connect again; `revoked`: it was disconnected.",
        examples=["active"],
    )
    grant_id: GrantId
    connected_by: ConnectedBy | None = Field(
        description="This org's own consent to the grant; null where there is none any more."
    )
    created_at: datetime = Field(
        description="When the organisation was first bound.", examples=[examples.CONNECTED_AT]
    )
    updated_at: datetime = Field(
        description="When the binding last changed.", examples=[examples.CONNECTED_AT]
    )
    last_used_at: datetime | None = Field(
        description="When a service last used its grant, to the minute; null before the first.",
        examples=[examples.USED_AT],
    )
    last_checked_at: datetime | None = Field(
        description="When Xero was last asked whether the grant still reaches the organisation; "
        "null where it was not asked since the binding last changed.",
        examples=[examples.CHECKED_AT],
    )
    permissions: Permissions = Field(description="What the consent covers.")
    health: Health = Field(description="How its tokens do.")
    limits: Limits = Field(description="What is left of Xero's rate limits.")

    @classmethod
    def of(cls, view: BindingView) -> Self:
        """Return the JSON of a binding as its org sees it."""
        binding = view.binding
        return cls(
            id=binding.id,
            tenant_id=binding.tenant_id,
            tenant_name=binding.tenant_name,
            tenant_type=binding.tenant_type,
            status=binding.status,
            grant_id=binding.grant_id,
            connected_by=view.connected_by and ConnectedBy.model_validate(view.connected_by),
            created_at=binding.created_at,
            updated_at=binding.updated_at,
            last_used_at=view.last_used_at,
            last_checked_at=binding.last_checked_at,
            permissions=Permissions.model_validate(view.permissions),
            health=Health.model_validate(view.health),
            limits=Limits.model_validate(view.limits),
        )


class PendingConsent(ResponseBody):
    """A consent of the caller's own from which no organisation was chosen yet."""

    grant_id: GrantId
    authorised_at: datetime = Field(
        description="When the caller consented (UTC).", examples=[examples.CONNECTED_AT]
    )


class BindingList(ResponseBody):
    """An org's bindings."""

    bindings: list[Binding] = Field(description="The oldest first.")
    has_active_bindings: bool = Field(
        description="Whether any binding of the org is active, listed here or not.",
        examples=[True],
    )
    pending: PendingConsent | None = Field(
        description="The caller's newest consent from which an organisation is still to be chosen, "
        "with `GET /tenants/list`; null where nothing is left to choose, and for service keys.",
        examples=[None, {"grantId": examples.GRANT, "authorisedAt": examples.CONNECTED_AT}],
    )

    @classmethod
    def of(cls, found: OrgBindings) -> Self:
        """Return the JSON of an org's bindings."""
        return cls(
            bindings=[Binding.of(view) for view in found.views],
            has_active_bindings=found.has_active,
            pending=found.pending and PendingConsent.model_validate(found.pending),
        )
