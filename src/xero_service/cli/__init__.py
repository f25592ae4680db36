"""The command `xero-service`: registers the commands and maps failures to exit codes."""

import sys
from importlib import metadata
from typing import Annotated

import typer

from xero_service.cli import (
    audit,
    doctor,
    encryption,
    keys,
    metrics_reference,
    migrate,
    openapi,
    operators,
    restore,
    scopes,
    serve,
    upkeep,
    webhooks,
)
from xero_service.errors import ConfigError, IntegrationError, InvalidRequest

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Connect Xero once, bind many organisations, never lose a grant.\n\n"
    "Configured by the environment or a `.env` file; `.env.example` lists every variable.\n\n"
    "Exit codes: 0 done; 1 not done, for a reason that is printed (nothing of that id, the database"
    " or Xero away, a question answered with no); 2 wrong usage or configuration.",
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"xero-service {metadata.version('xero-service')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Accept the options before any command."""


app.command()(serve.serve)
app.command()(migrate.migrate)
app.command()(upkeep.upkeep)
app.command()(doctor.doctor)
app.command()(restore.restored)
app.add_typer(keys.app, name="keys")
app.add_typer(operators.bindings, name="bindings")
app.add_typer(operators.grants, name="grants")
app.add_typer(operators.orgs, name="orgs")
app.add_typer(scopes.app, name="scopes")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(audit.app, name="audit")
app.add_typer(encryption.app, name="encryption")
app.command(hidden=True)(openapi.openapi)
app.command(hidden=True)(metrics_reference.metrics_reference)


def run() -> None:
    """Run the command; print an expected failure as a message, without a traceback."""
    try:
        app()
    except IntegrationError as error:
        typer.echo(error.detail, err=True)
        sys.exit(exit_code(error))


def exit_code(error: IntegrationError) -> int:
    """Return 2 for wrong usage or configuration, 1 for every other failure."""
    return 2 if isinstance(error, ConfigError | InvalidRequest) else 1
