"""Xero's webhooks as the sandbox sends them (facts §9, §14)."""

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.receiver import KEY, Answer, Receiver, receiver, verifying
from tests.sandbox.sample_app import SampleApp, bearer
from xero_sandbox.client import SandboxClient, SandboxError
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, GLOBEX

QUARTER_HOUR, DAY = 15 * 60, 24 * 60 * 60
ACME = {"tenantId": ACME_TRADING}


@pytest.fixture
def at() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def active(sandbox: SandboxClient, at: Receiver) -> Receiver:
    sandbox.webhooks.subscribe(at.url, KEY)
    assert sandbox.webhooks.validate_intent()["status"] == "active"
    at.requests.clear()
    return at


def refuse(status: int = 500) -> Answer:
    return Answer(status)


def test_intent_to_receive_is_empty_and_partly_signed_wrongly(
    sandbox: SandboxClient, at: Receiver
) -> None:
    sandbox.webhooks.subscribe(at.url, KEY)

    validated = sandbox.webhooks.validate_intent()

    assert (validated["status"], validated["problem"]) == ("active", None)
    assert {(tuple(each.body["events"]), each.numbers) for each in at.requests} == {((), (0, 0))}
    signed = [each.is_signed_with(KEY) for each in at.requests]
    assert signed.count(True) >= 2
    assert signed.count(False) >= 2
    assert len({each.body["entropy"] for each in at.requests}) == len(at.requests)


@pytest.mark.parametrize(
    ("to_right", "to_wrong", "problem"),
    [
        (Answer(200), Answer(200), "Status 200, expected 401."),
        (Answer(401), Answer(401), "Status 401, expected 200."),
        (Answer(204), Answer(401), "Status 204, expected 200."),
        (Answer(302, headers={"location": "/"}), Answer(401), "Status 302, expected 200."),
        (Answer(200, b"ok"), Answer(401), "The answer has a body."),
        (Answer(200), Answer(401, b"{}"), "The answer has a body."),
        (Answer(200, headers={"set-cookie": "a=b"}), Answer(401), "The answer sets a cookie."),
    ],
)
def test_a_receiver_that_answers_otherwise_gets_no_events(
    sandbox: SandboxClient, at: Receiver, to_right: Answer, to_wrong: Answer, problem: str
) -> None:
    at.answer = lambda received: to_right if received.is_signed_with(KEY) else to_wrong
    sandbox.webhooks.subscribe(at.url, KEY)

    validated = sandbox.webhooks.validate_intent()
    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()

    assert (validated["status"], validated["problem"]) == ("intent_required", problem)
    assert at.batches == []


def test_an_address_where_nobody_listens_gets_no_events(sandbox: SandboxClient) -> None:
    with receiver() as gone:
        sandbox.webhooks.subscribe(gone.url, KEY)

    validated = sandbox.webhooks.validate_intent()

    assert validated["status"] == "intent_required"
    assert "cannot be reached" in validated["problem"]


def test_an_event_looks_as_xero_documents_it(sandbox: SandboxClient, active: Receiver) -> None:
    sandbox.webhooks.emit({**ACME, "eventCategory": "CONTACT", "resourceId": "r-1"})
    sandbox.webhooks.settle()

    (batch,) = active.requests
    (event,) = batch.body["events"]
    time = event.pop("eventDateUtc")
    assert batch.is_signed_with(KEY)
    assert batch.numbers == (1, 1)
    assert event == {
        "resourceUrl": f"{sandbox.base_url}/api/api.xro/2.0/Contacts/r-1",
        "resourceId": "r-1",
        "tenantId": ACME_TRADING,
        "tenantType": "ORGANISATION",
        "eventCategory": "CONTACT",
        "eventType": "UPDATE",
    }
    assert len(time) == len("2024-06-21T01:15:39.902")


