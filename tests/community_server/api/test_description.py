"""The API describes itself: each route with a summary, refusals, and examples that are true."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from community_server.address_limits import AddressLimits
from community_server.api.description import PREFIX, describe_api, own_refusals
from community_server.api.examples import ANSWERS
from community_server.api.refusals import REFUSALS
from community_server.app import make_app
from community_server.doors.service import add_door
from community_server.estate import Estate
from community_server.pages import PAGES
from tests.community_server.bench import PASSWORD, Bench
from tests.community_server.in_process import InProcess
from tests.support.schemas import misfits
from tier_kit.forms.limits import RateLimit
from tier_kit.language import LANGUAGES
from tier_kit.openapi import MISSING, Words

ESTATE = SimpleNamespace(addresses=AddressLimits(RateLimit(1)))
DOCUMENT = describe_api(make_app(cast("Estate", ESTATE)))
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


@pytest.fixture(scope="module")
def database() -> str:
    """SQLite: what this is about is the same on both."""
    return ""


def media(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the JSON that an operation takes and gives when all is well."""
    found = [("request", operation.get("requestBody", {}))]
    found += [
        (status, one) for status, one in operation["responses"].items() if status.startswith("2")
    ]
    return [
        (name, one["content"]["application/json"])
        for name, one in found
        if "application/json" in one.get("content", {})
    ]


@pytest.mark.parametrize("key", OPERATIONS)
def test_every_route_has_a_summary_and_examples_that_fit_their_own_schema(key: str) -> None:
    operation = OPERATIONS[key]
    assert operation["summary"].endswith(".")
    for name, one in media(operation):
        assert one["example"] not in ({}, [{}]), name
        assert f'"{MISSING}"' not in json.dumps(one["example"]), name
        assert list(misfits(one["example"], one["schema"], SCHEMAS)) == [], name


@pytest.mark.parametrize("key", OPERATIONS)
def test_every_route_says_what_it_refuses_with_a_sentence_for_each_code(key: str) -> None:
    operation = OPERATIONS[key]
    refused = {status: one for status, one in operation["responses"].items() if status >= "4"}
    assert "500" in refused
    for status, one in refused.items():
        described = one["content"]["application/json"]
        for code, example in described["examples"].items():
            assert code in one["description"], status
            assert list(misfits(example["value"], described["schema"], SCHEMAS)) == []
    codes = [code for _, code in own_refusals(key)]
    for language in LANGUAGES:
        assert set(codes) <= PAGES.catalogue.branch(language, "errors").keys()


def test_no_line_of_refusals_or_answers_is_left_without_a_route() -> None:
    for key in (*REFUSALS, *ANSWERS):
        method, _, path = key.partition(" ")
        assert f"{method} {PREFIX}{path}" in OPERATIONS, key


def test_what_is_shown_of_answers_without_a_schema_is_what_comes(bench: Bench) -> None:
    """Whoever writes a program by the examples meets the same fields."""
    with bench.estate.changer.change() as change:
        add_door(change.session, "Gate", "both")
    bench.estate.thresholds.measure_people(bench.estate.book)
    met = set()
    with InProcess(bench.estate) as desk:
        desk.send("session/proof", {"password": PASSWORD})
        desk.send("companies", {"name": "Shunfeng", "kind": "courier"})
        desk.send("webhooks", {"name": "Other", "url": "https://example.org/x", "kinds": []})
        scopes = {"name": "Other", "scopes": ["see-doors"], "expires_at": 2**31}
        desk.send(
            "tokens", scopes | {"expires_at": desk.call("account/sessions")[0]["used_at"] + 9}
        )
        for key, example in ANSWERS.items():
            method, _, path = key.partition(" ")
            if method == "GET" and "{" not in path and (answer := desk.call(path[1:])):
                assert shape(answer) == shape(example), key
                met.add(key)
    assert len(met) > 10


def shape(value: Any) -> Any:
    """Return the names of the fields, of the first of each list."""
    if isinstance(value, list):
        return shape(value[0]) if value else None
    return sorted(value) if isinstance(value, dict) else None


def test_the_description_that_is_served_is_this_one(bench: Bench) -> None:
    with InProcess(bench.estate) as desk:
        assert desk.call("openapi.json") == json.loads(json.dumps(DOCUMENT))


def test_a_text_without_an_example_is_marked() -> None:
    model = {"type": "object", "properties": {"name": {"type": "string"}}}
    known = {"Person": model}
    reference = {"$ref": "#/components/schemas/Person"}
    assert Words(known, {}).example(reference) == {"name": MISSING}
    assert Words(known, {"name": "Ada"}).example(reference) == {"name": "Ada"}
    assert Words(known, {"name": 1, "Person.name": "Bo"}).example(reference) == {"name": "Bo"}


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1, {"type": "string"}),
        (True, {"type": "integer"}),
        ("ab", {"type": "string", "maxLength": 1}),
        ("a", {"type": "string", "pattern": "^b"}),
        ({}, {"type": "object", "required": ["x"]}),
        ({"y": 1}, {"type": "object", "properties": {"x": {"type": "integer"}}}),
        ([1], {"type": "array", "items": {"type": "string"}}),
        ("c", {"enum": ["a", "b"]}),
        (None, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (7, {"type": "integer", "maximum": 6}),
        ("a", {"type": "string", "contains": "?"}),
    ],
)
def test_what_does_not_fit_a_schema_is_found(value: object, schema: dict[str, Any]) -> None:
    assert list(misfits(value, schema, {})) != []
