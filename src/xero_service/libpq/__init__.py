"""Parses libpq connection strings (PostgreSQL 18, §32.1) for asyncpg.

`read` returns the `Target` of a URL, or raises an error that names every unsupported parameter.
"""

from xero_service.libpq.target import Host, Target, read

__all__ = ["Host", "Target", "read"]
