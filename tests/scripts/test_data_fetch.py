import json
import os
import subprocess
import sys

import data_fetch
import pytest
import yaml

from options_pricing.run.clock import moment
from options_pricing.run.params import SimulatedSource

DAY = "20261120"
TINY = {"kind": "simulated", "seed": 11, "underlyings": ["XIDX", "XOIL"], "density": "tiny", "defects": 0.02}


@pytest.fixture
def fetch(tmp_path):
    """Run it for a day with a source section; gives the exit code."""

    def run(day=DAY, source=TINY, folder="raw", **sections):
        params = tmp_path / "params.yaml"
        params.write_text(yaml.safe_dump({"source": source, **sections}))
        out = tmp_path / folder / f"options_data_{day}.csv"
        log = tmp_path / "logs" / f"data_fetch_{day}.log"
        return data_fetch.main(["--params", str(params), "--date", day, "--log", str(log), "--out", str(out)])

    return run


def logged(tmp_path, day=DAY):
    return (tmp_path / "logs" / f"data_fetch_{day}.log").read_text()


def written(tmp_path, folder="raw"):
    return {path.name: path.read_bytes() for path in (tmp_path / folder).glob("*")}


def test_a_day_is_fetched(fetch, tmp_path):
    assert fetch() == 0
    chain = {f"options_data_{DAY}.{end}" for end in ("csv", "meta.json", "truth.csv")}
    assert set(written(tmp_path)) == chain | {f"rates_{DAY}.csv"}
    meta = json.loads(written(tmp_path)[f"options_data_{DAY}.meta.json"])
    assert (meta["source"], meta["simulated"], meta["trade_date"]) == ("simulated", True, DAY)
    assert meta["captured_at"] == "2026-11-20T21:15:00Z" and meta["request"]["seed"] == 11
    log = logged(tmp_path)
    assert "event=fetched" in log and f"rows={meta['rows']}" in log and "response_codes={}" in log
    assert "event=start" in log and "event=end" in log


def test_a_day_that_is_there_is_not_fetched_again(fetch, tmp_path):
    fetch()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "raw").glob("*")}
    assert fetch() == 0
    assert "event=already_fetched" in logged(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "raw").glob("*")} == before


def test_the_rest_of_a_killed_fetch_is_fetched_again_to_the_same_bytes(fetch, tmp_path):
    fetch()
    before = written(tmp_path)
    (tmp_path / "raw" / f"options_data_{DAY}.meta.json").unlink()
    (tmp_path / "raw" / f"options_data_{DAY}.csv").write_text("torn")
    assert fetch() == 0
    assert written(tmp_path) == before


def test_the_script_gives_the_same_bytes_in_another_process(fetch, root, tmp_path):
    fetch("20261119", folder="here")
    fetch(folder="here")
    there = tmp_path / "there" / f"options_data_{DAY}.csv"
    command = [sys.executable, str(root / "scripts/data_fetch.py"), "--params", str(tmp_path / "params.yaml")]
    environment = os.environ | {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "3"}
    subprocess.run([*command, "--date", DAY, "--out", str(there)], env=environment, check=True, capture_output=True)
    here = written(tmp_path, "here")
    assert written(tmp_path, "there") == {name: here[name] for name in here if DAY in name}


@pytest.mark.parametrize(
    ("day", "reason"), [("20261126", "holiday or closure"), ("20261121", "Saturday"), ("20250109", "holiday")]
)
def test_a_day_without_a_session_is_skipped_with_its_reason(fetch, tmp_path, day, reason):
    assert fetch(day) == 0
    log = logged(tmp_path, day)
    assert "event=no_session" in log and 'status="no session"' in log and reason in log
    assert not (tmp_path / "raw").exists()


def test_a_live_source_is_not_asked_before_the_close_and_a_day_that_is_there_stays(
    fetch, tmp_path, monkeypatch, capsys
):
    fetch("20261119")
    before = written(tmp_path)
    monkeypatch.setattr(SimulatedSource, "live", True)
    monkeypatch.setattr(data_fetch, "utc_now", lambda: moment("2026-11-20T15:59"))
    assert fetch("20261119") == 0
    assert fetch() == 69
    said = capsys.readouterr().err
    assert "the session 20261120 has not closed yet" in said and "2026-11-20 21:00 UTC" in said
    assert written(tmp_path) == before
    monkeypatch.setattr(data_fetch, "utc_now", lambda: moment("2026-11-20T16:00"))
    assert fetch() == 0


def test_fault_19_a_half_day_is_taken_at_its_own_close(fetch, tmp_path):
    assert fetch("20261127") == 0
    meta = json.loads(written(tmp_path)["options_data_20261127.meta.json"])
    assert meta["captured_at"] == "2026-11-27T18:15:00Z"  # 13:15 in New York


def test_other_sources_are_not_bound_to_the_clock(fetch, monkeypatch):
    monkeypatch.setattr(data_fetch, "utc_now", lambda: moment("2016-01-04T10:00"))
    assert fetch() == 0


