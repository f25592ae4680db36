"""`xero-service restored`: what to do after the database was restored from a backup."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer

from xero_service.cli.options import AsJson
from xero_service.cli.output import print_json, print_table, record
from xero_service.cli.session import operator, with_services
from xero_service.cli.time_args import ago
from xero_service.services.restore import RestoreReport
from xero_service.store.audit import Recorded

_KEY = ("id", "name", "org_id", "scopes", "created_at", "expires_at", "last_used_at")


def restored(
    since: Annotated[
        datetime,
        typer.Option(
            "--from",
            parser=ago,
            metavar="WHEN",
            help="List what changed since: `7d`, `12h`, or a time such as 2026-11-01T09:30.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Save what a restored database can still save, and list what has to be checked.

    Run it as soon as the database answers again, before the service is started if you can: Xero
    accepts a refresh token that it has replaced for 30 minutes.

    It holds verdicts, so that no grant ends and nobody is asked to connect again, and renews every
    active grant. The service does the same by itself where it notices the restore; this command
    then renews what is left. Repeating it is harmless.

    Then it lists the service keys, bindings and orgs that changed since the time given, as far as
    the record of the restored database reaches. What happened after that is unknown: a key that
    was revoked is valid again, a binding that was suspended or disconnected is back. So it lists
    all valid keys, to be compared with your own records.

    Exit code 1: some grants were refused and are held, or Xero was not reached. Once nothing more
    can be saved, `xero-service grants release-verdicts` lets refused grants end.
    """
    report = with_services(lambda services: services.restore.restored(operator(), since=since))
    if as_json:
        print_json([_to_record(report, since)])
    else:
        _print(report, since)
    if not report.is_complete:
        raise typer.Exit(1)


def _to_record(report: RestoreReport, since: datetime) -> dict[str, object]:
    return {
        **record(report.hold, "held_since", "reason"),
        **record(report.progress, "saved", "refused", "unreachable"),
        "from": since,
        "recordReachesTo": report.reaches_to,
        "keys": [
            _change(event) | {"keyId": event.detail.get("keyId"), "name": event.detail.get("name")}
            for event in _of_keys(report)
        ],
        "bindings": [
            _change(event) | record(event, "binding_id", "tenant_id")
            for event in _of_bindings(report)
        ],
        "orgs": _orgs(report),
        "validKeys": [record(key, *_KEY) for key in report.valid_keys],
    }


def _print(report: RestoreReport, since: datetime) -> None:
    progress = report.progress
    typer.echo(
        f"Grants: {progress.saved} saved, {progress.refused} refused by Xero and held,"
        f" {progress.unreachable} not renewed yet; upkeep goes on with these."
    )
    if report.hold.held_since is not None:
        typer.echo(
            f"Verdicts are held since {_at(report.hold.held_since)} UTC. When nothing more can be"
            " saved: xero-service grants release-verdicts"
        )
    reaches_to = f"{_at(report.reaches_to)} UTC" if report.reaches_to else "no time: it is empty"
    typer.echo(f"\nThe record of this database reaches to {reaches_to}.")
    typer.echo(
        "What happened after that is unknown. A key that was revoked is valid again; a binding that"
        " was\nsuspended or disconnected is back; what was made is gone."
    )
    typer.echo(f"\nChanged since {_at(since)} UTC, in {len(_orgs(report))} orgs:")
    print_table(
        ("When", "Org", "What", "Key or binding"),
        (
            (
                _at(event.occurred_at),
                event.org_id or "all",
                event.action,
                str(event.detail.get("name") or event.binding_id or ""),
            )
            for event in report.changes
        ),
        if_empty="Nothing that is on record.",
    )
    typer.echo("\nValid keys; revoke each that should not be: xero-service keys revoke KEY")
    print_table(
        ("Id", "Name", "Org", "Last used"),
        (
            (
                str(key.id),
                key.name,
                key.org_id or "all",
                _at(key.last_used_at) if key.last_used_at else "never",
            )
            for key in report.valid_keys
        ),
        if_empty="There are no valid keys.",
    )


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"


def _of_keys(report: RestoreReport) -> Iterable[Recorded]:
    return (event for event in report.changes if event.action.startswith("key."))


def _of_bindings(report: RestoreReport) -> Iterable[Recorded]:
    return (event for event in report.changes if event.binding_id is not None)


def _orgs(report: RestoreReport) -> list[str]:
    return sorted({event.org_id for event in report.changes if event.org_id is not None})


def _change(event: Recorded) -> dict[str, object]:
    return record(event, "occurred_at", "org_id", "actor_kind", "actor_id", "action", "outcome")
