import http.server
import json
import threading
import time

import pytest

from options_pricing.release import health
from options_pricing.release.health import API_KEY, BAD_ANSWERS, GOOD_ANSWERS, Api, Seen, serves, watch
from options_pricing.release.verify import read_manifest
from options_pricing.run.errors import BadParamsError

OTHER = "f" * 12


class Answers:
    """An API on a port of its own that answers what it is told to."""

    def __init__(self) -> None:
        self.ready, self.price, self.wait, self.headers = (200, {}), (200, {}), 0.0, {}
        told = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(told.ready)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(told.wait)
                self.answer(told.price)

            def answer(self, what):
                told.headers = dict(self.headers)
                status, body = what
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.api = Api(f"http://127.0.0.1:{self.server.server_address[1]}")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def running():
    answers = Answers()
    yield answers
    answers.close()


@pytest.fixture
def held(staged):
    return read_manifest(staged / "manifest.json")


@pytest.fixture
def good(running, held):
    """An API that serves the release as it must."""
    options = [{"price": row.predicted_price} for row in held.golden_rows]
    running.ready = (200, {"release_id": held.release_id, "refused": None, "standing": "live"})
    running.price = (200, {"release_id": held.release_id, "options": options})
    return running


def test_what_serves_as_it_must_is_good(good, held, monkeypatch):
    assert good.api.look(held) == Seen("good", "")
    assert "Authorization" not in good.headers
    monkeypatch.setenv(API_KEY, "an API key of this test")
    assert good.api.look(held).verdict == "good"
    assert good.headers["Authorization"] == "Bearer an API key of this test"


@pytest.mark.parametrize(
    ("change", "verdict", "word"),
    [
        (lambda a, m: {"ready": (503, {"detail": "3 of 12"})}, "bad", "503: 3 of 12"),
        (lambda a, m: {"ready": (500, {})}, "bad", "500"),
        (lambda a, m: {"ready": (200, {"release_id": OTHER, "refused": None})}, "not yet", f"{OTHER} serves"),
        (lambda a, m: {"ready": (200, {"refused": m.release_id, "trouble": "spoilt"})}, "bad", "spoilt"),
        (lambda a, m: {"ready": (200, b"<html>")}, "bad", "no answer"),
        (lambda a, m: {"price": (500, {"detail": "a bug"})}, "bad", "500: a bug"),
        (lambda a, m: {"price": (429, {})}, "not yet", "no more requests"),
        (lambda a, m: {"price": (200, a.price[1] | {"release_id": OTHER})}, "not yet", f"{OTHER} serves"),
        (lambda a, m: {"price": (200, a.price[1] | {"options": a.price[1]["options"][1:]})}, "bad", "no answer"),
        (lambda a, m: {"price": (200, priced(a, None))}, "bad", "1 of 12"),
        (lambda a, m: {"price": (200, priced(a, a.price[1]["options"][0]["price"] * (1 + 1e-11)))}, "bad", "1 of 12"),
        (lambda a, m: {"price": (200, priced(a, a.price[1]["options"][0]["price"] * (1 + 5e-13)))}, "good", ""),
        (lambda a, m: {"wait": 5.0}, "bad", "no answer within"),
    ],
)
def test_what_else_it_does_is_told(good, held, change, verdict, word):
    for name, value in change(good, held).items():
        setattr(good, name, value)
    seen = good.api.look(held)
    assert seen.verdict == verdict
    assert word in seen.why


def priced(answers: Answers, first: float | None) -> dict:
    body = answers.price[1]
    return body | {"options": [{"price": first}, *body["options"][1:]]}


def test_where_nobody_listens_nothing_follows_and_nothing_is_good(good, held):
    assert good.api.follows_releases()
    good.ready = (200, {"release_id": OTHER, "standing": "fixed"})
    assert not good.api.follows_releases()
    good.ready = (200, b"<html>")
    assert good.api.follows_releases()
    good.close()
    assert good.api.ready() is None
    assert not good.api.follows_releases()
    assert good.api.look(held).verdict == "bad"
    assert not serves(good.api, [held.release_id], seconds=5)


def test_whether_it_serves_is_asked_until_it_does(good, held):
    assert serves(good.api, [held.release_id], seconds=5)
    assert not serves(good.api, [OTHER], seconds=0.3)


def test_it_does_not_serve_while_one_worker_still_answers_with_the_release_before(held, monkeypatch):
    workers = Workers([{"release_id": held.release_id}, {"release_id": OTHER}])
    monkeypatch.setattr(health.time, "monotonic", lambda: workers.asked / 10)
    monkeypatch.setattr(health.time, "sleep", lambda seconds: None)
    assert not serves(workers, [held.release_id], seconds=3)
    assert workers.asked > 20
    workers.answers.pop()
    assert serves(workers, [held.release_id], seconds=3)


class Workers:
    """An API whose workers answer in turn."""

    def __init__(self, answers):
        self.answers, self.asked = answers, 0

    def ready(self):
        self.asked += 1
        return self.answers[self.asked % len(self.answers)]


@pytest.mark.parametrize(
    "address", ["", "localhost:8000", "ftp://127.0.0.1", "http://", "http://127.0.0.1:x", "http://127.0.0.1:8000/price"]
)
def test_what_is_no_address_is_told(address):
    with pytest.raises(BadParamsError, match="no address"):
        Api(address)


class Scripted(Api):
    """An API whose looks are given; the last one for ever."""

    def __init__(self, *verdicts: str) -> None:
        super().__init__("http://127.0.0.1:1")
        object.__setattr__(self, "verdicts", list(verdicts))

    def look(self, manifest):
        verdict = self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]
        return Seen(verdict, f"it was {verdict}")


def watched(*verdicts: str, patience: float = 60.0) -> str | None:
    return watch(Scripted(*verdicts), None, patience=patience, pause=lambda seconds: None)


def test_enough_good_answers_in_a_row_end_the_watch(held):
    assert watched("not yet", *["good"] * (GOOD_ANSWERS - 1), "not yet", "good") is None
    assert watched("bad", "good") is None


def test_a_second_bad_answer_ends_it_whatever_lies_between():
    assert BAD_ANSWERS == 2
    assert watched("bad", "good", "good", "bad") == "it was bad"


def test_a_release_that_some_worker_never_takes_up_ends_it_in_time(monkeypatch):
    monkeypatch.setattr(health, "PAUSE_SECONDS", 0)
    assert "not every worker had taken it up after 0.1 s" in watched(*["good", "not yet"] * 10**6, patience=0.1)
