"""Metrics of the calls to Xero, by area: which requests are sent, and their outcomes."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram

from xero_service.telemetry.buckets import SECONDS
from xero_service.telemetry.outcomes import ANSWERED

AREAS = ("token", "connections", "revocation", "signing_keys", "api")
OUTCOMES = (
    *ANSWERED,
    "unreachable",  # not sent
    "no_answer",  # sent, and no whole response came
    "unreadable",  # too long, or not to be decoded
    "abandoned",  # this side or its caller ended the call
)
LIMITS = ("minute", "day", "concurrent", "appminute")


class XeroCalls:
    """Counts and times the calls to Xero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics, with every value of their labels."""
        total = Counter(
            "xero_service_xero_calls_total",
            "Calls to Xero by area and outcome.",
            ["area", "outcome"],
            registry=registry,
        )
        seconds = Histogram(
            "xero_service_xero_call_duration_seconds",
            "Time until Xero's response was there: its head for area=api, else the whole.",
            ["area"],
            buckets=SECONDS,
            registry=registry,
        )
        limited = Counter(
            "xero_service_xero_rate_limited_total",
            "Responses 429 of Xero by the limit that was reached.",
            ["limit"],
            registry=registry,
        )
        for limit in (*LIMITS, "other"):
            limited.labels(limit)
        self._areas = {
            area: AreaCalls(
                {outcome: total.labels(area, outcome) for outcome in OUTCOMES},
                seconds.labels(area),
                limited,
            )
            for area in AREAS
        }

    def of(self, area: str) -> "AreaCalls":
        """Return the metrics of one area."""
        return self._areas[area]


class AreaCalls:
    """Counts and times the calls of one area."""

    def __init__(
        self, outcomes: Mapping[str, Counter], seconds: Histogram, limited: Counter
    ) -> None:
        """`outcomes`: a counter for each, `limited`: the counter of 429 of all areas."""
        self._outcomes, self._seconds, self._limited = outcomes, seconds, limited

    def ended(self, outcome: str, seconds: float) -> None:
        """Count a call and the time that it took."""
        self._outcomes[outcome].inc()
        self._seconds.observe(seconds)

    def rate_limited(self, problem: str | None) -> None:
        """Count a 429; `problem`: the header X-Rate-Limit-Problem."""
        limit = (problem or "").strip().lower()
        self._limited.labels(limit if limit in LIMITS else "other").inc()
