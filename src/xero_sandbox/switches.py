"""The switches: behaviour of Xero that is not documented, and its limits, set by tests."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from xero_sandbox.json_model import JsonModel


class Switches(JsonModel):
    """The switches with their defaults; each default is the more likely behaviour of Xero."""

    grace_replay: Literal["new_set", "same_set"] = "new_set"
    reconsent: Literal["supersedes", "supersedes_at_consent", "keeps"] = "supersedes"
    reuse_after_grace: Literal["fails", "kills_family"] = "fails"
    reconnect_id: Literal["reused", "new"] = "reused"
    jwt_after_revoke: Literal["accepted", "rejected"] = "accepted"
    error_keys: Literal["pascal", "lower"] = "pascal"
    error_body: Literal["json", "accepted", "empty"] = "json"
    error_encoding: Literal["none", "accepted", "br"] = "none"
    delete_unknown: Literal[403, 404] = 404
    delete_foreign: Literal[403, 404] = 403
    disconnect_in_xero: Literal["keeps_grant", "kills_grant"] = "keeps_grant"
    list_lost_access: bool = True
    null_tenant_names: bool = False
    null_auth_event_ids: bool = False
    shuffle_connections: bool = False
    odd_connections: Literal["none", "first_without_tenant", "each_twice"] = "none"
    expires_in: Literal["number", "float", "text", "padded_text", "null", "absent"] = "number"
    strict_scope_encoding: bool = False
    broad_scopes: bool = False  # the app was created before 2026-03-02 (facts §6)
    broad_scopes_end: datetime = datetime(2027, 9, 13, tzinfo=UTC)  # by the sandbox's clock
    bulk_connect: bool = False
    connection_cap: int | None = None
    rate_limits: bool = True
    minute_limit: int = 60
    day_limit: int = 5000
    app_minute_limit: int = 10_000
    concurrent_limit: int = 5
    claim_skew_seconds: int = 0
    cheap_tokens: bool = False
    webhook_retries: Literal["in_order", "independent"] = "in_order"
    webhook_repeat: bool = False
    webhook_skip: bool = False
    webhook_batch_limit: int = Field(default=100, ge=1)

    def change(self, changes: dict[str, Any]) -> None:
        """Set switches by their camelCase names: all of them, or none if one is invalid."""
        self._assign(Switches.model_validate({**self.model_dump(by_alias=True), **changes}))

    def reset(self) -> None:
        """Set every switch to its default."""
        self._assign(Switches())

    def _assign(self, other: "Switches") -> None:
        for name, value in other:
            setattr(self, name, value)
