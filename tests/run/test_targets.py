import time

import pytest
from pytest_httpserver import HTTPServer

from options_pricing.run.errors import BadParamsError
from options_pricing.run.targets import VARIABLE, Message, Targets

HELLO = Message("a head", "a text")


def test_a_message_arrives_as_it_is(hook):
    targets = Targets([hook.url])
    assert targets.deliver({id: [HELLO] for id in targets.ids}, 5) == {targets.ids[0]: 1}
    (message,) = hook.messages
    assert (message["title"], message["message"], message["type"]) == ("a head", "a text", "failure")
    targets.deliver({id: [HELLO._replace(good=True)] for id in targets.ids}, 5)
    assert hook.messages[-1]["type"] == "success"


def test_fault_29_what_a_text_quotes_is_shown_and_not_carried_out(hook):
    targets = Targets([f"{hook.url}?format=html"])
    targets.deliver({id: [Message("a head", "ticker <script>alert(1)</script> {{7*7}}\nwhy")] for id in targets.ids}, 5)
    text = hook.messages[0]["message"]
    assert "<script" not in text and "&lt;script&gt;" in text and "{{7*7}}" in text
    assert "<br" in text


def test_messages_come_in_their_order_and_none_after_a_failure(hook):
    targets = Targets([hook.url])
    letters = [Message(str(number), "x") for number in range(4)]
    assert list(targets.deliver(dict.fromkeys(targets.ids, letters), 5).values()) == [4]
    assert hook.titles == list("0123")
    hook.answer(500)
    assert list(targets.deliver(dict.fromkeys(targets.ids, letters), 5).values()) == [0]
    assert hook.asked == 5


@pytest.mark.parametrize("trickle", [False, True])
def test_a_target_that_hangs_costs_no_more_than_it_may_and_holds_up_no_other(hook, trickle):
    let_go = hook.hang(trickle=trickle)
    with HTTPServer(host="localhost") as other:
        other.expect_request("/other").respond_with_data("")
        targets = Targets([hook.url, f"json://localhost:{other.port}/other"])
        before = time.monotonic()
        taken = targets.deliver({id: [HELLO] for id in targets.ids}, 8.0)
        waited = time.monotonic() - before
    let_go.set()
    assert list(taken.values()) == [0, 1]
    assert waited < 30  # it would be 60


def test_targets_are_read_from_the_environment_and_never_shown():
    targets = Targets.from_environment({VARIABLE: " json://one/secret\n  mailto://me:secret@example.org "})
    assert len(targets.ids) == 2
    assert "secret" not in repr(targets.ids)
    assert len(Targets.from_environment({VARIABLE: "json://one/a,b,json://two/c, xml://three"}).ids) == 3
    assert Targets.from_environment({}).ids == Targets.from_environment({VARIABLE: " \n"}).ids == []


@pytest.mark.parametrize("value", ["", " ", "\n"], ids=lambda value: f"fault-33-{value!r}")
def test_a_variable_that_names_no_target_is_named(value):
    with pytest.raises(BadParamsError, match=f"{VARIABLE} names no target"):
        Targets.from_environment({VARIABLE: value}).require()


def test_fault_33_an_address_that_is_none_is_counted_but_not_quoted():
    with pytest.raises(BadParamsError) as told:
        Targets.from_environment({VARIABLE: "json://localhost/x nonsense://canary-secret"}).require()
    assert "number 2 of 2" in str(told.value)
    assert "canary" not in str(told.value)
