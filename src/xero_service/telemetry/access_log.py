"""The access log: one record for each request."""

import logging
from datetime import UTC, datetime

from xero_service.telemetry.request_record import RequestRecord

ACCESS = "access"  # the attribute of an access log record that holds its fields


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
        source: str | None,
        record: RequestRecord,
        cut_by: str | None = None,
    ) -> None:
        """Log a finished request; `cut_by`: the side that aborted its response, if any.

        `source`: the client's address. Fields without a value are left out.
        """
        if not self._logger.isEnabledFor(logging.INFO):
            return
        entry = logging.LogRecord(self._logger.name, logging.INFO, "", 0, "request", (), None)
        fields: dict[str, str | int | float] = {
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": milliseconds,
            "event": "request",
            "request_id": request_id,
            "level": "info",
            "logger": self._logger.name,
            "timestamp": datetime.fromtimestamp(entry.created, UTC).isoformat()[:-6] + "Z",
        }
        fields |= {
            name: value
            for name, value in (
                ("source", source),
                ("caller", record.caller),
                ("org", record.org),
                ("binding", record.binding),
                ("upstream_status", record.upstream_status),
                ("upstream_milliseconds", _milliseconds(record.upstream_seconds)),
                ("cut_by", cut_by and str(cut_by)),
            )
            if value is not None
        }
        entry.__dict__[ACCESS] = fields
        self._logger.handle(entry)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
