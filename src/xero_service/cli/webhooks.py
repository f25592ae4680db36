"""`xero-service webhooks`: the endpoints that receive events, and their deliveries."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from xero_service.cli.options import AsJson, org_id
from xero_service.cli.output import plain, print_json, print_table, record
from xero_service.cli.session import operator, with_services
from xero_service.cli.time_args import ago
from xero_service.domain import Endpoint, EventKind
from xero_service.domain.events import ID_PREFIX
from xero_service.services.events.endpoints import NewSecret

KINDS = ", ".join(f"`{kind.value}`" for kind in EventKind)
_ENDPOINT = (
    *("id", "url", "org_id", "kinds", "created_at", "disabled_at", "disabled_reason"),
    *("failures", "next_attempt_at"),
)
_DELIVERY = (
    *("event_id", "endpoint_id", "kind", "org_id", "binding_id", "state", "attempts"),
    *("next_attempt_at", "last_attempt_at", "last_status", "last_answer"),
)
app = typer.Typer(no_args_is_help=True, help="URLs of your services that receive events.")
EndpointId = Annotated[UUID, typer.Argument(help="As `webhooks list` shows it.")]
OneEndpoint = Annotated[
    UUID | None, typer.Option("--endpoint", metavar="ID", help="Only this endpoint.")
]


def event_id(text: str) -> UUID:
    """Return the id of an event without its prefix; raises BadParameter."""
    try:
        return UUID(text.removeprefix(ID_PREFIX))
    except ValueError as error:
        raise typer.BadParameter("That is no event's id; one looks like evt_5d0c….") from error


@app.command()
def create(
    url: Annotated[str, typer.Option(help="Where events are sent, with http or https.")],
    org: Annotated[
        str | None, typer.Option(parser=org_id, metavar="ID", help="Only events of this org.")
    ] = None,
    all_orgs: Annotated[bool, typer.Option("--all-orgs", help="Events of every org.")] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Only these kinds; repeat: {KINDS}, `xero.<category>.<type>` of Xero's own "
            "webhooks, or `binding.*` and `xero.*` for all of them. Without it: every kind."
        ),
    ] = None,
) -> None:
    """Make an endpoint and print its secret, this once.

    Deliveries are signed as Standard Webhooks has it; verify them with a library of that name. An
    endpoint acknowledges with any 2xx within 15 seconds; else the event is sent again.

    Example: `xero-service webhooks create --url https://billing.internal/events --org org_2abc`
    """
    if (org is None) is not all_orgs:
        raise typer.BadParameter("Give either --org ID or --all-orgs.")
    created = with_services(
        lambda services: services.webhooks.create(
            operator(), url=url, org_id=org, kinds=tuple(kind or ())
        )
    )
    _print_secret(created, f"Endpoint {created.endpoint.id} for {_orgs(created.endpoint)}.")


@app.command("list")
def list_endpoints(as_json: AsJson = False) -> None:
    """List the endpoints, without their secrets."""
    endpoints = with_services(lambda services: services.webhooks.all())
    if as_json:
        print_json(record(each, *_ENDPOINT) | {"state": _state(each)} for each in endpoints)
        return
    print_table(
        ("Id", "URL", "Org", "Kinds", "State"),
        (
            (
                str(each.id),
                each.url,
                each.org_id or "all",
                " ".join(each.kinds) or "all",
                _state(each),
            )
            for each in endpoints
        ),
        if_empty="There are no endpoints yet. Make one: xero-service webhooks create --help",
    )


@app.command()
def rotate(endpoint_id: EndpointId) -> None:
    """Replace the secret and print the new one, this once; the old one signs too for 24 hours."""
    rotated = with_services(lambda services: services.webhooks.rotate(operator(), endpoint_id))
    _print_secret(rotated, f"Endpoint {endpoint_id} has a new secret.")


@app.command()
def disable(endpoint_id: EndpointId) -> None:
    """Stop sending to an endpoint; its events collect until it is enabled again."""
    _ = with_services(lambda services: services.webhooks.disable(operator(), endpoint_id))
    typer.echo(f"Endpoint {endpoint_id} is disabled.")


@app.command()
def enable(endpoint_id: EndpointId) -> None:
    """Send to an endpoint again, at once, also what collected meanwhile."""
    _ = with_services(lambda services: services.webhooks.enable(operator(), endpoint_id))
    typer.echo(f"Endpoint {endpoint_id} is enabled.")


@app.command()
def deliveries(
    failed: Annotated[
        bool, typer.Option("--failed", help="Only those that failed and are not delivered.")
    ] = False,
    endpoint: OneEndpoint = None,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the newest deliveries, with the endpoint's last answer."""
    found = with_services(
        lambda services: services.webhooks.deliveries(
            only_failed=failed, endpoint_id=endpoint, limit=limit
        )
    )
    if as_json:
        print_json(record(each, *_DELIVERY) for each in found)
        return
    print_table(
        ("Event", "Kind", "Endpoint", "State", "Attempts", "Next", "Answer"),
        (
            (
                each.event_id,
                each.kind,
                str(each.endpoint_id),
                each.state.value,
                str(each.attempts),
                f"{each.next_attempt_at:%Y-%m-%d %H:%M:%S}" if each.next_attempt_at else "",
                f"{each.last_status or ''} {each.last_answer or ''}".strip(),
            )
            for each in found
        ),
        if_empty="There are no such deliveries.",
    )


@app.command()
def redeliver(
    event: Annotated[
        UUID | None,
        typer.Argument(parser=event_id, metavar="[EVENT]", help="The event's id, `evt_…`."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=ago,
            metavar="WHEN",
            help="All events since: `2d`, `12h`, or a date such as 2026-11-28.",
        ),
    ] = None,
    endpoint: OneEndpoint = None,
) -> None:
    """Send an event, or all since a time, again: with the same `webhook-id`, delivered or not."""
    if (event is None) is (since is None):
        raise typer.BadParameter("Give either an event's id or --since WHEN.")
    due = with_services(
        lambda services: services.webhooks.redeliver(
            operator(), event_id=event, since=since, endpoint_id=endpoint
        )
    )
    typer.echo(f"{due} {'delivery is' if due == 1 else 'deliveries are'} due.")


@app.command()
def test(endpoint_id: EndpointId) -> None:
    """Send one event of the kind `webhook.test` now and print the answer; exits with 1 if none."""
    answer = with_services(lambda services: services.webhooks.test(operator(), endpoint_id))
    typer.echo(plain(f"{answer.status or 'No answer:'} {answer.text}".strip()))
    if not answer.is_acknowledged:
        raise typer.Exit(1)


def _print_secret(made: NewSecret, sentence: str) -> None:
    typer.echo(plain(f"{sentence} Its secret is shown this once:"), err=True)
    typer.echo(made.secret)


def _orgs(endpoint: Endpoint) -> str:
    return f"org {endpoint.org_id}" if endpoint.org_id else "all orgs"


def _state(endpoint: Endpoint) -> str:
    if endpoint.disabled_at is not None:
        return f"disabled: {endpoint.disabled_reason}"
    return f"failing ({endpoint.failures})" if endpoint.failures else "enabled"
