"""`xero-service keys`: create, list and revoke the credentials of internal services."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from xero_service.cli.options import AsJson, key_name, org_id
from xero_service.cli.output import plain, print_json, print_table, record
from xero_service.cli.session import operator, with_services
from xero_service.cli.time_args import ahead
from xero_service.domain import Scope, ServiceKey

SCOPES = ", ".join(f"`{scope.value}`" for scope in Scope)
_FIELDS = (
    *("id", "name", "org_id", "scopes"),
    *("created_at", "expires_at", "revoked_at", "last_used_at"),
)
app = typer.Typer(no_args_is_help=True, help="Credentials of internal services.")


@app.command()
def create(
    name: Annotated[
        str,
        typer.Option(parser=key_name, metavar="TEXT", help="What the service is called."),
    ],
    scope: Annotated[list[str], typer.Option(help=f"What it may do; repeat: {SCOPES}.")],
    org: Annotated[
        str | None, typer.Option(parser=org_id, metavar="ID", help="The one org that it acts for.")
    ] = None,
    all_orgs: Annotated[
        bool, typer.Option("--all-orgs", help="It names an org in X-Org-Id with each call.")
    ] = False,
    expires: Annotated[
        datetime | None,
        typer.Option(
            parser=ahead,
            metavar="WHEN",
            help="When it ends: `90d`, `12h`, or a date such as 2027-01-31.",
        ),
    ] = None,
) -> None:
    """Make a key and print it, this once.

    To rotate a key make a second one, give it to the service, and revoke the first.

    Example: `xero-service keys create --name billing --org org_2abc --scope tokens:read`
    """
    if (org is None) is not all_orgs:
        raise typer.BadParameter("Give either --org ID or --all-orgs.")
    created = with_services(
        lambda services: services.keys.create(
            operator(), name=name, org_id=org, scopes=scope, expires_at=expires
        )
    )
    typer.echo(
        plain(f"Key {created.key.id} for {_scope_of_orgs(created.key)}. It is shown this once:"),
        err=True,
    )
    typer.echo(created.secret)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List all keys, without their secrets."""
    keys = with_services(lambda services: services.keys.all())
    if as_json:
        print_json(record(key, *_FIELDS) | {"state": _state(key)} for key in keys)
        return
    print_table(
        ("Id", "Name", "Org", "Scopes", "State", "Last used"),
        (
            (
                str(key.id),
                key.name,
                key.org_id or "all",
                " ".join(sorted(key.scopes)),
                _state_column(key),
                f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
            )
            for key in keys
        ),
        if_empty="There are no keys yet. Make one: xero-service keys create --help",
    )


@app.command()
def revoke(key_id: Annotated[UUID, typer.Argument(help="As `keys list` shows it.")]) -> None:
    """Revoke a key, on every replica at once."""
    key = with_services(lambda services: services.keys.revoke(operator(), key_id))
    typer.echo(plain(f"Key {key.id} ({key.name}) is revoked."))


def _scope_of_orgs(key: ServiceKey) -> str:
    return f"org {key.org_id}" if key.org_id else "all orgs"


def _state(key: ServiceKey) -> str:
    if key.revoked_at:
        return "revoked"
    return "valid" if key.is_valid else "expired"


def _state_column(key: ServiceKey) -> str:
    state = _state(key)
    return f"until {key.expires_at:%Y-%m-%d}" if key.expires_at and state == "valid" else state
