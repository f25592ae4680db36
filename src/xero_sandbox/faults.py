"""Faults a test arranges: what goes wrong, for whom, before or after the change of state."""

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
    """A fault as a test orders it; `times` of null lasts until it is removed.

    `slow` waits before it answers, `drip` sends its answer bit by bit, both over `seconds`.
    `changes` are for `changed_fields` (of the JSON answer) and `changed_id_token` (its claims);
    a null removes. `wrong_user` puts another user's access token and id_token into the answer,
    `mixed_users` only another's access token.
    """

    kind: str = Field(
        description="Which requests: a kind of the journal, or a family of kinds such as `token`.",
        examples=["token.refresh"],
    )
    fault: FaultName = Field(description="What goes wrong.", examples=["503"])
    when: When = Field(
        default="before",
        description="Whether before or after the request changed anything.",
        examples=["before"],
    )
    times: int | None = Field(
        default=1, ge=1, description="How many requests; null: until it is removed.", examples=[1]
    )
    seconds: float = Field(
        default=30.0, ge=0, description="How long `slow`, `drip` and `timeout` take.", examples=[30]
    )
    retry_after: int | None = Field(
        default=None, description="Seconds for the header `Retry-After`.", examples=[22]
    )
    xero_user_id: str | None = Field(
        default=None,
        description="Only requests with a token of this user, by key or id; null: of anybody.",
        examples=["xero-user-1"],
    )
    changes: dict[str, Any] = Field(
        default_factory=dict,
        description="Fields to change in the answer; null removes one.",
        examples=[{}],
    )

    @model_validator(mode="after")
    def _has_something_to_change(self) -> Self:
        if self.fault in _NEEDS_AN_ANSWER and self.when == "before":
            raise ValueError(f'{self.fault} changes a real answer, so its "when" is "after"')
        return self


@dataclass
class Fault:
    """An order at work."""

    id: int
    order: FaultOrder
    left: int | None
    struck: int = 0
    holding: int = 0
    released: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def to_json(self) -> dict[str, object]:
        """Return the fault as the control routes show it."""
        return {
            "id": self.id,
            **self.order.model_dump(by_alias=True),
            "left": self.left,
            "struck": self.struck,
            "holding": self.holding,
            "released": self.released,
        }

    async def hold(self) -> None:
        """Keep a request here until the fault is released."""
        async with self.changed:
            self.holding += 1
            self.changed.notify_all()
            try:
                await self.changed.wait_for(lambda: self.released)
            finally:
                self.holding -= 1

    async def release(self) -> None:
        """Let the held requests go, and hold no further ones."""
        async with self.changed:
            self.released = True
            self.changed.notify_all()

    async def wait_for(self, count: int, *, timeout_seconds: float) -> bool:
        """Wait until so many requests are held; False when time ran out first."""
        try:
            async with asyncio.timeout(timeout_seconds), self.changed:
                await self.changed.wait_for(lambda: self.holding >= count)
        except TimeoutError:
            return False
        return True


class Faults:
    """The faults at work, in the order they were arranged."""

    def __init__(self) -> None:
        self._serial = 0
        self._faults: dict[int, Fault] = {}

    @property
    def all(self) -> list[Fault]:
        """Every fault arranged since the last reset, spent ones too."""
        return list(self._faults.values())

    def add(self, order: FaultOrder) -> Fault:
        """Put a fault in place."""
        self._serial += 1
        fault = Fault(self._serial, order, order.times)
        self._faults[fault.id] = fault
        return fault

    def find(self, fault_id: int) -> Fault | None:
        """Return a fault by its id."""
        return self._faults.get(fault_id)

    def claim(self, kind: str, when: When, xero_user_id: str | None) -> Fault | None:
        """Return the first fault that strikes this request, and count it."""
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
        """Remove every fault and let all held requests go."""
        for fault in self._faults.values():
            await fault.release()
        self._faults.clear()
