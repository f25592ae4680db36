"""Makes every attempt to connect expire now: `python -m demo.expire_attempts`.

For browser tests inside `demo.around`: the database's clock decides when an attempt expires.
"""

import asyncio
import os

from xero_service.store.connections import Connector


async def expire_attempts(database_url: str) -> None:
    """Set the expiry of every attempt to now, and change nothing else."""
    connection = await Connector.to(database_url).connect()
    try:
        await connection.execute("UPDATE verification_tokens SET expires = now()")
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(expire_attempts(os.environ["STACK_DATABASE_URL"]))
