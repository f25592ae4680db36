"""The access log: one record for each request."""

import logging
from datetime import UTC, datetime

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
