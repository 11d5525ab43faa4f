"""Keys at the door, rates, headers, metrics and the access log."""

import json
import logging
from dataclasses import replace
from datetime import date

import pytest
from limits import parse

from options_pricing.serving import access
from options_pricing.serving.api import create_app
from options_pricing.serving.current import CurrentRelease
from options_pricing.serving.keys import Keys, hash_of, new_key
from options_pricing.serving.problems import PROBLEM

READY = "/v2/health/ready"
OPEN = {"/v2/health/live", READY}
PATHS = ["/price", "/greeks", "/smile", "/surface", "/model", "/metrics", "/openapi.json", "/v2", "/predict/1/1/0.1"]


@pytest.fixture(scope="module")
def key():
    return new_key()


@pytest.fixture(scope="module")
def guarded(staged, key):
    """The client of an API that needs a key."""
    return create_app(staged, today=lambda: date(2026, 11, 23), keys=Keys((("desk", hash_of(key)),))).test_client()


@pytest.fixture(scope="module")
def plain(staged):
    return create_app(staged).test_client()


def test_every_path_but_health_needs_a_key(guarded, key):
    ruled = {rule.rule for rule in guarded.application.url_map.iter_rules()}
    for path in OPEN:
        assert guarded.get(path).status_code == 200
    for path in [*PATHS, "/nothing", "/v2/models/options_pricing/ready"]:
        refused = guarded.get(path)
        assert (refused.status_code, refused.mimetype) == (401, PROBLEM)
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert guarded.get(path, headers={"X-API-Key": key}).status_code != 401
    assert guarded.post("/price", json={}).status_code == 401
    assert ruled >= OPEN | {path for path in PATHS if "predict" not in path}


def test_why_a_release_is_refused_is_told_only_to_who_has_a_key(guarded, plain, key, monkeypatch):
    why = "release 0123456789ab is refused: the process that tried it wrote last: /home/ann/secret"
    monkeypatch.setattr(CurrentRelease, "trouble", why)
    monkeypatch.setattr(CurrentRelease, "refused", "0123456789ab")
    known = {"X-API-Key": key}
    for answer, trouble in (
        (guarded.get(READY), None),
        (guarded.get(READY, headers=known), why),
        (plain.get(READY), why),
    ):
        assert (answer.status_code, answer.json["trouble"], answer.json["refused"]) == (200, trouble, "0123456789ab")
    served = CurrentRelease.serving.fget
    monkeypatch.setattr(
        CurrentRelease, "serving", property(lambda self: replace(served(self), unfit="3 of 12 golden prices differ"))
    )
    assert "golden" not in guarded.get(READY).text
    assert "golden" in guarded.get(READY, headers=known).text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_is_taken_as_bearer_too(guarded, key, scheme):
    assert guarded.get("/v2", headers={"Authorization": f"{scheme} {key}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic aaaa"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"X-API-Key": ""},
        {"X-API-Key": "x" * 4000},
        {"X-API-Key": "\xff\xfe"},
    ],
)
def test_what_is_no_key_is_401(guarded, headers):
    assert guarded.get("/v2", headers=headers).status_code == 401


def test_a_key_in_the_address_is_no_key(guarded, key):
    assert guarded.get("/v2", query_string={"api_key": key, "X-API-Key": key}).status_code == 401


def test_a_wrong_key_beside_a_bearer_is_not_made_up_for(guarded, key):
    headers = {"Authorization": f"Bearer {new_key()}", "X-API-Key": key}
    assert guarded.get("/v2", headers=headers).status_code == 401


def test_who_asks_too_often_is_429_with_retry_after_and_others_are_served(staged, key):
    other = new_key()
    keys = Keys((("desk", hash_of(key)), ("risk", hash_of(other))))
    client = create_app(staged, keys=keys, rate="3/minute").test_client()
    found = [client.get("/v2", headers={"X-API-Key": key}) for _ in range(5)]
    assert [answer.status_code for answer in found] == [200] * 3 + [429] * 2
    assert 0 < int(found[-1].headers["Retry-After"]) <= 60
    assert found[-1].mimetype == PROBLEM
    assert client.get("/v2", headers={"X-API-Key": other}).status_code == 200
    assert client.get("/v2/health/live").status_code == 200


