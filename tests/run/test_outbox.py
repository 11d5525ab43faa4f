import json

import pandas as pd
import pytest

from options_pricing.run import outbox as outbox_module
from options_pricing.run.alerts import Alert
from options_pricing.run.outbox import LONGEST_SPOOL, Outbox
from options_pricing.run.targets import Targets


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.at = pd.Timestamp("2026-11-20T23:00Z")

    def __call__(self):
        return self.at

    def later(self, **by):
        self.at += pd.Timedelta(**by)


class Recorder(Targets):
    """Targets that remember what they took, and take nothing while they are down."""

    def __init__(self, urls):
        super().__init__(urls)
        self.down, self.asked, self.messages = set(), 0, []

    def deliver(self, messages, seconds):
        self.asked += 1
        taken = {id: [] if id in self.down else list(letters) for id, letters in messages.items()}
        self.messages += [(id, letter) for id, letters in taken.items() for letter in letters]
        return {id: len(letters) for id, letters in taken.items()}

    @property
    def titles(self):
        return [letter.title for _, letter in self.messages]

    @property
    def first_lines(self):
        return [letter.body.split("\n")[0] for _, letter in self.messages]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def hook():
    return Recorder(["json://localhost/hook"])


@pytest.fixture
def outbox(tmp_path, hook, clock):
    return Outbox(tmp_path / "alerts", hook, now=clock)


def alert(number=1, **more):
    return Alert(("failed",), f"data_fetch 202611{number:02}", f"it failed {number}", "so", "do that", **more)


def state(outbox):
    return json.loads(outbox.file.read_text())


def test_an_alert_is_told_once(outbox, hook):
    for _ in range(3):
        outbox.note([alert()])
        outbox.send(5)
    assert hook.titles == ["options-pricing: task failed: data_fetch 20261101"]
    assert hook.messages[0][1].body == "it failed 1\nwhy: so\nfix: do that"


def test_another_cause_is_another_alert(outbox, hook):
    outbox.note([alert(detail="69")])
    outbox.note([alert(detail="74")])
    outbox.send(5)
    assert len(hook.messages) == 2


def test_what_is_mended_is_told_once_and_may_break_again(outbox, hook):
    outbox.note([], mended=["failed/data_fetch 20261101/"])  # nothing was broken
    outbox.note([alert()])
    for _ in range(2):
        outbox.note([], mended=["failed/data_fetch 20261101/"])
    outbox.note([alert()])
    outbox.send(5)
    failed, recovered = "options-pricing: task failed", "options-pricing: recovered: task failed"
    assert [title.rsplit(":", 1)[0] for title in hook.titles] == [failed, recovered, failed]
    assert [letter.good for _, letter in hook.messages] == [False, True, False]
    assert "2026-11-20T23:00:00Z" in hook.messages[1][1].body


def test_while_the_target_is_down_alerts_wait_and_come_in_their_order_later(outbox, hook, clock):
    hook.down = {*hook.ids}
    outbox.note([alert(1), alert(2)])
    outbox.send(5)
    asked = hook.asked
    outbox.note([alert(3)])
    outbox.send(5)  # it rests: this run is not held up again
    assert hook.asked == asked and hook.messages == []
    hook.down = set()
    clock.later(minutes=16)
    outbox.send(5)
    assert hook.first_lines == [f"it failed {n}" for n in (1, 2, 3)]
    outbox.send(5)
    assert len(hook.messages) == 3 and state(outbox)["waiting"] == []


def test_what_one_target_has_taken_is_sent_to_the_other_alone(tmp_path, clock):
    two = Recorder(["json://localhost/1", "json://localhost/2"])
    outbox = Outbox(tmp_path / "alerts", two, now=clock)
    two.down = {two.ids[1]}
    outbox.note([alert()])
    outbox.send(5)
    two.down = set()
    outbox.send(5, at_once=True)
    assert [id for id, _ in two.messages] == two.ids
    assert state(outbox)["waiting"] == []


def test_many_alerts_come_as_one(outbox, hook):
    outbox.note([alert(number) for number in range(1, 9)])
    outbox.send(5)
    ((_, message),) = hook.messages
    assert message.title == "options-pricing: 8 alerts"
    places = [message.body.index(f"it failed {number}\n") for number in range(1, 9)]
    assert places == sorted(places)
    assert state(outbox)["waiting"] == []


def test_a_storm_of_alerts_is_held_back(outbox, hook, clock):
    for number in range(1, 31):
        outbox.note([alert(number)])
        outbox.send(5)
    assert len(hook.messages) == 10
    clock.later(minutes=11)
    outbox.send(5)
    assert hook.titles[10:] == ["options-pricing: 20 alerts"]


def test_the_spool_is_bounded_and_says_what_it_dropped(outbox, hook, clock, monkeypatch):
    monkeypatch.setattr(outbox_module, "LONGEST_SPOOL", 3)
    hook.down = {*hook.ids}
    for number in range(1, 6):
        outbox.note([alert(number)])
    assert len(state(outbox)["waiting"]) == 3 and LONGEST_SPOOL == 200
    hook.down = set()
    outbox.send(5)
    assert hook.first_lines == [f"it failed {n}" for n in (3, 4, 5)]
    assert "2 older alerts were dropped" in hook.messages[-1][1].body
    outbox.note([alert(6)])
    outbox.send(5)
    assert "dropped" not in hook.messages[-1][1].body


def test_nobody_is_told_of_last_week(outbox, hook, clock):
    hook.down = {*hook.ids}
    outbox.note([alert(1)])
    clock.later(days=8)
    outbox.note([alert(2)])
    hook.down = set()
    outbox.send(5)
    assert hook.first_lines == ["it failed 2"]


def test_fault_72_no_secret_is_sent_or_kept(outbox, hook, monkeypatch):
    monkeypatch.setenv("DATA_API_KEY", "canary-7f3a91")
    outbox.note(
        [
            Alert(
                ("failed",),
                "data_fetch 20261120",
                "got canary-7f3a91",
                "from json://localhost/hook?k=1",
                "see canary-7f3a91",
            )
        ]
    )
    outbox.send(5)
    assert "[DATA_API_KEY]" in hook.messages[0][1].body
    everything = outbox.file.read_text() + str(hook.messages)
    assert "canary" not in everything and "/hook" not in everything


@pytest.mark.parametrize("torn", [b"", b'{"number": 1, "op', b"[]", b"{}", b"\xff", b'{"number": "1"}'])
def test_a_torn_file_is_begun_anew(outbox, hook, torn):
    outbox.folder.mkdir()
    outbox.file.write_bytes(torn)
    outbox.note([alert()])
    outbox.send(5)
    assert len(hook.messages) == 1


def test_a_task_that_finds_another_sending_goes_on(outbox, hook):
    outbox.note([alert()])
    with outbox._locked("send.lock", 0):
        outbox.send(5)
    assert hook.messages == []
    outbox.send(5)
    assert len(hook.messages) == 1
