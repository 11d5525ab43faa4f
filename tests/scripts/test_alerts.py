"""What the tasks tell people of, from their command lines: to whom it concerns, once, and at no cost to the run."""

import hashlib
import json
import subprocess
import sys

import data_fetch
import data_validate
import feature_engineer
import pandas as pd
import pytest
import yaml

from options_pricing.run.notify import notify_of_silent_end
from options_pricing.run.params import Alerts
from options_pricing.run.targets import VARIABLE

DAY, DAY_BEFORE = "20261120", "20261119"
TINY = {"kind": "simulated", "seed": 11, "underlyings": ["XIDX"], "density": "tiny", "defects": 0.0}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder with parameters, in which tasks run."""
    monkeypatch.chdir(tmp_path)
    put_params(tmp_path)
    return tmp_path


def put_params(folder, **more):
    (folder / "params.yaml").write_text(yaml.safe_dump({"source": TINY} | more))


def fetch(day=DAY):
    return data_fetch.main(
        ["--out", f"raw/options_data_{day}.csv", "--date", day, "--log", f"logs/data_fetch_{day}.log"]
    )


def validate(day=DAY, previous=(), log="logs"):
    return data_validate.main(
        [
            *("--raw", f"raw/options_data_{day}.csv", "--out", f"validated_{day}.csv", "--date", day),
            *("--quarantine", f"quarantine_{day}.csv", "--report", f"validation_{day}.json"),
            *("--previous", *previous, "--log", f"{log}/data_validate_{day}.log"),
        ]
    )


def stale_day(folder):
    """The day's raw file with all the quotes of the day before."""
    fetch(DAY_BEFORE)
    fetch()
    before, today = (folder / f"raw/options_data_{day}.csv" for day in (DAY_BEFORE, DAY))
    real = today.read_bytes()
    put_raw(today, before.read_text().replace("2026-11-19", "2026-11-20"))
    return [str(before)], real


def put_raw(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    meta, sha256 = path.with_suffix(".meta.json"), hashlib.sha256(path.read_bytes()).hexdigest()
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"sha256": sha256}))


def test_a_failed_task_is_told_once_with_its_remedy(checkout, hook):
    for _ in range(2):
        assert fetch("20330601") == 69
    (message,) = hook.messages
    assert message["title"] == "options-pricing: task failed: data_fetch 20330601"
    what, why, fix = message["message"].splitlines()
    assert "has no 20330601" in what and why.startswith("why: ") and fix.startswith("fix: ")


def test_fault_16_a_stale_feed_halts_the_day_and_is_told_and_so_is_the_recovery(checkout, hook):
    previous, real = stale_day(checkout)
    for _ in range(2):
        assert validate(previous=previous) == 80
    assert hook.titles == ["options-pricing: day halted (feed is stale): data_validate 20261120"]
    assert "F07" in hook.messages[0]["message"] and "fetch the day again" in hook.messages[0]["message"]
    put_raw(checkout / f"raw/options_data_{DAY}.csv", real)
    assert validate(previous=previous) == 0
    assert hook.titles[1:] == ["options-pricing: recovered: day halted (feed is stale): data_validate 20261120"]


def test_a_task_that_is_interrupted_has_not_recovered(checkout, hook, monkeypatch):
    put_params(checkout, tran={})
    assert fetch() == 78
    put_params(checkout)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(data_fetch, "make_source", lambda *asked: (_ for _ in ()).throw(KeyboardInterrupt))
        fetch()
    assert len(hook.messages) == 1
    assert fetch() == 0
    assert hook.titles[1:] == ["options-pricing: recovered: task failed: data_fetch 20261120"]


def test_an_empty_chain_is_told(checkout, hook):
    fetch()
    raw = checkout / f"raw/options_data_{DAY}.csv"
    put_raw(raw, raw.read_text().splitlines()[0] + "\n")
    assert validate() == 80
    assert hook.titles == ["options-pricing: day halted (chain incomplete): data_validate 20261120"]


def test_missing_expirations_and_nulls_are_told_though_the_day_goes_on(checkout, hook):
    fetch(DAY_BEFORE)
    fetch()
    raw = checkout / f"raw/options_data_{DAY}.csv"
    table = pd.read_csv(raw, dtype=str, keep_default_na=False)
    gone = table["expiration"].max()
    table = table[table["expiration"] != gone].reset_index(drop=True)
    table.loc[::10, "bid"] = ""
    put_raw(raw, table.to_csv(index=False))
    assert validate(previous=[f"raw/options_data_{DAY_BEFORE}.csv"]) == 0
    assert hook.titles == [
        "options-pricing: chain incomplete: 20261120",
        "options-pricing: null rates are high: 20261120",
    ]
    assert gone.replace("-", "") in hook.messages[0]["message"]
    assert "of bid is null" in hook.messages[1]["message"]


def test_what_params_yaml_leaves_out_is_not_told(checkout, hook):
    put_params(checkout, alerts={"events": ["no_run"]})
    assert fetch("20330601") == 69
    assert hook.asked == 0


