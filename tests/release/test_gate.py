import hashlib

import pandas as pd
import pytest

from options_pricing.release.evidence import GateFiles, read_evidence
from options_pricing.release.gate import gate_state, holm_rejected, interval_coverage, open_days
from options_pricing.release.ledger import Ledger
from options_pricing.run.files import sha256_of, write_json
from options_pricing.run.governance import Gate
from tests.release.made_evidence import predictions, write_evidence

SHA256 = "a" * 64
GATE = Gate(days=30, paths=500, coverage=(0.8, 0.98))
GOOD = predictions()


@pytest.fixture
def releases(tmp_path):
    return tmp_path / "releases"


@pytest.fixture
def checks(releases):
    """The checks of the gate on what lies beside the releases by then, by name."""

    def look(gate=GATE, model_sha256=SHA256):
        evidence = read_evidence(GateFiles.beside(releases), Ledger(releases / "ledger.jsonl").entries())
        return {check.name: check for check in gate_state(evidence, model_sha256, gate).checks}

    return look


def failed(checks) -> list[str]:
    return [name for name, check in checks.items() if not check.passed]


def test_it_is_open_where_every_check_holds(releases, checks):
    write_evidence(releases, GOOD, SHA256)
    found = checks()
    assert failed(found) == []
    assert found["r2_above_line"].evidence["lower_bound"] > 0.25
    assert found["r2_above_line"].evidence["days"] == 30
    assert found["no_arbitrage"].evidence["butterfly_checked"] > 0


def test_it_is_closed_where_nothing_is_known(releases, checks):
    assert len(failed(checks())) == 7


def test_too_few_days_close_it_and_are_counted(releases, checks):
    write_evidence(releases, predictions(days=29), SHA256)
    found = checks()
    assert failed(found) == ["r2_above_line"]
    assert "on 29 days: too few, 30 are needed" in found["r2_above_line"].detail


def test_a_model_that_prices_only_what_is_easy_is_not_believed(releases, checks):
    told = GOOD.copy()
    wrong = (told["predicted_implied_vol"] - told["implied_vol"]).abs()
    told.loc[wrong > wrong.quantile(0.9), "predicted_implied_vol"] = float("nan")
    write_evidence(releases, told, SHA256)
    found = checks()["r2_above_line"]
    assert not found.passed
    assert "the model has no vol for them" in found.detail
    assert found.evidence["left_out"] == pytest.approx(0.1, abs=0.03)
    assert found.evidence["r2"] > 0.25


def test_a_model_a_little_above_the_line_is_not_believed_on_few_days(releases, checks):
    write_evidence(releases, predictions(worse=0.8), SHA256)
    found = checks()["r2_above_line"]
    assert found.evidence["r2"] > 0.25
    assert not found.passed
    assert (found.evidence["lower_bound"] or -1.0) < 0.25


def test_only_the_last_days_count(releases, checks):
    bad = predictions(days=80, worse=3.0)
    dates = sorted(bad["date"].unique())
    good = GOOD[GOOD["date"].isin(dates[-30:])]
    write_evidence(releases, bad[~bad["date"].isin(dates[-30:])], SHA256)
    assert "r2_above_line" in failed(checks())
    write_evidence(releases, pd.concat([bad[~bad["date"].isin(dates[-30:])], good]), SHA256)
    assert "r2_above_line" not in failed(checks())


def test_a_bucket_that_is_worse_closes_it_and_is_named(releases, checks):
    told = GOOD.copy()
    far = told["strike"] == 80.0
    told.loc[far, "predicted_implied_vol"] += 0.002
    told.loc[far, "random_walk_implied_vol"] = told.loc[far, "implied_vol"] + 1e-5
    write_evidence(releases, told, SHA256)
    found = checks()["no_bucket_worse"]
    assert not found.passed
    assert found.detail.startswith("worse in put ")


def test_many_buckets_are_tested_together():
    alone, among = {"a": 0.03}, {"a": 0.03, **{str(n): 0.5 for n in range(9)}}
    assert holm_rejected(alone, 0.05) == ["a"]
    assert holm_rejected(among, 0.05) == []
    assert holm_rejected({"a": 0.001, "b": 0.02, "c": 0.9}, 0.05) == ["a", "b"]
    assert holm_rejected({"a": 0.001, "b": 0.03, "c": 0.04}, 0.05) == ["a"]


@pytest.mark.parametrize(("band", "passed"), [((0.0, 0.5), False), ((0.5, 0.999), True), ((0.999, 1.0), False)])
def test_intervals_that_hold_too_little_or_too_much_close_it(releases, band, passed):
    found = interval_coverage(GOOD, Gate(coverage=band))
    assert 0.5 < found.evidence["coverage"] < 0.999
    assert found.passed is passed


def test_without_days_to_calibrate_by_no_interval_is_believed():
    assert not interval_coverage(predictions(days=3), GATE).passed


def test_arbitrage_among_the_models_own_prices_closes_it(releases, checks):
    told = GOOD.copy()
    told.loc[told["strike"] == 100.0, "predicted_implied_vol"] += 0.05
    write_evidence(releases, told, SHA256)
    assert "no_arbitrage" in failed(checks())


