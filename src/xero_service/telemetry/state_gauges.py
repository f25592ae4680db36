"""The gauges of state: every replica reads the same values from the database."""

from prometheus_client import CollectorRegistry

from xero_service.domain import BindingStatus, GrantStatus, HoldReason
from xero_service.telemetry.gauges import LabelledStateGauge, StateGauge


class StateGauges:
    """One attribute for each gauge; NaN until the database was read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the gauges."""
        self.grants = LabelledStateGauge(
            "xero_service_grants",
            "Grants by status; those that a later consent superseded are revoked.",
            "status",
            tuple(GrantStatus),
        )
        self.retrying = StateGauge(
            "xero_service_grants_retrying", "Active grants whose last refresh failed."
        )
        self.held = StateGauge(
            "xero_service_grants_held",
            "Active grants that Xero refuses and that are not ended while verdicts are held.",
        )
        self.hold = LabelledStateGauge(
            "xero_service_verdict_hold",
            "1 while verdicts are held for this reason, until an operator releases them.",
            "reason",
            tuple(HoldReason),
        )
        self.oldest_refresh_token = StateGauge(
            "xero_service_refresh_token_oldest_age_seconds",
            "Age of the oldest refresh token of an active grant; Xero ends it after 60 days.",
        )
        self.bindings = LabelledStateGauge(
            "xero_service_bindings",
            "Bindings by status.",
            "status",
            tuple(BindingStatus),
        )
        self.cleanups = StateGauge(
            "xero_service_remote_cleanups_owed",
            "Disconnects that Xero has not confirmed, at the last look.",
        )
        self.oldest_cleanup = StateGauge(
            "xero_service_remote_cleanups_oldest_age_seconds",
            "Age of the oldest disconnect that Xero has not confirmed; 0 without one.",
        )
        self.keys = StateGauge(
            "xero_service_service_keys", "Service keys that are neither revoked nor expired."
        )
        self.expiring_keys = StateGauge(
            "xero_service_service_keys_expiring", "Of these, the ones that expire within 14 days."
        )
        self.limits = LabelledStateGauge(
            "xero_service_xero_limit_remaining",
            "Calls that Xero still allows the tenant that has the fewest left; NaN if unknown.",
            "window",
            ("day", "minute"),
        )
        self.oldest_undelivered = StateGauge(
            "xero_service_webhook_oldest_undelivered_seconds",
            "Age of the oldest event that an enabled endpoint has not acknowledged; 0: none.",
        )
        self.notices_failing = StateGauge(
            "xero_service_notices_failing",
            "Mails to people whose last attempt failed and that will be tried again.",
        )
        self.read_at = StateGauge(
            "xero_service_state_read_timestamp_seconds",
            "When these gauges of state were last read from the database.",
        )
        for gauge in vars(self).values():
            registry.register(gauge)
