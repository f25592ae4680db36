"""`xero-service audit | encryption`: what happened, and which key seals it."""

from dataclasses import fields
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from xero_service.cli.options import AsJson, Org
from xero_service.cli.output import plain, print_json, print_table, record
from xero_service.cli.session import with_services
from xero_service.cli.time_args import ago, beyond_retention
from xero_service.errors import IntegrationError
from xero_service.services.key_rotation import Rewrapped
from xero_service.store.audit import Recorded
from xero_service.wiring import Services

audit = typer.Typer(help="What happened: append-only.")
_FIELDS = tuple(each.name for each in fields(Recorded))
encryption = typer.Typer(no_args_is_help=True, help="The key that seals stored secrets.")


@audit.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    org: Org = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=ago, metavar="WHEN", help="`7d`, `12h`, or a date such as 2026-11-01."),
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = 200,
    as_json: AsJson = False,
) -> None:
    """Show audit events, oldest first."""
    if context.invoked_subcommand:
        return
    events = with_services(
        lambda services: services.activity.since(org_id=org, since=since, limit=limit)
    )
    if as_json:
        print_json(record(event, *_FIELDS) for event in events)
        return
    columns = ("When", "Org", "Who", "What", "Outcome", "Binding")
    print_table(
        columns,
        map(_row, events),
        if_empty="Nothing of that kind happened; leave out --org or --since to see more.",
        width=220,
    )


@audit.command()
def prune(
    before: Annotated[
        datetime | None,
        typer.Option(
            parser=beyond_retention,
            metavar="WHEN",
            help="`400d`, or a date; else what AUDIT_RETENTION_DAYS says.",
        ),
    ] = None,
) -> None:
    """Delete events older than the retention; those of the last 365 days always stay.

    Upkeep does the same by AUDIT_RETENTION_DAYS. It deletes in steps: stopped, it has kept what it
    did, and can be run again at any time.
    """

    async def work(services: Services) -> int:
        steps = (
            services.activity.prune_before(before)
            if before
            else services.activity.prune(services.settings.audit_retention)
        )
        deleted = 0
        try:
            async for step in steps:
                deleted += step
        except IntegrationError:
            typer.echo(f"Deleted {deleted} events before it was cut short; run it again.", err=True)
            raise
        return deleted

    typer.echo(f"Deleted {with_services(work)} events.")


@encryption.command()
def rewrap() -> None:
    """Seal every stored secret with ENCRYPTION_KEY, so that an older key can be retired.

    First let every replica read the new key (in ENCRYPTION_KEY_PREVIOUS), then write with it (in
    ENCRYPTION_KEY, the old one in ENCRYPTION_KEY_PREVIOUS), then run this, then remove the old one;
    SECURITY.md has the steps. It can be stopped and run again at any time.

    What no key opens is named, and the exit code is 1: keep the old key until that is settled.
    """

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
