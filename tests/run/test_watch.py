import json

import pytest

from options_pricing.cli import main
from options_pricing.run.errors import ExitCode
from options_pricing.run.targets import VARIABLE
from options_pricing.run.watch import STAGES

DAY = "20261120"
EVENING = "2026-11-20T19:05"


@pytest.fixture
def checkout(tmp_path, root):
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").touch()
    (tmp_path / "params.yaml").write_text("{}")
    return tmp_path


def has_run(checkout, day=DAY, until=3, status="passed"):
    for _, file in STAGES[:until]:
        path = checkout / file.format(day=day)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"status": status}))


def check(checkout, at=EVENING):
    return main(["alerts", "check", "--folder", str(checkout), "--at", at])


def test_a_session_without_a_run_at_its_deadline_is_told_once(checkout, hook, capsys):
    assert check(checkout, "2026-11-20T18:59") == 0
    assert hook.messages == []
    for at in ("19:00", "19:15", "23:59"):
        assert check(checkout, f"2026-11-20T{at}") == ExitCode.NO_RUN == 83
    (message,) = hook.messages
    assert message["title"] == "options-pricing: no run: 20261120"
    for part in (
        "at 19:00 in New York",
        "data_fetch has not ended",
        "make daily DATE=20261120",
        "backfill --from 20261120",
    ):
        assert part in message["message"]
    assert "no run of 20261120" in capsys.readouterr().out


def test_a_session_that_has_run_is_quiet(checkout, hook):
    has_run(checkout)
    assert check(checkout) == 0
    assert hook.messages == []


@pytest.mark.parametrize(("until", "task"), [(1, "data_validate"), (2, "feature_engineer")])
def test_where_the_run_stopped_is_told(checkout, hook, until, task):
    has_run(checkout, until=until)
    assert check(checkout) == 83
    assert f"{task} has not ended" in hook.messages[0]["message"]


def test_a_halted_day_has_run(checkout, hook):
    has_run(checkout, until=2, status="halted")
    assert check(checkout) == 0
    assert hook.messages == []


@pytest.mark.parametrize(
    "at",
    ["2026-11-21T19:30", "2026-11-22T23:00", "2026-11-26T19:30", "2026-12-25T20:00", "2025-01-09T19:30"],
    ids=["saturday", "sunday", "thanksgiving", "christmas", "day of mourning"],
)
def test_a_day_without_a_session_is_quiet(checkout, hook, at):
    assert check(checkout, at) == 0
    assert hook.messages == []


def test_a_closure_that_the_calendar_does_not_know_yet_is_quiet(checkout, hook):
    (checkout / "params.yaml").write_text("run: {without: ['20261119']}")
    assert check(checkout, "2026-11-19T19:30") == 0
    assert hook.messages == []


def test_the_recovery_is_told_whenever_it_comes(checkout, hook):
    assert check(checkout) == 83
    has_run(checkout)
    for _ in range(2):
        assert check(checkout, "2026-11-21T09:00") == 0
    assert hook.titles == ["options-pricing: no run: 20261120", "options-pricing: recovered: no run: 20261120"]


def test_the_end_of_the_calendar_is_told_once(checkout, hook):
    has_run(checkout, "20281102")
    has_run(checkout, "20281103")
    for at in ("2028-11-02T19:30", "2028-11-03T19:30"):
        assert check(checkout, at) == 0
    (message,) = hook.messages
    assert "calendar ends soon" in message["title"] and "upgrade" in message["message"]


def test_a_wrong_parameter_file_does_not_blind_the_watch(checkout, hook, capsys):
    (checkout / "params.yaml").write_text("run: {dat: 1}")
    assert check(checkout) == 83
    assert len(hook.messages) == 1
    has_run(checkout)
    assert check(checkout) == 78
    assert "run.dat: no such key" in capsys.readouterr().err


def test_without_targets_the_check_is_made_all_the_same(checkout, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert check(checkout) == 83
    assert not (checkout / "logs").exists()


def test_what_waited_is_sent_by_the_next_check(checkout, hook):
    hook.answer(500)
    assert check(checkout) == 83
    hook.answer(200)
    assert check(checkout, "2026-11-20T19:06") == 83
    assert hook.titles == ["options-pricing: no run: 20261120"]


def test_a_test_is_sent_to_every_target(hook, capsys):
    assert main(["alerts", "test"]) == 0
    assert hook.titles == ["options-pricing: test"]
    assert capsys.readouterr().out == "target 1 of 1 took the test\n"
    hook.answer(500)
    assert main(["alerts", "test"]) == 69
    assert "did not take it" in capsys.readouterr().out


def test_fault_33_a_test_without_targets_names_the_variable(monkeypatch, capsys):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert main(["alerts", "test"]) == 78
    said = capsys.readouterr().err
    assert VARIABLE in said and len(said.splitlines()) <= 5


@pytest.mark.parametrize(
    ("at", "day"),
    [("2026-11-21T01:30", "20261120"), ("2026-11-27T13:00", "20261127"), ("2026-11-26T18:00", "20261125")],
)
def test_today_is_the_newest_session_that_has_closed(capsys, at, day):
    assert main(["today", "--at", at]) == 0
    assert capsys.readouterr().out == f"{day}\n"
