"""`xero-service encryption`: seal what is stored with the current key."""

import typer
from rich.console import Console
from rich.progress import Progress

from xero_service.cli.output import plain
from xero_service.cli.session import with_services
from xero_service.services.key_rotation import Rewrapped
from xero_service.wiring import Services

app = typer.Typer(no_args_is_help=True, help="The key that seals stored secrets.")


@app.command()
def rewrap() -> None:
    """Seal every stored secret with ENCRYPTION_KEY, so that an older key can be retired.

    First let every replica read the new key (in ENCRYPTION_KEY_PREVIOUS), then write with it (in
    ENCRYPTION_KEY, the old one in ENCRYPTION_KEY_PREVIOUS), then run this, then remove the old one;
    SECURITY.md has the steps. It can be stopped and run again at any time.

    What no key opens is named, and the exit code is 1: keep the old key until that is settled.
    """

    async def work(services: Services) -> Rewrapped:
        total = await services.key_rotation.count()
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Rewrapping", total=total)
            return await services.key_rotation.run(lambda done: progress.advance(task, done))

    rewrapped = with_services(work)
    typer.echo(f"Sealed {rewrapped.sealed} secrets anew.")
    for place in rewrapped.unreadable:
        typer.echo(plain(f"No key opens {place}."), err=True)
    if rewrapped.unreadable:
        raise typer.Exit(1)
