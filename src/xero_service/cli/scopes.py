"""`xero-service scopes status`: how many bindings have every permission of XERO_SCOPES."""

import typer

from xero_service.cli.options import AsJson, Org
from xero_service.cli.output import print_json, print_table, record
from xero_service.cli.session import with_services

app = typer.Typer(no_args_is_help=True, help="What consents cover, compared with XERO_SCOPES.")
_BINDING = ("id", "org_id", "tenant_id", "tenant_name", "status", "grant_id")


@app.command()
def status(org: Org = None, as_json: AsJson = False) -> None:
    """Count the bindings whose consent covers XERO_SCOPES, and list those that lack a scope.

    A binding that lacks one goes on working for what it has. An admin of its org adds the rest on
    the settings page with "Update permissions", which is a new consent at Xero.

    `--json` prints every binding, one object a line, with the scopes that it has and lacks.
    """
    found = with_services(lambda services: services.operators.permissions(org))
    if as_json:
        print_json(
            record(each, *_BINDING) | record(permissions, "granted", "missing")
            for each, permissions in found
        )
        return
    left = [each for each in found if each[1].missing]
    typer.echo(f"{len(found) - len(left)} of {len(found)} bindings have every permission.")
    print_table(
        ("Id", "Org", "Xero organisation", "Missing"),
        (
            (str(each.id), each.org_id, each.tenant_name, " ".join(permissions.missing))
            for each, permissions in left
        ),
        if_empty="No binding waits for a new consent.",
    )
