"""`xero-service openapi`: the API's OpenAPI document, for `make openapi`."""

import json

import typer

from xero_service.app import assemble


def openapi() -> None:
    """Print the API's OpenAPI document."""
    typer.echo(json.dumps(assemble().openapi(), indent=2))
