"""Logging, which redacts secrets in every record, and the metrics of the service."""

import logging
import math
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pydantic_core import to_json

from xero_service.errors import (
    CiphertextUnreadable,
    ExternalAPIError,
    RateLimitError,
    XeroMisconfigured,
)

REDACTED = "[redacted]"
ACCESS = "access"  # the attribute of an access log record that holds its fields
_SECRET_NAME = re.compile(
    r"token(?!_type|_url)|secret|password|authorization|cookie|verifier|nonce|^code$|^state$|_enc$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"eyJ[\w-]+\.[\w-]*\.?[\w-]*"  # JWTs: Xero's and the session's
    r"|xsk_[\w-]+"  # service keys
    # Only what looks unlike a word: "Basic authentication failed" stays.
    r"|\b(?i:bearer|basic)\s+(?=\S*[\d=+/_~]|\S*[a-z][A-Z]|\S{24})[\w.~+/=-]+"
    r"|postgres(?:ql)?(?:\+asyncpg)?://[^\s'\"]+"
    # 40 characters or more with letters and digits: refresh tokens, states and keys.
    r"|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9_-]{40,}"
)
_SECRET_PARAMETER = re.compile(
    r"(?i)\b(code|state|nonce|token|access_token|refresh_token|id_token|client_secret"
    r"|code_verifier|password)=[^&\s]+"
)
_SECRET_MEMBER = re.compile(
    r"(?i)(['\"](?:access_token|refresh_token|id_token|client_secret|code_verifier|password"
    r"|accessToken|refreshToken)['\"]\s*:\s*)(?:\"[^\"]*\"|'[^']*')"
)


def scrub(text: str) -> str:
    """Return the text with everything that looks like a secret redacted."""
    text = _SECRET_PARAMETER.sub(rf"\1={REDACTED}", _SECRET_VALUE.sub(REDACTED, text))
    return _SECRET_MEMBER.sub(rf"\1{REDACTED}", text)


def _clean(value: Any, name: str = "") -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    if name and _SECRET_NAME.search(name):
        return REDACTED
    if name == "request_id":
        return value  # chosen by the caller; its form is checked when the request arrives
    if isinstance(value, Mapping):
        return {str(key): _clean(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return scrub(str(value))


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Clean every field of a record, exception texts included."""
    return {name: _clean(value, name) for name, value in event.items()}


def _one_line(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters, so that no value can forge a second record (ASVS 16.4.1).

    A traceback becomes a field like others: the renderer would give it lines of its own.
    """
    return {
        _FIELDS.get(name, name): value.encode("unicode_escape").decode()
        if _is_unsafe(value)
        else value
        for name, value in event.items()
    }


_FIELDS = {"exception": "traceback", "stack": "called_from"}


def _is_unsafe(value: Any) -> bool:
    return isinstance(value, str) and not value.isprintable()


def configure_logging(*, level: str, form: str) -> None:
    """Send every record, the libraries' too, through redaction to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: list[Any] = (
        [structlog.processors.JSONRenderer()]
        if form == "json"
        else [_one_line, structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # At INFO these log the whole URL of each request.
    for noisy in ("aiohttp", "asyncio", "httpx", "sqlalchemy", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for server in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(server).handlers = []
        logging.getLogger(server).propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(_is_no_aborted_response)


def _is_no_aborted_response(record: logging.LogRecord) -> bool:
    """Return False for uvicorn's error about a response aborted on purpose: it is in the log."""
    return record.msg != "ASGI callable returned without completing response."


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders records; those of the access log are complete and skip the processors."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        event: Any = record.__dict__.get(ACCESS)
        if event is None:
            return super().format(record)
        if isinstance(self.processors[1], structlog.processors.JSONRenderer):
            return to_json(event).decode()  # the renderer's output in a tenth of the time
        for render in self.processors[1:]:
            event = render(None, "info", event)
        return str(event)


class AccessLog:
    """Writes one record per request without the processors, which cost more than the request.

    No field can contain a secret: a request id that the caller chose is scrubbed before.
    """

    def __init__(self) -> None:
        """Write to the logger `xero_service.access`."""
        self._logger = logging.getLogger("xero_service.access")

    def write(
        self,
        *,
        method: str,
        route: str,
        status: int,
        milliseconds: float,
        request_id: str,
        cut_by: str | None = None,
    ) -> None:
        """Log a finished request; `cut_by`: the side that aborted its response, if any."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        record = logging.LogRecord(self._logger.name, logging.INFO, "", 0, "request", (), None)
        record.__dict__[ACCESS] = {
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": milliseconds,
            "event": "request",
            "request_id": request_id,
            "level": "info",
            "logger": self._logger.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat()[:-6] + "Z",
        }
        if cut_by is not None:
            record.__dict__[ACCESS]["cut_by"] = str(cut_by)
        self._logger.handle(record)


def logger(name: str) -> Any:
    """Return a structured logger."""
    return structlog.stdlib.get_logger(name)


Alarm: TypeAlias = Literal["invalid_client", "ciphertext"]
REFRESH_OUTCOMES = (
    "rotated",
    "overtaken",
    "invalid_grant",
    "refused_early",
    "late",
    *(
        error.code
        for error in (ExternalAPIError, RateLimitError, XeroMisconfigured, CiphertextUnreadable)
    ),
)
UPKEEP_WORK = ("cleanups", "refresh", "reconcile", "unused")


class Metrics:
    """The metrics of this process, or the sums of all workers of one `serve`.

    Counters with known label values start at 0: `increase()` misses a counter that appears at 1.
    """

    def __init__(self, workers: Collector | None = None) -> None:
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
        self.pending_cleanups = StateGauge(
            "xero_service_remote_cleanups_owed",
            "Disconnects that Xero has not confirmed, at the last look.",
        )
        self._exposed.register(self.pending_cleanups)
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
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for kind in get_args(Alarm):
            self.alarms.labels(kind)
        for refresh_outcome in REFRESH_OUTCOMES:
            self.refreshes.labels(refresh_outcome)
        for step in UPKEEP_WORK:
            for outcome in ("done", "failed"):
                self.upkeep_items.labels(step, outcome)

    def alarm(self, kind: Alarm) -> None:
        """Count a fault that an operator must look at."""
        self.alarms.labels(kind).inc()

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

    def render(self) -> bytes:
        """Return the text exposition."""
        return generate_latest(self._exposed)


class StateGauge(Collector):
    """A gauge whose value is read from the database, and NaN until the first read."""

    def __init__(self, name: str, documentation: str) -> None:
        """Take the metric's name and help text."""
        self._name, self._documentation = name, documentation
        self._value = math.nan

    def set(self, value: float) -> None:
        """Set the value that was read."""
        self._value = value

    def collect(self) -> Iterator[Metric]:
        """Yield the gauge."""
        yield GaugeMetricFamily(self._name, self._documentation, value=self._value)
