"""How a route reaches the sandbox's state and its own journal entry."""

from typing import Annotated

from fastapi import Depends, Request

from xero_sandbox.gate import ENTRY
from xero_sandbox.journal import Entry
from xero_sandbox.world import World


def _world(request: Request) -> World:
    world = request.app.state.world
    assert isinstance(world, World)  # noqa: S101
    return world


def _entry(request: Request) -> Entry:
    entry = request.scope[ENTRY]
    assert isinstance(entry, Entry)  # noqa: S101
    return entry


WorldDep = Annotated[World, Depends(_world)]
EntryDep = Annotated[Entry, Depends(_entry)]
