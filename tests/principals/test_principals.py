"""Tokens of both versions become the same principal; an unknown role is a member."""

from typing import Any

import pytest

from tests.principals.conftest import Refuses
from tests.principals.issuer import HandmadeIssuer
from xero_service.api.session_tokens import SessionVerifier
from xero_service.domain import Role, SessionUser

ADMIN = SessionUser("user_one", "org_one", Role.ADMIN)
VERSION_1: dict[str, Any] = {"v": None, "o": None, "sts": None}


@pytest.mark.parametrize(
    "claims",
    [
        {"o": {"id": "org_one", "rol": "admin"}},
        {"o": {"id": "org_one", "rol": "org:admin"}},
        {**VERSION_1, "org_id": "org_one", "org_role": "org:admin"},
        {**VERSION_1, "org_id": "org_one", "org_role": "admin"},
        {**VERSION_1, "v": 1, "org_id": "org_one", "org_role": "org:admin"},
    ],
)
async def test_an_admin_is_the_same_in_every_form(
    verifier: SessionVerifier, issuer: HandmadeIssuer, claims: dict[str, Any]
) -> None:
    """S10."""
    assert await verifier.verify(issuer.token(**claims)) == ADMIN


@pytest.mark.parametrize(
    "role",
    ["member", "org:member", "org:accountant", "", None, "Admin", "org:org:admin", ["admin"], 1],
)
async def test_any_other_role_is_a_member(
    verifier: SessionVerifier, issuer: HandmadeIssuer, role: Any
) -> None:
    """S10."""
    user = await verifier.verify(issuer.token(o={"id": "org_one", "rol": role}))

    assert user == SessionUser("user_one", "org_one", Role.MEMBER)


@pytest.mark.parametrize("org", [None, {}, "org_one", [], {"id": None}, {"id": ""}, {"id": 7}])
async def test_a_session_without_an_active_org_has_none(
    verifier: SessionVerifier, issuer: HandmadeIssuer, org: Any
) -> None:
    """S11."""
    assert (await verifier.verify(issuer.token(o=org))).org_id is None


async def test_claims_of_the_first_version_do_not_count_in_the_second(
    verifier: SessionVerifier, issuer: HandmadeIssuer
) -> None:
    """S10: no mixture of the two makes an admin."""
    token = issuer.token(o=None, org_id="org_two", org_role="org:admin")

    assert await verifier.verify(token) == SessionUser("user_one", None, Role.MEMBER)


@pytest.mark.parametrize("version", [0, 3, "2", [2]])
async def test_a_version_that_nobody_knows_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, version: Any
) -> None:
    await refuses(issuer.token(v=version))


@pytest.mark.parametrize(
    ("act", "impersonator"),
    [
        ({"sub": "user_support", "sid": "sess_x"}, "user_support"),
        ({}, "unknown"),
        ("user_support", "unknown"),
    ],
)
async def test_an_impersonated_session_names_both(
    verifier: SessionVerifier, issuer: HandmadeIssuer, act: Any, impersonator: str
) -> None:
    """S15."""
    user = await verifier.verify(issuer.token(act=act))

    assert (user.user_id, user.impersonator) == ("user_one", impersonator)
