"""The OpenAPI document is true: what it says is asked is taken, what it says is answered is answered."""

import json
import re
from collections import Counter
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from options_pricing.serving.api import PATHS, create_app
from options_pricing.serving.keys import Keys

# So many operations take a number or a text that is free; the others have a handful of cases, whatever is asked for.
MANIFOLD = 7
CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def app(staged):
    return create_app(staged)


@pytest.fixture(scope="module")
def document(app):
    return app.test_client().get("/openapi.json").json


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_fault_68_whatever_is_asked_is_answered_as_the_document_says(app, mode, request):
    """Both what the document allows and what it does not; `pytest --cases 10000` tries more."""
    operations = [found.ok() for found in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations()]
    each = -(-request.config.getoption("--cases") // (len(GenerationMode) * MANIFOLD))
    statuses: Counter[int] = Counter()
    for operation in operations:
        _try(operation, mode, each, statuses)
    print(f"{mode.value}: {statuses.total()} cases of {len(operations)} operations, {dict(sorted(statuses.items()))}")
    assert not [status for status in statuses if status >= 500]
    assert statuses[200] or mode is GenerationMode.NEGATIVE


def _try(operation, mode, count: int, statuses: "Counter[int]") -> None:
    @settings(max_examples=count, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        response = case.call_and_validate(checks=CHECKS)
        statuses[response.status_code] += 1

    # An operation without any input can not be asked wrongly.
    with suppress(Unsatisfiable):
        check()


def test_every_path_is_described_and_none_that_is_not_there(app, document):
    ruled = {re.sub(r"<(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    assert set(document["paths"]) == ruled
    for path in ruled:
        assert re.sub(r"{(\w+)}", r"<\1>", path) in PATHS or path.startswith("/v2")


def test_every_operation_has_a_summary_an_answer_and_the_problem(document):
    for held in document["paths"].values():
        for operation in held.values():
            assert operation["summary"]
            assert operation["responses"]["200"]["description"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_every_example_is_answered(app, document):
    client, asked = app.test_client(), 0
    for path, held in document["paths"].items():
        for method, operation in held.items():
            given = {p["name"]: p["example"] for p in operation.get("parameters", []) if "example" in p}
            address = re.sub(r"{(\w+)}", lambda found, given=given: str(given[found[1]]), path)
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
            query = {name: value for name, value in given.items() if name in named}
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for example in content.get("examples", {"none": {}}).values():
                answer = client.open(address, method=method.upper(), query_string=query, json=example.get("value"))
                assert answer.status_code == 200, (method, path, answer.text)
                asked += 1
    assert asked == 16


def test_keys_are_described_where_there_are_any(staged, document):
    assert "securitySchemes" not in document["components"]
    keyed = create_app(staged, keys=Keys((("desk", "0" * 64),)))
    headers = {"X-API-Key": "none"}
    assert keyed.test_client().get("/openapi.json", headers=headers).status_code == 401


def test_the_document_is_strict_json(app):
    json.loads(app.test_client().get("/openapi.json").data, parse_constant=pytest.fail)
