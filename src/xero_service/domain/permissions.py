"""Permissions: the Xero scopes that a grant has, and the configured ones that it lacks."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permissions:
    """The scopes of a grant, and those of `XERO_SCOPES` that it lacks, both in their own order."""

    granted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, granted: Sequence[str], required: Sequence[str]) -> "Permissions":
        """Compare a grant's scopes with the configured ones, name by name.

        A broad scope does not count as the granular ones that it was split into: it serves until
        Xero ends it, and only a new consent grants the granular ones (facts §6). A grant whose
        scopes Xero did not state lacks none.
        """
        missing = [scope for scope in required if granted and scope not in granted]
        return cls(tuple(granted), tuple(missing))
