"""`xero-service audit`: show events of the audit log, and delete old ones."""

from dataclasses import fields
from datetime import datetime
from typing import Annotated

import typer

from xero_service.cli.options import AsJson, Org
from xero_service.cli.output import print_json, print_table, record
from xero_service.cli.session import with_services
from xero_service.cli.time_args import ago, beyond_retention
from xero_service.errors import IntegrationError
from xero_service.store.audit import Recorded
from xero_service.wiring import Services

app = typer.Typer(help="What happened: append-only.")
_FIELDS = tuple(each.name for each in fields(Recorded))


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    org: Org = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=ago, metavar="WHEN", help="`7d`, `12h`, or a date such as 2026-11-01."),
    ] = None,
    limit: Annotated[
        int, typer.Option(help="At most so many, the newest.", min=1, max=1_000_000)
    ] = 200,
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


@app.command()
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


def _row(event: Recorded) -> tuple[str, ...]:
    return (
        f"{event.occurred_at:%Y-%m-%d %H:%M:%S}",
        event.org_id or "",
        f"{event.actor_kind} {event.actor_id}",
        event.action,
        event.outcome,
        str(event.binding_id or ""),
    )
