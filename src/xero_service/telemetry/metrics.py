"""The metrics of the service."""

from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)

from xero_service.domain import EventKind
from xero_service.domain.verdicts import VERDICT_HELD
from xero_service.errors import (
    CiphertextUnreadable,
    ExternalAPIError,
    RateLimitError,
    XeroMisconfigured,
)
from xero_service.telemetry.buckets import SECONDS
from xero_service.telemetry.database_pools import DatabasePools
from xero_service.telemetry.gauges import BuildInfo
from xero_service.telemetry.key_requests import KeyRequests
from xero_service.telemetry.logging import logger
from xero_service.telemetry.processes import CpuTime, Processes, this_process
from xero_service.telemetry.state_gauges import StateGauges
from xero_service.telemetry.worker_metrics import AllWorkers
from xero_service.telemetry.xero_calls import XeroCalls

Alarm: TypeAlias = Literal["invalid_client", "ciphertext", "verdicts_held", "database_restored"]
REFRESH_OUTCOMES = (
    "rotated",
    "overtaken",
    "invalid_grant",
    VERDICT_HELD,
    "refused_early",
    "late",
    *(
        error.code
        for error in (ExternalAPIError, RateLimitError, XeroMisconfigured, CiphertextUnreadable)
    ),
)
OF_XERO = "xero"  # the label of all kinds of Xero's webhooks, which have no fixed list
XERO_EVENT_OUTCOMES = ("stored", "repeated", "unbound")
DELIVERY_OUTCOMES = ("delivered", "failed", "parked")
NOTICE_OUTCOMES = ("sent", "failed", "given_up", "withheld")
UPKEEP_WORK = ("cleanups", "refresh", "reconcile", "unused", "notices")


class Metrics:
    """The metrics of this process, or the sums of all workers of one `serve`.

    Counters with known label values start at 0: `increase()` misses a counter that appears at 1.
    """

    def __init__(self, workers: AllWorkers | None = None) -> None:
        """Register every metric; `workers`: the collector of all workers' values."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # half of all series
        self.registry = CollectorRegistry()
        self._exposed = self.registry if workers is None else CollectorRegistry()
        if workers is not None:
            self._exposed.register(workers)
        self.requests = Counter(
            "xero_service_http_requests_total",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "xero_service_http_request_seconds",
            "Time to answer.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._kinds: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.cut = Counter(
            "xero_service_http_answers_cut_total",
            "Answers that began and broke off, by what ended them.",
            ["by"],
            registry=self.registry,
        )
        for by in ("caller", "xero", "service"):
            self.cut.labels(by)
        self.refreshes = Counter(
            "xero_service_refreshes_total",
            "Refresh attempts by how they ended.",
            ["outcome"],
            registry=self.registry,
        )
        self.alarms = Counter(
            "xero_service_operator_alarms_total",
            "Faults that an operator must look at.",
            ["kind"],
            registry=self.registry,
        )
        self.refresh_seconds = Histogram(
            "xero_service_refresh_duration_seconds",
            "Time from sending a refresh token until the outcome was saved.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.loop_lag = Histogram(
            "xero_service_event_loop_lag_seconds",
            "How late the event loop resumed a task that slept; four samples a second.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.xero = XeroCalls(self.registry)
        self.pools = DatabasePools(self.registry)
        self.cpu = CpuTime(self.registry)
        self.keys = KeyRequests(self.registry)
        self.state = StateGauges(self._exposed)
        self._exposed.register(BuildInfo())
        self._exposed.register(Processes(this_process if workers is None else workers.pids))
        self.upkeep_items = Counter(
            "xero_service_upkeep_items_total",
            "What upkeep worked on, by step and outcome.",
            ["step", "outcome"],
            registry=self.registry,
        )
        self.upkeep_finished = Gauge(
            "xero_service_upkeep_step_finished_timestamp_seconds",
            "When a step of upkeep last came to its end here.",
            ["step"],
            registry=self.registry,
            multiprocess_mode="max",
        )
        self.events = Counter(
            "xero_service_events_written_total",
            "Events for other systems, by kind; those of Xero's webhooks together.",
            ["kind"],
            registry=self.registry,
        )
        self.xero_events = Counter(
            "xero_service_xero_webhook_events_total",
            "Events in Xero's webhooks: stored, received before, or of a tenant that is not bound.",
            ["outcome"],
            registry=self.registry,
        )
        self.xero_gaps = Counter(
            "xero_service_xero_webhook_gaps_total",
            "Gaps in the sequence numbers of Xero's webhooks.",
            registry=self.registry,
        )
        self.deliveries = Counter(
            "xero_service_webhook_deliveries_total",
            "Attempts to deliver an event to an endpoint, by outcome; parked: the last one failed.",
            ["outcome"],
            registry=self.registry,
        )
        self.notices = Counter(
            "xero_service_notices_total",
            "Mail to people about bindings, by outcome; withheld: its recipient wants none, or has"
            " no address.",
            ["outcome"],
            registry=self.registry,
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for kind in get_args(Alarm):
            self.alarms.labels(kind)
        for refresh_outcome in REFRESH_OUTCOMES:
            self.refreshes.labels(refresh_outcome)
        for event_kind in (*EventKind, OF_XERO):
            self.events.labels(event_kind)
        for webhook_outcome in XERO_EVENT_OUTCOMES:
            self.xero_events.labels(webhook_outcome)
        for outcome in DELIVERY_OUTCOMES:
            self.deliveries.labels(outcome)
        for notice_outcome in NOTICE_OUTCOMES:
            self.notices.labels(notice_outcome)
        for step in UPKEEP_WORK:
            for outcome in ("done", "failed"):
                self.upkeep_items.labels(step, outcome)

    def events_written(self, kinds: Iterable[str]) -> None:
        """Count committed events."""
        for kind in kinds:
            self.events.labels(kind if kind in set(EventKind) else OF_XERO).inc()

    def alarm(self, kind: Alarm) -> None:
        """Count a fault that an operator must look at."""
        self.alarms.labels(kind).inc()

    def expect(self, method: str, route: str, statuses: Iterable[int]) -> None:
        """Create the series of a route that may answer with these statuses."""
        self.latency.labels(route)
        for status in statuses:
            self.requests.labels(method, route, status)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request and the time that it took."""
        kind = (method, route, status)
        if kind not in self._kinds:  # cached: `labels` takes longer than counting
            self._kinds[kind] = self.requests.labels(*kind), self.latency.labels(route)
        requests, latency = self._kinds[kind]
        requests.inc()
        latency.observe(seconds)

    def ciphertext_unreadable(self, context: str) -> None:
        """Count and log a stored secret that does not open; `context` is its row and column."""
        self.alarm("ciphertext")
        logger(__name__).error("a stored secret does not open", where=context)

    def collect(self) -> Iterable[Metric]:
        """Return every metric with its series."""
        return self._exposed.collect()

    def render(self) -> bytes:
        """Return the text exposition."""
        return generate_latest(self._exposed)
