"""The places where a process may die at the worst moment; all of them, by name.

In production each is an empty call. A test that wants to see what a crash leaves behind replaces
`reached` in a process of its own, kills it there, and looks at the database and at Xero.
"""

from enum import StrEnum


class Place(StrEnum):
    """One step between two things that a crash could tear apart."""

    REFRESH_CLAIMED = "refresh: the intent is committed, nothing was sent"
    REFRESH_ANSWERED = "refresh: Xero rotated, the new set is in memory only"
    REFRESH_SAVED = "refresh: the new set is committed, nobody has seen it"
    REFRESH_REFUSED = "refresh: Xero said invalid_grant, nothing is marked"
    ATTEMPT_CONSUMED = "callback: the attempt is used up, the code was not sent"
    EXCHANGE_TURN_TAKEN = "callback: the turn to exchange is taken"
    EXCHANGE_ANSWERED = "callback: Xero issued a set, it is in memory only"
    EXCHANGE_SAVED = "callback: the new set is committed, its reach is unknown"
    REACH_RECORDED = "callback: what the consent reached is committed"
    BINDING_COMMITTED = "select: the binding is committed, the caller has no answer"
    DISCONNECT_COMMITTED = "disconnect: ended here, nothing was sent to Xero"
    REVOCATION_ANSWERED = "disconnect: Xero revoked, the tokens are still stored"
    DELETION_ANSWERED = "disconnect: Xero deleted the connection, it is still owed here"
    CLEANUP_COMMITTED = "disconnect: done at Xero and here, the leases are still held"


def reached(place: Place) -> None:
    """Do nothing: a process that lives passes by."""