def test_the_end_of_the_known_holidays_is_warned_of_in_the_log(fetch, tmp_path):
    assert fetch("20281115") == 0
    assert "WARNING data_fetch event=calendar_horizon date=20281115" in logged(tmp_path, "20281115")


@pytest.mark.parametrize("day", ["20330601", "20000601"])
def test_a_day_that_the_source_does_not_have_is_an_error_of_upstream(fetch, tmp_path, day, capsys):
    assert fetch(day) == 69
    assert not (tmp_path / "raw").exists()
    said = capsys.readouterr().err
    assert f"the simulated market has no {day}" in said and "fix:" in said and "Traceback" not in said


@pytest.mark.parametrize("day", ["20261301", "2026-11-20", "today", "99999999"])
def test_what_is_no_date_is_an_error_of_the_command(fetch, tmp_path, day, capsys):
    assert fetch(day, folder="raw") == 78
    assert "is not a date" in capsys.readouterr().err
    assert not (tmp_path / "raw").exists()


def test_other_settings_fetch_the_day_anew(fetch, tmp_path):
    fetch()
    before = written(tmp_path)
    assert fetch(source=TINY | {"seed": 12}) == 0
    assert "event=fetched" in logged(tmp_path)
    after = written(tmp_path)
    assert after.keys() == before.keys()
    assert {name for name in before if after[name] == before[name]} == {f"rates_{DAY}.csv"}
    assert fetch() == 0
    assert written(tmp_path) == before


def test_a_source_that_fails_leaves_the_old_day_whole(fetch, tmp_path):
    fetch()
    before = written(tmp_path)
    assert fetch(source={"kind": "cboe_eod", "folder": str(tmp_path / "none"), "tickers": ["_SPX"]}) != 0
    assert written(tmp_path) == before


def test_an_archive_that_is_not_there_is_named(fetch, tmp_path, capsys):
    code = fetch(source={"kind": "cboe_eod", "folder": str(tmp_path / "none"), "tickers": ["_SPX"]})
    assert code in (66, 69)
    assert str(tmp_path / "none") in capsys.readouterr().err
    assert not (tmp_path / "raw").exists()


@pytest.mark.market
def test_a_real_day_is_fetched_under_its_trading_day_only(fetch, market, tmp_path):
    source = {"kind": "cboe_eod", "folder": str(market / "cboe_eod"), "tickers": ["_SPX"]}
    assert fetch("20260722", source) == 0
    meta = json.loads((tmp_path / "raw" / "options_data_20260722.meta.json").read_text())
    assert meta["simulated"] is False and meta["rows"] > 25_000 and meta["inputs"]
    assert not (tmp_path / "raw" / "options_data_20260722.truth.csv").exists()
    assert fetch("20260723", source) == 69
    assert not (tmp_path / "raw" / "options_data_20260723.csv").exists()


TABLE = "Date,3 Mo,1 Yr\n2026-11-19,4.1,4.0\n2026-11-20,4.2,4.0\n2026-11-23,9.9,9.9\n"


def test_the_risk_free_curve_of_the_day_lies_beside_its_chain(fetch, tmp_path):
    (tmp_path / "yields.csv").write_text(TABLE)
    assert fetch(rates={"kind": "treasury_csv", "file": str(tmp_path / "yields.csv")}) == 0
    held = written(tmp_path)[f"rates_{DAY}.csv"].decode().splitlines()
    assert held[1:] == ['0.25,0.042,2026-11-20,"treasury_csv"', '1,0.04,2026-11-20,"treasury_csv"']
    assert "event=rates" in logged(tmp_path)


def test_other_rates_replace_the_curve_and_leave_the_chain(fetch, tmp_path):
    fetch()
    before = written(tmp_path)
    assert fetch(rates={"kind": "flat", "rate": 0.01}) == 0
    assert "event=already_fetched" in logged(tmp_path)
    after = written(tmp_path)
    assert {name for name in before if after[name] != before[name]} == {f"rates_{DAY}.csv"}


def test_rates_that_cannot_be_had_cost_no_chain(fetch, tmp_path, capsys):
    assert fetch(rates={"kind": "treasury_csv", "file": str(tmp_path / "none.csv")}) == 66
    assert f"options_data_{DAY}.csv" in written(tmp_path) and f"rates_{DAY}.csv" not in written(tmp_path)
    assert "none.csv" in capsys.readouterr().err


def test_a_curve_from_the_network_is_asked_for_once_even_if_no_answer_is_kept(fetch, tmp_path, httpserver):
    path = "/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2026/all"
    httpserver.expect_ordered_request(path).respond_with_data(TABLE)
    given = {"rates": {"kind": "treasury", "base_url": httpserver.url_for("").rstrip("/")}, "http": {"payloads": None}}
    assert fetch(**given) == 0
    before = written(tmp_path)
    assert fetch(**given) == 0
    assert written(tmp_path) == before and len(httpserver.log) == 1
    assert "event=rates_already_fetched" in logged(tmp_path)
