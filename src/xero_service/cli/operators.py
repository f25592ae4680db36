"""`xero-service bindings | grants | orgs`: list, suspend, disconnect, retry, offboard."""

from typing import Annotated
from uuid import UUID

import typer

from xero_service.cli.options import AsJson, Org, Yes, confirm, org_id
from xero_service.cli.output import plain, print_json, print_table, record
from xero_service.cli.session import operator, with_services
from xero_service.domain import Binding, BindingStatus

bindings = typer.Typer(no_args_is_help=True, help="Xero organisations linked to orgs.")
grants = typer.Typer(no_args_is_help=True, help="Consents and their tokens.")
orgs = typer.Typer(no_args_is_help=True, help="Customers' organisations.")
_BINDING = (
    *("id", "org_id", "tenant_id", "tenant_name", "tenant_type", "status", "grant_id"),
    *("created_at", "updated_at"),
)
_GRANT = (
    *("id", "org_id", "xero_user_id", "status", "generation", "scopes", "expires_at"),
    *("refresh_token_issued_at", "refresh_failures", "next_refresh_at", "last_error"),
    "verdict_held_at",
)
BindingId = Annotated[UUID, typer.Argument(help="As `bindings list` shows it.")]


@bindings.command("list")
def list_bindings(org: Org = None, as_json: AsJson = False) -> None:
    """List the bindings that are not revoked, and revoked ones whose tenant is suspended."""
    found = with_services(lambda services: services.operators.bindings(org))
    if as_json:
        print_json(record(each, *_BINDING) | {"suspended": _is_suspended(each)} for each in found)
        return
    print_table(
        ("Id", "Org", "Xero organisation", "Status", "Grant"),
        (
            (str(each.id), each.org_id, each.tenant_name, _status(each), str(each.grant_id))
            for each in found
        ),
        if_empty="There are no such bindings. An admin of an org makes one on the settings page.",
    )


@bindings.command()
def suspend(binding_id: BindingId) -> None:
    """Switch a binding off until it is resumed; its callers get 409 `binding_suspended`.

    The suspension belongs to the Xero organisation: it stays suspended when it is disconnected
    and connected again, in this org or in another.
    """
    binding = with_services(lambda services: services.operators.suspend(operator(), binding_id))
    typer.echo(plain(f"{binding.tenant_name} is suspended for {binding.org_id}."))


@bindings.command()
def resume(
    reference: Annotated[
        UUID, typer.Argument(metavar="ID", help="A binding's id, or Xero's tenant id.")
    ],
) -> None:
    """Switch a suspended Xero organisation on again, whichever org has it now.

    The id that it was suspended by does, even where that binding is gone and another org has the
    organisation by now. One that was disconnected meanwhile is listed as `suspended, disconnected`:
    it stays disconnected, and the next org that connects it can use it.
    """
    resumed = with_services(lambda services: services.operators.resume(operator(), reference))
    binding = resumed.binding
    if binding is None or binding.status is BindingStatus.REVOKED:
        name = binding.tenant_name if binding else resumed.tenant_id
        typer.echo(plain(f"{name} is resumed; no org has it connected."))
    else:
        typer.echo(plain(f"{binding.tenant_name} is resumed for {binding.org_id}."))


@bindings.command()
def disconnect(binding_id: BindingId, yes: Yes = False) -> None:
    """End a binding here at once, and at Xero as soon as Xero answers."""
    binding = with_services(lambda services: services.operators.binding(binding_id))
    confirm(f"Disconnect {binding.tenant_name} of {binding.org_id}?", yes=yes)
    ended = with_services(lambda services: services.operators.disconnect(operator(), binding_id))
    typer.echo(f"Disconnected; at Xero: {ended.remote}.")


def _is_suspended(binding: Binding) -> bool:
    """Whether the tenant is suspended: a revoked binding is listed only if it is."""
    return binding.status in {BindingStatus.SUSPENDED, BindingStatus.REVOKED}


def _status(binding: Binding) -> str:
    is_revoked = binding.status is BindingStatus.REVOKED
    return "suspended, disconnected" if is_revoked else binding.status.value


@grants.command("list")
def list_grants(org: Org = None, as_json: AsJson = False) -> None:
    """List grants and how their tokens do."""
    found = with_services(lambda services: services.operators.grants(org))
    if as_json:
        print_json(record(each, *_GRANT) for each in found)
        return
    print_table(
        ("Id", "Org", "Status", "Generation", "Expires", "Last error"),
        (
            (
                str(each.id),
                each.org_id,
                each.status.value,
                str(each.generation),
                f"{each.expires_at:%Y-%m-%d %H:%M}",
                each.last_error or "",
            )
            for each in found
        ),
        if_empty="There are no such grants. An admin of an org makes one by connecting Xero.",
    )


@grants.command()
def retry(
    grant_id: Annotated[UUID, typer.Argument(help="As `grants list` shows it.")],
) -> None:
    """Refresh a grant now, whatever its backoff says."""
    grant = with_services(lambda services: services.operators.retry(grant_id))
    typer.echo(f"Refreshed; generation {grant.generation}.")


@grants.command("release-verdicts")
def release_verdicts(as_json: AsJson = False) -> None:
    """Let grants end again that Xero refuses, after an alarm has held them.

    A *verdict* is Xero's refusal of a refresh token, which ends a grant: its customer must connect
    again. The service holds all verdicts when many grants are refused within minutes, and when the
    database was restored to an earlier state. A held grant stays active, its tokens are served
    while they are valid, and nobody is asked to connect again.

    Release them once you know the cause and nothing more can be saved; see the runbook
    VerdictsHeld. Upkeep then tries each held grant once more, and ends those that Xero still
    refuses. For an hour no share of refused grants holds verdicts again. Repeating it is harmless.

    `grants list` shows held grants: their last error is `verdict_held`.
    """
    released = with_services(lambda services: services.restore.release_verdicts(operator()))
    hold = released.hold
    if as_json:
        print_json(
            [
                {"released": hold is not None, "grants": released.grants}
                | (record(hold, "held_since", "reason") if hold else {})
            ]
        )
        return
    if hold is None:
        typer.echo("No verdicts were held.")
    else:
        typer.echo(f"Released; verdicts were held since {hold.held_since:%Y-%m-%d %H:%M}.")
    if released.grants:
        typer.echo(f"Upkeep tries {released.grants} held grants once more.")


@orgs.command()
def offboard(
    org: Annotated[
        str,
        typer.Argument(parser=org_id, metavar="ORG_ID", help="The org that leaves."),
    ],
    yes: Yes = False,
) -> None:
    """Revoke the keys of an org that leaves, disable its webhook endpoints, end its bindings.

    Its connections at Xero count until then. Repeating it is harmless.
    """
    confirm(f"Revoke the keys and disconnect every Xero organisation of {org}?", yes=yes)
    offboarded = with_services(lambda services: services.operators.offboard(operator(), org))
    keys = "key" if len(offboarded.keys) == 1 else "keys"
    typer.echo(f"Revoked {len(offboarded.keys)} service {keys} of {org}.")
    endpoints = "endpoint" if len(offboarded.endpoints) == 1 else "endpoints"
    typer.echo(f"Disabled {len(offboarded.endpoints)} webhook {endpoints} of {org}.")
    typer.echo(f"Disconnected {len(offboarded.bindings)} of {org}.")
    for each in offboarded.bindings:
        typer.echo(f"  {each.binding_id}  at Xero: {each.remote}")
