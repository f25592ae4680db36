"""The registry of injected faults: which requests each one affects, and how often."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from xero_sandbox.journal import covers
from xero_sandbox.json_model import JsonModel

When = Literal["before", "after"]
FaultName = Literal[
    "timeout",
    "drop",
    "500",
    "502",
    "503",
    "html403",
    "429",
    "slow",
    "drip",
    "malformed_json",
    "missing_refresh_token",
    "extra_fields",
    "changed_fields",
    "wrong_user",
    "mixed_users",
    "changed_id_token",
    "forged_id_token",
    "invalid_client",
    "hold",
]
_NEEDS_AN_ANSWER = frozenset(
    {"missing_refresh_token", "extra_fields", "changed_fields", "wrong_user", "mixed_users"}
    | {"changed_id_token", "forged_id_token", "drip"}
)


class FaultOrder(JsonModel):
    """The description of a fault; with `times: null` it lasts until it is removed.

    `slow` delays the response by `seconds`; `drip` sends its body in pieces over `seconds`.
    `changes` applies to `changed_fields` (fields of the JSON body) and to `changed_id_token`
    (claims); null removes a field or claim. `wrong_user` puts another user's access token and
    id_token into the response, `mixed_users` only another user's access token.
    """

    kind: str = Field(
        description="The requests affected: a kind of the journal, or a family such as `token`.",
        examples=["token.refresh"],
    )
    fault: FaultName = Field(description="The kind of fault.", examples=["503"])
    when: When = Field(
        default="before",
        description="Whether it strikes before or after the request changes state.",
        examples=["before"],
    )
    times: int | None = Field(
        default=1,
        ge=1,
        description="The number of requests; null: until it is removed.",
        examples=[1],
    )
    seconds: float = Field(
        default=30.0,
        ge=0,
        description="The duration of `slow`, `drip` and `timeout`.",
        examples=[30],
    )
    retry_after: int | None = Field(
        default=None,
        description="The value of the header `Retry-After`, in seconds.",
        examples=[22],
    )
    xero_user_id: str | None = Field(
        default=None,
        description="Only requests with a token of this user, by key or id; null: any user.",
        examples=["xero-user-1"],
    )
    changes: dict[str, Any] = Field(
        default_factory=dict,
        description="Fields to change in the response; null removes a field.",
        examples=[{}],
    )

    @model_validator(mode="after")
    def _response_faults_are_injected_after(self) -> Self:
        if self.fault in _NEEDS_AN_ANSWER and self.when == "before":
            raise ValueError(f'{self.fault} changes a real response, so its "when" is "after"')
        return self


@dataclass
class Fault:
    """An injected fault with its counters."""

    id: int
    order: FaultOrder
    left: int | None
    struck: int = 0
    holding: int = 0
    released: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def to_json(self) -> dict[str, object]:
        """Return the fault as the control routes return it."""
        return {
            "id": self.id,
            **self.order.model_dump(by_alias=True),
            "left": self.left,
            "struck": self.struck,
            "holding": self.holding,
            "released": self.released,
        }

    async def hold(self) -> None:
        """Block a request until the fault is released."""
        async with self.changed:
            self.holding += 1
            self.changed.notify_all()
            try:
                await self.changed.wait_for(lambda: self.released)
            finally:
                self.holding -= 1

    async def release(self) -> None:
        """Resume the held requests; the fault holds no further ones."""
        async with self.changed:
            self.released = True
            self.changed.notify_all()

    async def wait_for(self, count: int, *, timeout_seconds: float) -> bool:
        """Wait until `count` requests are held; False after `timeout_seconds`."""
        try:
            async with asyncio.timeout(timeout_seconds), self.changed:
                await self.changed.wait_for(lambda: self.holding >= count)
        except TimeoutError:
            return False
        return True


class Faults:
    """The injected faults, in order of injection."""

    def __init__(self) -> None:
        self._serial = 0
        self._faults: dict[int, Fault] = {}

    @property
    def all(self) -> list[Fault]:
        """Every fault since the last reset, used-up ones too."""
        return list(self._faults.values())

    def add(self, order: FaultOrder) -> Fault:
        """Register a fault."""
        self._serial += 1
        fault = Fault(self._serial, order, order.times)
        self._faults[fault.id] = fault
        return fault

    def find(self, fault_id: int) -> Fault | None:
        """Return the fault with this id, or None."""
        return self._faults.get(fault_id)

    def claim(self, kind: str, when: When, xero_user_id: str | None) -> Fault | None:
        """Return the first fault that applies to this request and count it, or None."""
        for fault in self._faults.values():
            order = fault.order
            if order.when != when or fault.left == 0 or fault.released:
                continue
            if not covers(order.kind, kind) or order.xero_user_id not in (None, xero_user_id):
                continue
            fault.struck += 1
            fault.left = None if fault.left is None else fault.left - 1
            return fault
        return None

    async def clear(self) -> None:
        """Remove every fault and resume all held requests."""
        for fault in self._faults.values():
            await fault.release()
        self._faults.clear()
