"""What `make demo` says once everything runs."""

import os

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from demo.environment import CALLBACK
from demo.stack import SERVICE, Stack

PEOPLE = "Acme admin · Acme member · Globex admin · Accountant"
SETTINGS_PAGE = "/settings/integrations"


def show(stack: Stack, *, with_page: bool) -> None:
    """Print where to go, as whom, and how to stop."""
    lines = Table.grid(padding=(0, 3))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    if with_page:
        lines.add_row("Open", f"[bold]{stack.origin}{SETTINGS_PAGE}[/bold]")
    else:
        lines.add_row("Page", "not built, so this run serves the API only")
    if stack.sandbox_signs_in:
        lines.add_row("Sign in as", PEOPLE)
    if stack.sandbox_is_xero:
        lines.add_row("Xero", f"the sandbox at {stack.sandbox}")
    else:
        lines.add_row("Xero", "the real one; register this redirect URI with your app:")
        lines.add_row("", f"{stack.origin}{CALLBACK}")
    lines.add_row("API", f"{stack.origin}/docs")
    directory = os.path.relpath(stack.directory)
    lines.add_row("Commands", f"cd {directory} && {os.path.relpath(SERVICE, directory)} --help")
    lines.add_row("Logs", directory)
    lines.add_row("Stop", "Ctrl-C")
    console = Console(highlight=False)
    console.print(Panel(lines, title="Xero connection service", padding=(1, 2), expand=False))
