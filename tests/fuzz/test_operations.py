"""Every operation of the OpenAPI document, called in ways that nobody thought of.

Whatever is sent by whomever: no 5xx, nothing undocumented (status, media type, schema, headers),
nothing valid refused as malformed and nothing malformed accepted, and no authentication ignored.
"""

import contextlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.fuzz.live import Live
from xero_service.app import assemble

SCHEMA = schemathesis.openapi.from_dict(assemble().openapi())
OPERATIONS = [each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok)]
# The same each time, so that what fails here fails for everybody; `make soak` tries new ones.
quick = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
long = settings(quick, max_examples=1000, derandomize=False)
Call: TypeAlias = Case[Any]
PROBLEM = "application/problem+json"
PATIENCE = 60  # in seconds; longer than any request waits for events
# What the callback is given comes from Xero, and whatever it is the browser lands somewhere.
TAKES_ANYTHING = {"finishConnection"}
MALFORMED = {"invalid_request", "invalid_return_to"}
XEROS_OWN = [
    checks.content_type_conformance,
    checks.negative_data_rejection,
    checks.positive_data_acceptance,
]


every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)


@every_operation
def test_an_operation_answers_as_documented(running: Live, operation: Any) -> None:
    """S1, S18, S43, S47."""
    calls(running, operation, quick)


@pytest.mark.soak
@every_operation
def test_an_operation_answers_as_documented_for_long(running: Live, operation: Any) -> None:
    calls(running, operation, long)


def test_what_one_operation_answers_another_takes(running: Live) -> None:
    """S47: in any order, with ids that are really there."""
    journeys(running).run(settings=settings(quick, max_examples=16, stateful_step_count=12))

    assert ("issueToken", 200) in running.heard


@pytest.mark.soak
def test_what_one_operation_answers_another_takes_for_long(running: Live) -> None:
    few = settings(quick, derandomize=False, max_examples=8, stateful_step_count=30)
    ended = 0
    for _ in range(15):
        # What is asked follows from what was answered, and no two answers are quite the same: of
        # many journeys one may begin as another did and then go on differently.
        with contextlib.suppress(FlakyStrategyDefinition):
            journeys(running).run(settings=few)
            ended += 1
    assert ended > 10


def calls(running: Live, operation: Any, how: settings) -> None:
    """Call one operation, by everybody, with what is valid, what is nearly, and what is not."""

    @how
    @given(data=st.data())
    def call(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(GenerationMode))
        case: Call = data.draw(operation.as_strategy(mode))
        if mode is GenerationMode.POSITIVE and data.draw(st.booleans()):
            aim(case, running)
        caller = data.draw(st.sampled_from(sorted(running.callers)))
        headers = dict(running.callers[caller])
        answer = case.call(base_url=running.url, headers=headers, timeout=PATIENCE)
        valid(answer, case, headers)

    call()


def aim(case: Call, at: Live) -> None:
    """Name what is there, so that more than "not found" is heard; but end nothing."""
    if "bindingId" in (case.path_parameters or {}):
        case.path_parameters["bindingId"] = at.binding_id
    if "path" in (case.path_parameters or {}):
        case.path_parameters["path"] = "api.xro/2.0/Contacts"
    if "grantId" in (case.query or {}):
        case.query["grantId"] = at.grant_id
    if isinstance(case.body, dict) and "grantId" in case.body:
        case.body["grantId"] = at.grant_id


def valid(response: Any, case: Call, headers: dict[str, str], *, but: Sequence[Any] = ()) -> None:
    """Check all that can be checked of this operation."""
    name = operation_id(case)
    excluded = list(but)
    if name in TAKES_ANYTHING:
        excluded.append(checks.negative_data_rejection)
    if response.headers.get("content-type") == [PROBLEM]:
        # Understood and refused: where a path leads, what a consent reaches.
        if response.json()["code"] not in MALFORMED:
            excluded.append(checks.positive_data_acceptance)
    elif name.startswith("callXero"):
        excluded += XEROS_OWN
    case.validate_response(response, headers=headers, excluded_checks=excluded)


def journeys(running: Live) -> Any:
    """Calls that follow from each other: what one answers is what the next one asks for."""

    class Journeys(SCHEMA.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Call) -> None:
            if "path" in (case.path_parameters or {}):
                case.path_parameters["path"] = "api.xro/2.0/Contacts"
            if "wait" in (case.query or {}):
                case.query["wait"] = 0  # for events: a journey has no time for it
            if case.headers:
                case.headers.pop("X-Org-Id", None)

        def get_call_kwargs(self, case: Call) -> dict[str, Any]:
            headers = dict(running.callers[most_able(case)])
            return {"base_url": running.url, "headers": headers, "timeout": PATIENCE}

        def validate_response(self, response: Any, case: Call, **options: Any) -> None:
            running.heard.add((operation_id(case), response.status_code))
            # What one answers may be null, and null is not what another takes.
            valid(response, case, options["headers"], but=[checks.positive_data_acceptance])

    return Journeys


def most_able(case: Call) -> str:
    """Who is most likely to be let in."""
    security = case.operation.definition.raw.get("security", [])
    return "key" if {"serviceKey": []} in security else "admin"


def operation_id(case: Call) -> str:
    return str(case.operation.definition.raw["operationId"])
