"""Starting: who may, what the browser gets, and what is kept."""

import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.people import Person
from tests.world import ACME_ADMIN, Application, World
from xero_sandbox.client import SandboxClient
from xero_service.settings import Settings

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def test_a_page_that_fetches_start_gets_the_address_of_xeros_page(world: World) -> None:
    admin = await world.acme_admin()

    response = await admin.get("/start", headers={"Accept": "application/json"})

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert set(response.json()) == {"authorizationUrl", "expiresAt"}


async def test_a_browser_that_navigates_to_start_is_sent_to_xero(world: World) -> None:
    admin = await world.acme_admin()

    response = await admin.get("/start", headers=BROWSER)

    assert response.status_code == 302
    assert response.headers["location"].startswith(world.sandbox.base_url)


async def test_a_browser_may_start_with_its_session_cookie_alone(world: World) -> None:
    admin = await world.acme_admin()
    admin.wears(admin.token())

    response = await admin.http.get(
        "/api/integrations/xero/start", headers={**BROWSER, "Sec-Fetch-Site": "same-origin"}
    )

    assert response.status_code == 302


@pytest.mark.parametrize("site", ["cross-site", "Cross-Site"])
async def test_another_site_cannot_start_with_a_cookie_s44(world: World, site: str) -> None:
    """S44."""
    admin = await world.acme_admin()
    admin.wears(admin.token())

    response = await admin.http.get(
        "/api/integrations/xero/start", headers={**BROWSER, "Sec-Fetch-Site": site}
    )

    assert response.status_code == 403
    assert response.json()["code"] == "cross_site_refused"
    assert "set-cookie" not in response.headers
    assert await world.database.fetchval("SELECT count(*) FROM verification_tokens") == 0


def flow_cookie(response: httpx.Response) -> tuple[str, set[str]]:
    """The name of the one cookie that was set, and its attributes, the value left out."""
    (written,) = response.headers.get_list("set-cookie")
    pair, *attributes = [part.strip() for part in written.split(";")]
    return pair.partition("=")[0], {attribute.lower() for attribute in attributes}


async def test_on_loopback_the_flow_cookie_has_a_plain_name_s44(world: World) -> None:
    """S44."""
    admin = await world.acme_admin()

    name, attributes = flow_cookie(await admin.get("/start"))

    assert name == "xero_flow"
    assert attributes == {"httponly", "path=/", "samesite=lax", "max-age=86400"}


async def test_over_https_the_flow_cookie_is_bound_to_the_host_s44(
    settings: Settings, sandbox: SandboxClient
) -> None:
    """S44."""
    origin = "https://app.example.com"
    public = settings.model_copy(
        update={
            "public_url": origin,
            "frontend_url": origin,
            "auth_authorized_parties": (origin,),
        }
    )
    async with Application.running(public) as application, application.http() as http:
        admin = Person(ACME_ADMIN, "org_acme", sandbox, http, origin)

        response = await admin.get("/start")

    name, attributes = flow_cookie(response)
    assert name == "__Host-xero_flow"
    assert attributes == {"secure", "httponly", "path=/", "samesite=lax", "max-age=86400"}
    assert "strict-transport-security" in response.headers


async def test_each_flow_has_its_own_secrets_of_256_bits_and_an_s256_challenge_s21_s22(
    world: World,
) -> None:
    """S256, S21, S22."""
    admin = await world.acme_admin()

    first, second = query_of(await admin.starts()), query_of(await admin.starts())

    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    assert first["code_challenge_method"] == second["code_challenge_method"] == "S256"
    assert len(admin.http.cookies["xero_flow"]) >= 43


async def test_nothing_that_could_finish_a_flow_is_stored_in_clear_s21(world: World) -> None:
    admin = await world.acme_admin()

    asked = query_of(await admin.starts())

    rows = await world.database.fetch("SELECT * FROM verification_tokens")
    kept = json.dumps([dict(row) for row in rows], default=str)
    for secret in (asked["state"], asked["nonce"], admin.http.cookies["xero_flow"]):
        assert secret not in kept
    assert "verifier" not in kept
    assert "org_acme" not in kept


async def test_forged_hosts_do_not_move_the_redirect_uri_s24(world: World) -> None:
    """S24."""
    admin = await world.acme_admin()
    honest = query_of(await admin.starts())["redirect_uri"]

    response = await admin.get(
        "/start",
        headers={
            "Host": "evil.example.com",
            "X-Forwarded-Host": "evil.example.com",
            "Forwarded": "host=evil.example.com",
        },
    )

    address = response.json()["authorizationUrl"]
    assert query_of(address)["redirect_uri"] == honest
    assert honest == world.application.settings.xero_redirect_uri
    assert "evil" not in response.text


async def test_scopes_are_joined_with_percent_20(world: World) -> None:
    admin = await world.acme_admin()
    world.sandbox.switch(strictScopeEncoding=True)

    address = await admin.starts()

    assert "+" not in urlsplit(address).query
    assert query_of(address)["scope"].split() == list(world.application.settings.xero_scopes)


async def test_a_member_cannot_start(world: World) -> None:
    member = await world.acme_member()

    response = await member.get("/start")

    assert response.status_code == 403
    assert response.json()["code"] == "admin_required"


async def test_an_impersonated_admin_cannot_start_s15(world: World) -> None:
    admin = await world.acme_admin()
    token = admin.token(claims={"act": {"sub": "user_support"}})

    response = await admin.get("/start", headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 403
    assert response.json()["code"] == "impersonation_refused"


async def test_without_an_active_org_there_is_nothing_to_start_for_s11(world: World) -> None:
    nobody = await world.person(ACME_ADMIN, None)

    response = await nobody.get("/start")

    assert response.status_code == 403
    assert response.json()["code"] == "org_required"


@pytest.mark.parametrize(
    "return_to",
    [
        "//evil.example.com",
        "/\\evil.example.com",
        "https:evil.example.com",
        "https://evil.example.com",
        "javascript:alert(1)",
        "/%0d%0aLocation:x",
        "/\r\nLocation:x",
        "/@evil.example.com",
        "user:pass@evil.example.com",
        "/settings?next=/x",
        "/settings#x",
        "/a//evil.example.com",
        "/../x",
        "settings",
        "",
        "/" + "a" * 600,
    ],
)
async def test_only_a_plain_path_of_the_frontend_can_be_returned_to_s25(
    world: World, return_to: str
) -> None:
    """S25."""
    admin = await world.acme_admin()

    response = await admin.get("/start", params={"returnTo": return_to})

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_return_to"
    assert "evil" not in response.text
    assert await world.database.fetchval("SELECT count(*) FROM verification_tokens") == 0