@pytest.mark.parametrize(
    ("drift", "closed"), [("green", 0), ("amber", 0), ("red", 1), ("unknown", 1), (None, 1), ("GREEN", 1)]
)
def test_drift_that_is_red_or_unknown_closes_it(releases, checks, drift, closed):
    write_evidence(releases, GOOD, SHA256, drift=drift)
    assert failed(checks()) == ["drift"] * closed


def test_a_drift_file_that_cannot_be_read_closes_it(releases, checks):
    write_evidence(releases, GOOD, SHA256).drift.write_text("{")
    assert failed(checks()) == ["drift"]


@pytest.mark.parametrize("date", ["20261119", "20261121", None])
@pytest.mark.parametrize("status", ["green", "amber"])
def test_drift_of_another_day_than_the_newest_validated_one_closes_it(releases, checks, date, status):
    files = write_evidence(releases, GOOD, SHA256)
    write_json(files.drift, {"date": date, "status": status})
    found = checks()
    assert failed(found) == ["drift"]
    assert f"drift.json is of {date}, the newest validated day is 20261120" in found["drift"].detail


def test_it_says_of_which_release_drift_is(releases, checks):
    write_evidence(releases, GOOD, SHA256)
    assert checks()["drift"].detail == "drift.json of 20261120 says green of release bbbbbbbbbbbb, which is in use"


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("no day has been judged", "not known yet: no day has been judged"),
        ("a\x1b[2Jb\nc", "not known yet: a[2Jb c"),
        (None, "not known yet"),
        (7, "not known yet"),
        ("", "not known yet"),
    ],
)
def test_drift_that_is_not_known_is_told_with_its_reason(releases, checks, why, said):
    files = write_evidence(releases, GOOD, SHA256)
    write_json(files.drift, {"date": "20261120", "status": "unknown", "why": why})
    assert checks()["drift"].detail == said


def test_only_a_report_of_a_day_under_its_own_name_is_the_newest_validation(releases, checks):
    files = write_evidence(releases, GOOD, SHA256, status="halted")
    write_json(files.validations / "validation_zz.json", {"date": "20261120", "status": "passed"})
    assert failed(checks()) == ["validation"]
    write_json(files.validations / "validation_20261121.json", {"date": "20261119", "status": "passed"})
    assert failed(checks()) == ["drift", "validation"]


def test_a_halted_newest_day_closes_it_and_an_older_one_does_not(releases, checks):
    write_evidence(releases, GOOD, SHA256, status="halted")
    assert failed(checks()) == ["validation"]


def test_the_evaluation_of_another_model_closes_everything_that_rests_on_it(releases, checks):
    write_evidence(releases, GOOD, "b" * 64)
    assert len(failed(checks())) == 5


@pytest.mark.parametrize("file", ["metrics", "predictions"])
def test_evidence_that_the_ledger_does_not_name_closes_it(releases, checks, file):
    files = write_evidence(releases, predictions(worse=1.0), SHA256)
    write_evidence(releases.parent / "other" / "releases", GOOD, SHA256)
    better = GateFiles.beside(releases.parent / "other" / "releases")
    if file == "metrics":
        write_json(files.metrics, {"chosen_model": "hybrid", "model_sha256": SHA256, "edited": True})
    else:
        files.predictions.write_bytes(better.predictions.read_bytes())
    found = checks()["evaluation"]
    assert not found.passed
    assert "the ledger does not name these files" in found.detail


def test_evidence_that_is_broken_closes_it(releases, checks):
    files = write_evidence(releases, GOOD, SHA256)
    files.metrics.write_text("[]")
    assert not checks()["evaluation"].passed
    files.metrics.write_text("{")
    assert not checks()["evaluation"].passed


def test_days_in_a_row_that_it_was_open_are_counted_from_the_last(releases):
    write_evidence(releases, GOOD, SHA256)
    evidence = read_evidence(GateFiles.beside(releases), Ledger(releases / "ledger.jsonl").entries())
    assert open_days(evidence, GATE, 5) == 5
    assert open_days(evidence, GATE, 50) == 11
    assert open_days(evidence, Gate(days=30, paths=500, line=0.95), 5) == 0
    assert open_days(evidence, Gate(days=60, paths=500), 5) == 0


def test_what_cannot_be_read_or_is_not_there_is_not_named_as_looked_at(releases):
    files = write_evidence(releases, GOOD, SHA256, drift=None)
    files.predictions.unlink()
    files.drift.mkdir()
    (files.validations / "validation_20261120.json").write_text("")
    evidence = read_evidence(files, Ledger(releases / "ledger.jsonl").entries())
    empty = hashlib.sha256(b"").hexdigest()
    assert evidence.sha256 == {files.metrics.name: sha256_of(files.metrics), "validation_20261120.json": empty}
    assert evidence.validation_day is None
    assert "predictions" in evidence.evaluation.trouble
    assert "no drift has been measured" in evidence.drift_detail
