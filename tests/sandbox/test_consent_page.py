"""The consent page as a person without scripts uses it."""

import re
from html import unescape

import httpx

from tests.sandbox.sample_app import CALLBACK, SampleApp, query_of
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient


def _open(app: SampleApp) -> httpx.Response:
    page = app.http.get(app.authorize_url())
    assert page.status_code == 200
    return page


def _press(app: SampleApp, page: httpx.Response, action: str, **form: str) -> httpx.Response:
    target = re.search(r'action="(/login/consent/[^"]+)"', page.text)
    assert target
    return app.http.post(target[1], data={"action": action, **form})


def test_the_page_names_its_groups_its_buttons_and_what_it_is(app: SampleApp) -> None:
    text = unescape(_open(app).text)

    assert "Xero sandbox" in text
    assert text.count("<legend") == 1 + len(samples.users())
    for label in ("Xero user", "Organisation", "Allow access", "Cancel", "Acme Trading Ltd"):
        assert f">{label}<" in text.replace("<small", "<")


def test_allowing_access_leads_to_the_callback_with_a_code(app: SampleApp) -> None:
    form = {"user": "xero-user-1", "tenant-xero-user-1": samples.ACME_TRADING}

    answer = _press(app, _open(app), "allow", **form)

    assert answer.status_code == 302
    code = query_of(answer.headers["location"])["code"]
    assert app.exchange(code).status_code == 200


def test_cancelling_leads_to_the_callback_with_the_error(app: SampleApp) -> None:
    answer = _press(app, _open(app), "cancel", user="xero-user-1")

    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{CALLBACK}?error=access_denied")


def test_allowing_without_a_choice_asks_again_and_says_why(app: SampleApp) -> None:
    answer = _press(app, _open(app), "allow", user="xero-user-1")

    assert answer.status_code == 400
    assert '<p class="problem" role="alert">Choose an organisation first.</p>' in answer.text


def test_an_answered_page_cannot_be_answered_again(app: SampleApp) -> None:
    page = _open(app)
    _press(app, page, "cancel", user="xero-user-1")

    answer = _press(app, page, "cancel", user="xero-user-1")

    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_a_connected_organisation_is_marked_and_cannot_be_chosen(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.connect("xero-user-1", samples.ACME_TRADING)

    page = _open(app)

    choice = re.search(
        rf'name="tenant-xero-user-1" value="{samples.ACME_TRADING}"([^>]*)>', page.text
    )
    assert choice
    assert "disabled" in choice[1]
    assert page.text.count("Already connected") == 1


def test_with_everything_connected_the_page_only_offers_to_continue(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.connect("xero-user-2", samples.GLOBEX)

    page = _open(app)

    assert "1 organisation connected." in page.text
    answer = _press(app, page, "continue", user="xero-user-2")
    assert app.exchange(query_of(answer.headers["location"])["code"]).status_code == 200


def test_with_some_connected_the_page_lets_a_person_choose_or_continue(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.connect("xero-user-1", samples.ACME_TRADING)

    page = _open(app)

    assert page.text.count(">Continue<") == 1
    answer = _press(app, page, "continue", user="xero-user-1")
    assert app.exchange(query_of(answer.headers["location"])["code"]).status_code == 200
    assert len(sandbox.state()["connections"]) == 1


def test_the_enter_key_does_what_the_chosen_users_main_button_does(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.connect("xero-user-2", samples.GLOBEX)
    form = {"user": "xero-user-1", "tenant-xero-user-1": samples.ACME_TRADING}

    allowed = _press(app, _open(app), "enter", **form)
    continued = _press(app, _open(app), "enter", user="xero-user-2")

    assert [answer.status_code for answer in (allowed, continued)] == [302, 302]
    first_button = re.search(r"<button[^>]*>", _open(app).text)
    assert first_button
    assert 'value="enter" hidden' in first_button[0]


def test_at_the_cap_the_browser_lands_on_the_connection_limit_page(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.switch(connectionCap=0)
    form = {"user": "xero-user-1", "tenant-xero-user-1": samples.ACME_TRADING}

    answer = _press(app, _open(app), "allow", **form)

    location = answer.headers["location"]
    assert location.startswith(f"{sandbox.base_url}/login/connectionLimit")
    assert "has reached their Xero connection limit" in app.http.get(location).text


def test_the_root_page_says_what_this_is_and_links_to_the_control_routes(
    http: httpx.Client,
) -> None:
    page = http.get("/")

    assert "A local Xero to test against" in page.text
    assert http.get("/docs").status_code == 200
