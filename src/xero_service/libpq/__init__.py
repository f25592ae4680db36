"""Connection strings as libpq documents them (PostgreSQL 18, §32.1), for another driver.

`read` turns a URL into a `Target`, or names every part of it that cannot be honoured.
"""

from xero_service.libpq.target import Host, Target, read

__all__ = ["Host", "Target", "read"]