@pytest.mark.parametrize("category", ["CREDITNOTE", "PREPAYMENT", "OVERPAYMENT", "PAYMENT"])
def test_later_categories_carry_data(
    sandbox: SandboxClient, active: Receiver, category: str
) -> None:
    sandbox.webhooks.emit({**ACME, "eventCategory": category})
    sandbox.webhooks.settle()

    (event,) = active.requests[0].body["events"]
    assert set(event["data"]) == {"Type", "Status", "UpdatedDateUTCString"}


def test_one_webhook_may_have_events_of_several_tenants(
    sandbox: SandboxClient, active: Receiver
) -> None:
    numbers = sandbox.webhooks.emit(ACME, {"tenantId": GLOBEX}, {"tenantId": ACME_SERVICES})
    sandbox.webhooks.settle()

    (batch,) = active.requests
    assert batch.numbers == numbers == (1, 3)
    assert [event["tenantId"] for event in batch.body["events"]] == [
        ACME_TRADING,
        GLOBEX,
        ACME_SERVICES,
    ]


def test_records_written_through_the_api_send_events(
    sandbox: SandboxClient, app: SampleApp, active: Receiver
) -> None:
    tokens = app.sign_in("xero-user-1", ACME_TRADING)
    headers = bearer(tokens) | {"xero-tenant-id": ACME_TRADING, "accept": "application/json"}
    path = "/api/api.xro/2.0/Contacts"
    made = app.http.post(path, headers=headers, json={"Contacts": [{"Name": "One"}]}).json()
    contact = made["Contacts"][0]["ContactID"]
    sandbox.webhooks.settle()

    app.http.post(path, headers=headers, json={"ContactID": contact, "Name": "Two"})
    sandbox.webhooks.settle()

    events = [event for batch in active.requests for event in batch.body["events"]]
    told = [
        (each["tenantId"], each["eventCategory"], each["eventType"], each["resourceId"])
        for each in events
    ]
    assert told == [
        (ACME_TRADING, "CONTACT", "CREATE", contact),
        (ACME_TRADING, "CONTACT", "UPDATE", contact),
    ]


def test_a_refused_webhook_is_sent_again_at_once_then_every_quarter_of_an_hour(
    sandbox: SandboxClient, active: Receiver
) -> None:
    active.answer = lambda _: refuse()
    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()
    assert len(active.requests) == 2

    sandbox.advance(QUARTER_HOUR - 1)
    sandbox.webhooks.settle()
    assert len(active.requests) == 2

    sandbox.advance(1)
    sandbox.webhooks.settle()
    assert len(active.requests) == 3
    assert len({each.raw for each in active.requests}) == 1

    active.answer = verifying
    sandbox.advance(QUARTER_HOUR)
    assert sandbox.webhooks.settle()["waitingEvents"] == 0
    assert [each["attempt"] for each in sandbox.webhooks.deliveries(since=4)] == [1, 2, 3, 4]


