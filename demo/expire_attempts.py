"""Let the ten minutes of every attempt to connect pass: `python -m demo.expire_attempts`.

For the browser's tests, inside `demo.around`: an attempt's time is the database's alone.
"""

import asyncio
import os

from xero_service.store.connections import Connector


async def expire_attempts(database_url: str) -> None:
    """End the time of every attempt; what else they hold stays."""
    connection = await Connector.to(database_url).connect()
    try:
        await connection.execute("UPDATE verification_tokens SET expires = now()")
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(expire_attempts(os.environ["STACK_DATABASE_URL"]))
