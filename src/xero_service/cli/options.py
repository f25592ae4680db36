"""Options that several commands share, and the confirmation before an irreversible change."""

from typing import Annotated

import typer

from xero_service.cli.output import plain

LONGEST_ID = 255


def org_id(text: str) -> str:
    """Return a valid org id; raises BadParameter."""
    if not text or text != text.strip() or not text.isprintable() or len(text) > LONGEST_ID:
        raise typer.BadParameter("That is no org's id; one looks like org_2abc.")
    return text


def key_name(text: str) -> str:
    """Return the name of a service key; raises BadParameter for a blank or too long one."""
    name = text.strip()
    if not any(character.isprintable() and not character.isspace() for character in name):
        raise typer.BadParameter("Say which service it is for.")
    if len(name) > LONGEST_ID:
        raise typer.BadParameter(f"A name has {LONGEST_ID} characters at most.")
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise typer.BadParameter("A name is text in UTF-8.")
    return name


Org = Annotated[
    str | None, typer.Option("--org", parser=org_id, metavar="ID", help="Only this org.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object a line on standard output, for programs.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation unless `yes`; exits with 1 without a positive answer."""
    if yes:
        return
    try:
        agreed = typer.confirm(plain(question), err=True)
    except typer.Abort:
        typer.echo("\nNobody answered, so nothing was changed. Give --yes to go ahead.", err=True)
        raise typer.Exit(1) from None
    if not agreed:
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(1)