@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_targets_nothing_is_kept(checkout, monkeypatch, value):
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    assert fetch("20330601") == 69
    assert {path.name for path in (checkout / "logs").iterdir()} == {"data_fetch_20330601.log"}


def test_a_run_in_which_nothing_fails_leaves_nothing_and_asks_nobody(checkout, hook):
    assert fetch() == validate() == 0
    assert hook.asked == 0
    assert not (checkout / "logs/alerts").exists()


def test_targets_change_no_output(checkout, hook, monkeypatch):
    def made():
        fetch()
        validate()
        return {path: path.read_bytes() for path in checkout.rglob(f"*{DAY}*") if path.suffix != ".log"}

    before = made()
    monkeypatch.delenv(VARIABLE)
    assert made() == before


def test_a_target_that_hangs_costs_seconds_once_and_fails_nothing(checkout, root, hook):
    let_go = hook.hang(trickle=True)
    for day in ("20330601", "20330602"):
        command = [sys.executable, str(root / "scripts/data_fetch.py"), "--out", "raw/x.csv", "--date", day]
        done = subprocess.run([*command, "--log", "logs/x.log"], timeout=55, capture_output=True, text=True)
        assert done.returncode == 69
    let_go.set()
    assert hook.asked <= 1  # the second run leaves it alone
    state = json.loads((checkout / "logs/alerts/state.json").read_text())
    assert [message["title"][-8:] for message in state["waiting"]] == ["20330601", "20330602"]


@pytest.mark.parametrize("value", ["json://localhost:1/nobody", "nonsense://x", "not an address", "json://"])
def test_a_target_that_cannot_be_told_fails_nothing(checkout, monkeypatch, capsys, value):
    monkeypatch.setenv(VARIABLE, value)
    assert fetch() == 0
    assert fetch("20330601") == 69
    said = capsys.readouterr().err
    assert value not in said and "Traceback" not in said


def test_fault_54_where_nothing_can_be_kept_the_alert_is_sent_all_the_same(checkout, hook):
    (checkout / "logs").mkdir()
    (checkout / "logs/alerts").write_text("a file in the way")
    assert fetch("20330601") == 69
    assert hook.titles == ["options-pricing: task failed: data_fetch 20330601"]
    assert "event=alert_not_spooled" in (checkout / "logs/data_fetch_20330601.log").read_text()


def test_a_bug_in_telling_fails_nothing(checkout, hook, monkeypatch):
    monkeypatch.setattr("options_pricing.run.notify.Outbox", lambda *given: 1 / 0)
    assert fetch() == 0
    assert fetch("20330601") == 69
    assert "event=alert_not_sent" in (checkout / "logs/data_fetch_20330601.log").read_text()


def test_fault_72_no_secret_of_the_environment_is_sent(checkout, hook, monkeypatch):
    monkeypatch.setenv("VENDOR_API_KEY", "canary-7f3a91")
    put_params(checkout, source={"kind": "cboe_eod", "folder": "/nowhere/canary-7f3a91"})
    assert fetch() != 0
    assert "the archive /nowhere/" in hook.messages[0]["message"]
    kept = (checkout / "logs/alerts/state.json").read_text()
    assert "canary" not in kept + str(hook.messages) and "/hook" not in kept


def test_fault_32_a_wrong_parameter_file_is_told(checkout, hook):
    put_params(checkout, tran={})
    assert fetch() == 78
    assert "tran: no such key" in hook.messages[0]["message"]


def test_a_task_run_by_hand_without_a_log_tells_nobody(checkout, hook):
    assert data_fetch.main(["--out", "raw/x.csv", "--date", "20330601"]) == 69
    assert hook.asked == 0


def test_the_late_end_of_a_missed_run_is_told_by_its_last_task(checkout, hook):
    from options_pricing.cli import main

    (checkout / "workflow").mkdir()
    (checkout / "workflow/Snakefile").touch()
    assert main(["alerts", "check", "--at", "2026-11-20T19:00"]) == 83
    assert fetch() == validate() == 0
    engineer = ["--validated", f"validated_{DAY}.csv", "--out", "features.csv", "--date", DAY]
    assert feature_engineer.main([*engineer, "--log", "logs/features.log"]) == 0
    assert hook.titles == ["options-pricing: no run: 20261120", "options-pricing: recovered: no run: 20261120"]


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("2026-11-20T23:00:00.000Z INFO data_fetch event=start date=20261120\n", True),
        ("", True),
        (None, True),
        ("2026-11-20T23:00:00.000Z ERROR data_fetch event=failed date=20261120 exit_code=69\n", False),
        ("2026-11-20T23:00:00.000Z ERROR data_fetch event=bug date=20261120\nTraceback\n", False),
    ],
)
def test_a_task_that_was_killed_is_told_by_whoever_started_it(checkout, hook, log, told):
    path = checkout / "logs/data_fetch_20261120.log"
    if log is not None:
        path.parent.mkdir()
        path.write_text(log)
    for _ in range(2):
        notify_of_silent_end("data_fetch", path, Alerts(), print)
    assert hook.titles == ["options-pricing: task failed: data_fetch 20261120"] * told
    assert fetch() == 0
    assert len(hook.messages) == 2 * told  # the recovery