def test_after_a_day_of_retries_the_subscription_is_disabled_and_its_events_are_kept(
    sandbox: SandboxClient, active: Receiver
) -> None:
    active.answer = lambda _: refuse(503)
    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()
    for _ in range(DAY // QUARTER_HOUR):
        assert sandbox.webhooks.subscription()["status"] == "active"
        sandbox.advance(QUARTER_HOUR)
        sandbox.webhooks.settle()

    disabled = sandbox.webhooks.subscription()
    attempts = len(active.requests)
    sandbox.webhooks.emit(ACME)
    sandbox.advance(DAY)
    sandbox.webhooks.settle()

    assert disabled["status"] == "disabled"
    assert "Status 503" in disabled["problem"]
    assert len(active.requests) == attempts

    active.answer = verifying
    active.requests.clear()
    assert sandbox.webhooks.validate_intent()["status"] == "active"
    assert sandbox.webhooks.settle()["waitingEvents"] == 0
    assert [batch.numbers for batch in active.batches] == [(1, 2)]


def test_events_older_than_31_days_are_gone(sandbox: SandboxClient, at: Receiver) -> None:
    sandbox.webhooks.subscribe(at.url, KEY)
    sandbox.webhooks.emit(ACME)
    sandbox.advance(31 * DAY + 1)
    sandbox.webhooks.emit(ACME)

    sandbox.webhooks.validate_intent()
    sandbox.webhooks.settle()

    assert [batch.numbers for batch in at.batches] == [(2, 2)]


def test_an_answer_after_five_seconds_is_too_late(sandbox: SandboxClient, active: Receiver) -> None:
    answers = iter([Answer(delay=6)])
    active.answer = lambda received: next(answers, verifying(received))

    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()

    problems = [each["problem"] for each in sandbox.webhooks.deliveries(since=4)]
    assert problems == ["No answer within 5 seconds.", None]


def test_new_events_wait_behind_a_refused_batch(sandbox: SandboxClient, active: Receiver) -> None:
    active.answer = lambda _: refuse()
    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()
    active.answer = verifying
    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()
    active.requests.clear()

    sandbox.advance(QUARTER_HOUR)
    sandbox.webhooks.settle()

    assert [batch.numbers for batch in active.requests] == [(1, 1), (2, 2)]


def test_with_independent_retries_new_events_overtake_a_refused_batch(
    sandbox: SandboxClient, active: Receiver
) -> None:
    sandbox.switch(webhookRetries="independent")
    active.answer = lambda _: refuse()
    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()
    active.requests.clear()
    active.answer = verifying

    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()
    sandbox.advance(QUARTER_HOUR)
    sandbox.webhooks.settle()

    assert [batch.numbers for batch in active.requests] == [(2, 2), (1, 1)]


def test_a_switch_sends_each_accepted_webhook_again(
    sandbox: SandboxClient, active: Receiver
) -> None:
    sandbox.switch(webhookRepeat=True)

    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()

    first, again = active.requests
    assert first.raw == again.raw


def test_a_switch_skips_a_sequence_number(sandbox: SandboxClient, active: Receiver) -> None:
    sandbox.webhooks.emit(ACME)
    sandbox.switch(webhookSkip=True)
    sandbox.webhooks.emit(ACME, ACME)
    sandbox.switch(webhookSkip=False)
    sandbox.webhooks.emit(ACME)
    sandbox.webhooks.settle()

    numbers = [number for batch in active.requests for number in batch.numbers]
    assert sorted(set(numbers)) in ([1, 3, 4, 5], [1, 3, 5])
    assert all(
        last - first + 1 == len(batch.body["events"])
        for batch in active.requests
        for first, last in [batch.numbers]
    )


def test_a_change_of_the_key_requires_intent_again(
    sandbox: SandboxClient, active: Receiver
) -> None:
    changed = sandbox.webhooks.subscribe(active.url)

    assert changed["status"] == "intent_required"
    assert changed["key"] != KEY


def test_without_a_receiver_there_are_no_events(sandbox: SandboxClient, active: Receiver) -> None:
    sandbox.webhooks.unsubscribe()

    with pytest.raises(SandboxError, match="409"):
        sandbox.webhooks.emit(ACME)
    assert sandbox.webhooks.subscription()["status"] == "none"


def test_a_person_configures_webhooks_on_the_page(
    sandbox: SandboxClient, http: httpx.Client, at: Receiver
) -> None:
    assert 'href="/webhooks"' in http.get("/").text
    http.post("/webhooks", data={"action": "subscribe", "url": at.url, "key": KEY})
    http.post("/webhooks", data={"action": "intent"})
    sent = http.post(
        "/webhooks", data={"action": "emit", "tenant": ACME_TRADING, "category": "INVOICE"}
    )

    page = http.get("/webhooks").text
    assert sent.status_code == 303
    assert [batch.numbers for batch in at.batches] == [(1, 1)]
    assert "Status: <strong>OK</strong>" in page
    assert "Events 1 to 1" in page
    assert KEY in page


def test_a_form_of_another_site_changes_nothing(
    sandbox: SandboxClient, http: httpx.Client, at: Receiver
) -> None:
    answer = http.post(
        "/webhooks",
        data={"action": "subscribe", "url": at.url},
        headers={"sec-fetch-site": "cross-site"},
    )

    assert answer.status_code == 403
    assert sandbox.webhooks.subscription()["status"] == "none"
