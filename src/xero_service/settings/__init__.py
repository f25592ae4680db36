"""The configuration: read from the environment or `.env`, checked together, then frozen.

`.env.example` lists the variables.
"""

from xero_service.settings.model import DatabaseSettings, Settings, load, load_database
from xero_service.settings.values import parse_key

__all__ = ["DatabaseSettings", "Settings", "load", "load_database", "parse_key"]
