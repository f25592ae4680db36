"""The message that `make demo` prints when everything runs."""

import os
import sys

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from demo.environment import CALLBACK
from demo.stack import SERVICE, Stack

PEOPLE = "Acme admin · Acme member · Globex admin · Accountant"
SETTINGS_PAGE = "/settings/integrations"
# README.md shows the same lines for the default port; a test compares them.
FIRST_CALL = r"""
export XERO_SERVICE={origin}
export XERO_SERVICE_KEY=$(cd {directory} && {service} keys create \
  --name billing --org {org} --scope bindings:read --scope tokens:read --scope api:call)
export BINDING_ID=$(curl -fsS -H "Authorization: Bearer $XERO_SERVICE_KEY" \
  "$XERO_SERVICE/api/integrations/xero/bindings" |
  {python} -c 'import json, sys; print(json.load(sys.stdin)["bindings"][0]["id"])')
curl -fsS -H "Authorization: Bearer $XERO_SERVICE_KEY" -H "Accept: application/json" \
  "$XERO_SERVICE/api/integrations/xero/bindings/$BINDING_ID/api/api.xro/2.0/Organisation"
"""


def show(stack: Stack, *, page: str | None) -> None:
    """Print the addresses, the sample people, a first call and how to stop.

    `page` is the origin of the settings page, of the service or of another application.
    """
    lines = Table.grid(padding=(0, 3))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    if page:
        lines.add_row("Open", f"[bold]{page}{SETTINGS_PAGE}[/bold]")
    else:
        lines.add_row("Page", "not built, so this run serves the API only")
    if stack.sandbox_signs_in:
        lines.add_row("Sign in as", PEOPLE)
    if stack.sandbox_is_xero:
        lines.add_row("Xero", f"the sandbox at {stack.sandbox}")
        lines.add_row("Xero's webhooks", f"{stack.sandbox}/webhooks")
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
    # Outside the panel, which would wrap the lines, so that they can be copied.
    console.print("Connect an organisation there, then call Xero from a second terminal, here:")
    print(first_call(stack), flush=True)


def first_call(stack: Stack) -> str:
    """Return shell commands that create a key, find a binding and call Xero.

    They work in the directory where the demo was started.
    """
    directory = os.path.relpath(stack.directory)
    return FIRST_CALL.format(
        origin=stack.origin,
        directory=directory,
        service=os.path.relpath(SERVICE, directory),
        python=os.path.relpath(sys.executable),
        org="org_acme" if stack.sandbox_signs_in else "YOUR_ORG_ID",
    )
