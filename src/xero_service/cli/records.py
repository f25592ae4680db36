"""`xero-service audit | encryption`: what happened, and which key seals it."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from xero_service.cli.moments import ago
from xero_service.cli.session import with_services
from xero_service.cli.showing import plain, print_table
from xero_service.services.rewrapping import Rewrapped
from xero_service.store.audit import Recorded
from xero_service.wiring import Services

audit = typer.Typer(help="What happened: append-only.")
encryption = typer.Typer(no_args_is_help=True, help="The key that seals stored secrets.")


@audit.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    org: Annotated[str | None, typer.Option(help="Only this org.")] = None,
    since: Annotated[
        str | None, typer.Option(help="`7d`, `12h`, or a date such as 2026-11-01.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show audit events, oldest first."""
    if context.invoked_subcommand:
        return
    began = ago(since) if since else None
    events = with_services(
        lambda services: services.activity.since(org_id=org, since=began, limit=limit)
    )
    if as_json:
        for event in events:
            typer.echo(json.dumps(dataclasses.asdict(event), default=str))
        return
    columns = ("When", "Org", "Who", "What", "Outcome", "Binding")
    print_table(columns, map(_row, events), width=220)


@audit.command()
def prune(
    before: Annotated[str, typer.Option(help="`400d`, or a date; a year at least is kept.")],
) -> None:
    """Delete events older than the retention; those of the last 365 days always stay."""
    cutoff = ago(before)
    if cutoff > datetime.now(UTC) - timedelta(days=365):
        raise typer.BadParameter("A year of events must be kept; give 365d or more.")
    deleted = with_services(lambda services: services.activity.delete_before(cutoff))
    typer.echo(f"Deleted {deleted} events.")


@encryption.command()
def rewrap() -> None:
    """Seal every stored secret with ENCRYPTION_KEY, so that an older key can be retired.

    First let every replica read the new key (in ENCRYPTION_KEY_PREVIOUS), then write with it (in
    ENCRYPTION_KEY, the old one in ENCRYPTION_KEY_PREVIOUS), then run this, then remove the old one;
    SECURITY.md has the steps. It can be stopped and run again at any time.

    What no key opens is named, and the exit code is 1: keep the old key until that is settled.
    """

    from rich.console import Console  # here, because whoever serves would start later for it
    from rich.progress import Progress

    async def work(services: Services) -> Rewrapped:
        total = await services.rewrapping.count()
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Rewrapping", total=total)
            return await services.rewrapping.run(lambda done: progress.advance(task, done))

    done = with_services(work)
    typer.echo(f"Sealed {done.sealed} secrets anew.")
    for place in done.unreadable:
        typer.echo(plain(f"No key opens {place}."), err=True)
    if done.unreadable:
        raise typer.Exit(1)


def _row(event: Recorded) -> tuple[str, ...]:
    return (
        f"{event.occurred_at:%Y-%m-%d %H:%M:%S}",
        event.org_id or "",
        f"{event.actor_kind} {event.actor_id}",
        event.action,
        event.outcome,
        str(event.binding_id or ""),
    )
