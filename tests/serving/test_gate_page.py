"""The gate's page: what holds, what is live, and the ledger as it stands."""

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from options_pricing.release.gate import Check, GateState
from options_pricing.release.ledger import Ledger
from options_pricing.release.store import Store
from options_pricing.run.files import write_json
from options_pricing.serving.app.gate_page import checks_of, in_brief, ledger_table
from tests.serving.opened_app import metrics, opened, said


@pytest.fixture
def governed(checkout, manifest, tmp_path):
    """A checkout whose ledger has two lines, and whose staged release is live."""
    folder = shutil.copytree(checkout, tmp_path / "checkout")
    ledger = Ledger(folder / "releases" / "ledger.jsonl")
    ledger.append("staged", release_id=manifest["release_id"], by="ada", details={"checks": 6})
    ledger.append("promoted", release_id=manifest["release_id"], by="grace", details={"because": "approved"})
    shutil.copytree(folder / "releases" / "staged", folder / "releases" / manifest["release_id"])
    Store(folder / "releases").make_live(manifest["release_id"])
    return folder


def test_the_page_says_what_is_live_what_the_gate_says_and_who_did_what(governed, manifest):
    app = opened(governed / "releases", governed, page="Gate")
    shown = metrics(app)
    assert shown["Live"] == shown["Shown here"] == manifest["release_id"]
    assert shown["Lines in the ledger"] == "2"
    assert any("The gate is closed" in warning.value for warning in app.warning)
    (checks,), (lines,) = ([drawn.value for drawn in kind] for kind in (app.table, app.dataframe))
    assert set(checks["holds"]) <= {"yes", "NO"}
    assert checks.set_index("check")["holds"]["evaluation"] == "NO"
    assert lines[["event", "by"]].to_numpy().tolist() == [["promoted", "grace"], ["staged", "ada"]]
    assert shown["Last line's hash"] == lines["sha256"][0]
    assert len(lines["sha256"][0]) == 12
    assert not app.error[1:]


def test_an_approval_of_what_is_shown_is_told(governed, manifest):
    assert "no approval is in force" in said(opened(governed / "releases", governed, page="Gate"))
    sha256 = hashlib.sha256((governed / "releases" / "staged" / "manifest.json").read_bytes()).hexdigest()
    expires = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    details = {"manifest_sha256": sha256, "reason": "looked at it ![x](http://example.com/x.png)", "expires": expires}
    Ledger(governed / "releases" / "ledger.jsonl").append(
        "approved", release_id=manifest["release_id"], by="hedy", details=details
    )
    told = said(opened(governed / "releases", governed, page="Gate"))
    assert "approved by hedy until" in told
    assert r"looked at it \!\[x\]\(http\:" in told


def test_a_day_that_is_halted_later_is_seen_at_once(governed):
    def validation():
        checks = opened(governed / "releases", governed, page="Gate").table[0].value
        return checks.set_index("check")["holds"]["validation"]

    for day, status, holds in (("20991230", "passed", "yes"), ("20991231", "halted", "NO")):
        write_json(governed / f"reports/validation/validation_{day}.json", {"date": day, "status": status})
        assert validation() == holds


def test_what_no_act_made_live_is_told(governed):
    Ledger(governed / "releases" / "ledger.jsonl").append("promoted", release_id="0" * 12, by="grace")
    app = opened(governed / "releases", governed, page="Gate")
    assert any("Not what the ledger says" in error.value for error in app.error)


def test_an_altered_line_is_named(governed):
    path = governed / "releases" / "ledger.jsonl"
    path.write_text(path.read_text().replace("ada", "eve", 1))
    app = opened(governed / "releases", governed, page="Gate")
    assert any("not as it was written" in error.value for error in app.error)


def test_a_wrong_params_file_is_said_and_the_rest_is_shown(governed):
    (governed / "params.yaml").write_text("gate: {days: many}\n")
    app = opened(governed / "releases", governed, page="Gate")
    assert any("params.yaml" in error.value for error in app.error)
    assert len(app.metric) == 5


def test_the_evidence_may_be_left_unread(governed):
    app = opened(governed / "releases", governed, page="Gate", evidence="false")
    assert not app.warning
    assert not app.table
    assert len(app.dataframe) == 1


def test_an_empty_ledger_is_said(checkout):
    app = opened(checkout / "releases" / "staged", checkout, page="Gate")
    assert "The ledger is empty" in said(app)
    assert metrics(app)["Live"] == "nothing"


def test_details_are_told_in_words_and_short(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    details = {"model_sha256": "ab" * 32, "from": None, "automatic": False, "approved": True}
    details["r2"] = {"next_day": 0.13861}
    ledger.append("promoted", release_id="0" * 12, by="ada", details=details)
    table = ledger_table(ledger.entries())
    assert table["details"][0] == f"approved, r2 (next day 0.1386), model sha256 {'ab' * 32}"
    brief = in_brief(table)
    assert brief["details"][0] == f"approved, r2 (next day 0.1386), model sha256 {'ab' * 6}"
    assert len(brief["at (UTC)"][0]) == len("2026-11-24 03:26:09")


def test_checks_and_lines_are_told_in_words(governed):
    state = GateState([Check("r2_above_line", True, "R2 0.31", {"r2": 0.31}), Check("drift", False, "red")])
    table = checks_of(state)
    assert table[["holds", "check"]].to_numpy().tolist() == [["yes", "r2 above line"], ["NO", "drift"]]
    assert json.loads(table["evidence"][0]) == {"r2": 0.31}
    lines = ledger_table(Ledger(governed / "releases" / "ledger.jsonl").entries())
    assert lines["line"].tolist() == [2, 1]
    assert lines["details"][1] == "checks 6"
