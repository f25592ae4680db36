"""Failpoints: the places, by name, at which tests kill a process.

In production `reached` does nothing. A crash test replaces it in a process of its own, kills that
process there, and checks the state of the database and of Xero.
"""

from enum import StrEnum


class Place(StrEnum):
    """A point between two effects of which a crash may leave only the first."""

    REFRESH_CLAIMED = "refresh: the intent is committed, nothing was sent"
    REFRESH_ANSWERED = "refresh: Xero rotated, the new set is in memory only"
    REFRESH_SAVED = "refresh: the new set is committed, no caller has it"
    REFRESH_REFUSED = "refresh: Xero said invalid_grant, nothing is marked"
    ATTEMPT_CONSUMED = "callback: the attempt is used up, the code was not sent"
    EXCHANGE_LEASE_CLAIMED = "callback: the exchange lease is claimed"
    EXCHANGE_ANSWERED = "callback: Xero issued a set, it is in memory only"
    EXCHANGE_SAVED = "callback: the new set is committed, its reach is unknown"
    REACH_RECORDED = "callback: what the consent reached is committed"
    BINDING_COMMITTED = "select: the binding is committed, the caller has no answer"
    DISCONNECT_COMMITTED = "disconnect: ended here, nothing was sent to Xero"
    REVOCATION_ANSWERED = "disconnect: Xero revoked, the tokens are still stored"
    DELETION_ANSWERED = "disconnect: Xero deleted the connection, the cleanup is still pending here"
    CLEANUP_COMMITTED = "disconnect: done at Xero and here, the leases are still held"

    EVENTS_ADDED = "a change and its events are written, not committed"
    EVENTS_COMMITTED = "a change and its events are committed; nothing else followed"
    DELIVERY_CLAIMED = "delivery: the attempt is committed, nothing was sent"
    DELIVERY_ANSWERED = "delivery: the endpoint answered, nothing is recorded"
    DELIVERY_RECORDED = "delivery: the outcome is committed"

    NOTICE_CLAIMED = "notice: the attempt is committed, nothing was sent"
    NOTICE_ACCEPTED = "notice: the mail server accepted the mail, nothing is recorded"


def reached(place: Place) -> None:
    """Do nothing, except in a crash test."""
