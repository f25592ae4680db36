"""Requests by service key, so that an operator sees which one sends the most."""

from prometheus_client import CollectorRegistry, Counter

from xero_service.telemetry.outcomes import ANSWERED, outcome_of

KEYS_AT_MOST = 100
OTHER = "other"


class KeyRequests:
    """Counts the requests of the first hundred keys of this process; the rest are `other`.

    Only a key whose secret was right is counted: callers cannot create label values.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metric."""
        self._total = Counter(
            "xero_service_service_key_requests_total",
            "Requests by service key and outcome; the first 100 keys of a process, then `other`.",
            ["key", "outcome"],
            registry=registry,
        )
        self._counters: dict[str, dict[str, Counter]] = {}
        self._of(OTHER)

    def answered(self, key_id: str, status: int) -> None:
        """Count a request of this key."""
        self._of(key_id)[outcome_of(status)].inc()

    def _of(self, key_id: str) -> dict[str, Counter]:
        if key_id not in self._counters:
            if len(self._counters) > KEYS_AT_MOST:
                return self._counters[OTHER]
            self._counters[key_id] = {
                outcome: self._total.labels(key_id, outcome) for outcome in ANSWERED
            }
        return self._counters[key_id]
