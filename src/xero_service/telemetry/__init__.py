"""What the service tells its operators: logs, which redact secrets, and metrics."""

from xero_service.telemetry.access_log import ACCESS as ACCESS
from xero_service.telemetry.access_log import AccessLog as AccessLog
from xero_service.telemetry.logging import configure_logging as configure_logging
from xero_service.telemetry.logging import logger as logger
from xero_service.telemetry.metrics import Metrics as Metrics
from xero_service.telemetry.redaction import REDACTED as REDACTED
from xero_service.telemetry.redaction import redact as redact
from xero_service.telemetry.redaction import scrub as scrub
