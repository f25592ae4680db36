"""Configuration of logging: every record is redacted and written to standard error."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from pydantic_core import to_json

from xero_service.telemetry.access_log import ACCESS
from xero_service.telemetry.redaction import redact


def logger(name: str) -> Any:
    """Return a structured logger."""
    return structlog.stdlib.get_logger(name)


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
