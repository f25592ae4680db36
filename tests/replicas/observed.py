"""A replica that also tells what it holds: `observed.py serve …` answers `/inside`."""

import asyncio
import gc
import json
from pathlib import Path
from typing import Any

import psutil
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xero_service import app as module
from xero_service.__main__ import main
from xero_service.wiring import Services


class Inside:
    """Stands in front of the application and looks into it."""

    def __init__(self, app: ASGIApp, services: Any) -> None:
        self.app, self.services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/inside":
            answer = Response(json.dumps(look(self.services())), media_type="application/json")
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


def look(services: Services) -> dict[str, int]:
    """What the process holds after it threw away what nobody needs."""
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "background": len(services.tokens.refresher.background),
        "flights": len(services.tokens.flights._flights),
        "files": len(list(Path("/dev/fd").iterdir())) - _callers(),
        "objects": len(gc.get_objects()),
        "memory": psutil.Process().memory_info().rss,
    }


def _callers() -> int:
    """How many connections others keep open to this process."""
    tcp = psutil.Process().net_connections("tcp")
    ports = {each.laddr.port for each in tcp if each.status == psutil.CONN_LISTEN}
    return sum(each.laddr.port in ports and each.status != psutil.CONN_LISTEN for each in tcp)


def with_a_window(settings: Any, **options: Any) -> Any:
    built = create_app(settings, **options)
    return Inside(built, lambda: built.state.services)


create_app = module.create_app

if __name__ == "__main__":
    module.create_app = with_a_window
    main()
