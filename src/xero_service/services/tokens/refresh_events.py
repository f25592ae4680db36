"""The audit events of refreshes."""

from dataclasses import replace

from xero_service.domain import SYSTEM, AuditAction, AuditEvent, Grant


def success_event(grant: Grant) -> AuditEvent:
    """Return the event of a refresh, with the number of failures that it ended."""
    detail = {"afterFailures": grant.refresh_failures} if grant.refresh_failures else {}
    return _event(grant, AuditAction.GRANT_REFRESHED, "ok", **detail)


def failure_event(grant: Grant, outcome: str, org_id: str | None = None) -> AuditEvent:
    """Return the event of a failed refresh for an org, by default the grant's."""
    event = _event(grant, AuditAction.GRANT_REFRESH_FAILED, outcome)
    return replace(event, org_id=org_id) if org_id else event


def _event(grant: Grant, action: AuditAction, outcome: str, **detail: int) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=action,
        outcome=outcome,
        org_id=grant.org_id,
        grant_id=grant.id,
        detail={"generation": grant.generation, **detail},
    )