def test_an_unkeyed_flood_is_429_by_its_address(staged):
    client = create_app(staged, rate="2/minute").test_client()
    assert [client.get("/nothing").status_code for _ in range(3)] == [404, 404, 429]


def test_the_next_window_forgets_who_asked_in_the_one_before(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(access.time, "monotonic", lambda: clock[0])
    window = access.Window(parse("2/minute"))
    assert [window.admits("address 1") for _ in range(3)] == [True, True, False]
    assert window.admits("address 2")
    clock[0] += 20.5
    assert (window.admits("address 1"), window.seconds_left()) == (False, 40)
    clock[0] += 40
    assert [window.admits("address 1") for _ in range(3)] == [True, True, False]


def test_wrong_keys_are_429_once_there_are_many(staged, key):
    client = create_app(staged, keys=Keys((("desk", hash_of(key)),)), rate="2/minute").test_client()
    found = [client.get("/v2", headers={"X-API-Key": new_key()}).status_code for _ in range(3)]
    assert found == [401, 401, 429]
    assert client.get("/v2", headers={"X-API-Key": key}).status_code == 200


def test_every_answer_has_the_headers_that_close_it(plain, guarded):
    for answer in (
        plain.get("/v2"),
        plain.get("/nothing"),
        plain.post("/price"),
        guarded.get("/v2"),
        plain.delete("/v2"),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert len(answer.headers["X-Request-ID"]) == 16
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


def test_no_other_origin_may_ask(plain):
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    preflight = plain.options("/price", headers=headers)
    assert preflight.status_code == 405
    assert not [name for name, _ in preflight.headers if name.lower().startswith("access-control-")]


def test_without_keys_a_name_that_is_not_of_this_machine_is_refused(plain, guarded, key):
    for host in ("elsewhere.example", "127.0.0.1.elsewhere.example", ""):
        assert plain.get("/v2", headers={"Host": host}).status_code == 400
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert plain.get("/v2", headers={"Host": host}).status_code == 200
    # With keys the address is others' too, under names that nobody knows here.
    assert guarded.get("/v2", headers={"Host": "prices.example", "X-API-Key": key}).status_code == 200


def test_metrics_count_requests_and_options(plain, staged):
    def counted(name: str) -> float:
        lines = plain.get("/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    options = "options_pricing_options_priced_total"
    refused = 'options_pricing_requests_total{endpoint="none",status="404"}'
    before = counted(options), counted(refused)
    plain.get("/surface", query_string={"underlying": "IDX", "points": 5})
    plain.get("/nothing/at/all")
    assert counted(options) >= before[0] + 5
    assert counted(refused) == before[1] + 1
    assert counted("options_pricing_ready") == 1


def test_the_access_log_is_json_without_query_key_or_body(guarded, key, caplog):
    caplog.set_level(logging.INFO, "options-pricing.access")
    logging.getLogger("options-pricing.access").propagate = True
    guarded.get("/price", query_string={"underlying": "NOSUCH-SECRET"}, headers={"X-API-Key": key})
    guarded.get("/\nforged", headers={"Authorization": f"Bearer {new_key()}"})
    lines = [record.getMessage() for record in caplog.records if record.name == "options-pricing.access"]
    first, second = (json.loads(line) for line in lines)
    assert (first["path"], first["status"], first["client"], first["from"]) == ("/price", 422, "desk", "127.0.0.1")
    assert (second["status"], second["client"]) == (401, None)
    assert all("\n" not in line for line in lines)
    for secret in (key, "NOSUCH", "Bearer"):
        assert secret not in "".join(lines)
