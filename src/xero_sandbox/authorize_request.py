"""Parses and checks a request to the authorize endpoint (facts §1.1, §1.4)."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from xero_sandbox import scopes
from xero_sandbox.config import SandboxConfig
from xero_sandbox.switches import Switches


class AuthorizeRefused(Exception):
    """The request is invalid. Xero shows the message on its own page and does not redirect."""


@dataclass(frozen=True)
class AuthorizeRequest:
    """A valid authorize request; `bulk` allows several organisations in one consent."""

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None
    nonce: str | None
    bulk: bool


def parse_authorize_request(
    query: str, config: SandboxConfig, switches: Switches, *, broad_in_force: bool
) -> AuthorizeRequest:
    """Return the parsed request, or raise AuthorizeRefused.

    Checks the client, the redirect URI, the response type, the scopes and PKCE, in that order.
    """
    values = {name: found[0] for name, found in parse_qs(query, keep_blank_values=True).items()}
    if values.get("client_id") != config.client_id:
        raise AuthorizeRefused("unauthorized_client : Unknown client or client not enabled")
    if values.get("redirect_uri") not in config.redirect_uris:
        raise AuthorizeRefused("unauthorized_client : Invalid redirect_uri")
    if values.get("response_type") != "code":
        raise AuthorizeRefused("unsupported_response_type")
    return AuthorizeRequest(
        redirect_uri=values["redirect_uri"],
        scopes=_read_scopes(
            query,
            values.get("scope", ""),
            config,
            switches,
            broad_allowed=switches.broad_scopes and broad_in_force,
        ),
        state=values.get("state"),
        challenge=_read_challenge(values, config),
        nonce=values.get("nonce"),
        bulk=switches.bulk_connect and "bulk_connect:false" not in values.get("acr_values", ""),
    )


def _read_challenge(values: dict[str, str], config: SandboxConfig) -> str | None:
    challenge = values.get("code_challenge")
    if challenge is None:
        if config.app_type == "pkce":
            raise AuthorizeRefused("invalid_request : code challenge required")
        return None
    if values.get("code_challenge_method") != "S256":
        raise AuthorizeRefused("invalid_request : transform algorithm not supported")
    return challenge


def _read_scopes(
    query: str, requested: str, config: SandboxConfig, switches: Switches, *, broad_allowed: bool
) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(requested.split()))
    raw = re.search(r"(?:^|&)scope=([^&]*)", query)
    if switches.strict_scope_encoding and raw and "+" in raw[1]:
        raise AuthorizeRefused("invalid_scope")
    if not names or scopes.unknown(names, broad_allowed=broad_allowed):
        raise AuthorizeRefused("invalid_scope")
    if scopes.mixes_tenant_types(names):
        raise AuthorizeRefused("invalid_scope")
    if config.allowed_scopes is not None and not set(names) <= config.allowed_scopes:
        raise AuthorizeRefused("unauthorized_client : Invalid scope for client")
    return names
