"""How a route reaches the sandbox's state and its own journal entry."""

from typing import Annotated

from fastapi import Depends, Request

from xero_sandbox.gate import ENTRY, FORM
from xero_sandbox.journal import Entry
from xero_sandbox.world import World


# Async, though nothing is awaited: FastAPI would run a plain function in a thread.
async def _world(request: Request) -> World:
    world = request.app.state.world
    assert isinstance(world, World)  # noqa: S101
    return world


async def _entry(request: Request) -> Entry:
    entry = request.scope[ENTRY]
    assert isinstance(entry, Entry)  # noqa: S101
    return entry


async def _form(request: Request) -> dict[str, str]:
    form: dict[str, str] = request.scope[FORM]
    return form


WorldDep = Annotated[World, Depends(_world)]
EntryDep = Annotated[Entry, Depends(_entry)]
FormDep = Annotated[dict[str, str], Depends(_form)]
