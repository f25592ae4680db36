"""FastAPI dependencies: the sandbox's state, the request's journal entry and its form."""

from typing import Annotated

from fastapi import Depends, Request

from xero_sandbox.journal import JournalEntry
from xero_sandbox.middleware import ENTRY, FORM
from xero_sandbox.state import SandboxState


# Async although they await nothing, because FastAPI runs a plain function in a thread.
async def _sandbox(request: Request) -> SandboxState:
    sandbox = request.app.state.sandbox
    assert isinstance(sandbox, SandboxState)  # noqa: S101
    return sandbox


async def _entry(request: Request) -> JournalEntry:
    entry = request.scope[ENTRY]
    assert isinstance(entry, JournalEntry)  # noqa: S101
    return entry


async def _form(request: Request) -> dict[str, str]:
    form: dict[str, str] = request.scope[FORM]
    return form


SandboxDep = Annotated[SandboxState, Depends(_sandbox)]
EntryDep = Annotated[JournalEntry, Depends(_entry)]
FormDep = Annotated[dict[str, str], Depends(_form)]
