import dataclasses
from datetime import UTC, datetime
from pathlib import PurePath

import pytest

from options_pricing.release.ledger import Ledger
from options_pricing.reporting.context import build_context
from options_pricing.reporting.governance import governance
from options_pricing.reporting.render import render_html, render_markdown
from options_pricing.run.governance import Gate

DAY = "20261120"


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl", key=lambda: None)
    said = {"manifest_sha256": "a" * 64, "reason": "seen <b>", "expires": "2026-12-01T00:00:00.000+00:00"}
    ledger.append("approved", release_id="a" * 12, by="Ann", details=said, at=datetime(2026, 11, 20, 12, tzinfo=UTC))
    return ledger


def pages(inputs, **given):
    found = governance(inputs, Gate(), DAY, **given)
    context = build_context(inputs, date=DAY, title="T", smiles=1, governance=found)
    return render_markdown(context, PurePath("figures")), render_html(context)


def test_without_a_release_nothing_is_asked(inputs):
    assert governance(dataclasses.replace(inputs, status=None), Gate(), DAY) is None


def test_the_gate_is_told_with_every_check_and_why_it_is_closed(inputs):
    found = governance(inputs, Gate(), DAY)
    assert not found.open
    assert len(found.checks) == 7
    for page in pages(inputs):
        assert "May it be made live?" in page
        assert "R² is above the line, more than by chance" in page
        assert "r2_above_line" not in page


def test_a_report_without_the_ledger_says_where_its_head_is(inputs):
    assert all("they hold times" in page for page in pages(inputs))


def test_the_head_of_the_ledger_and_the_approvals_are_told_as_they_stand(inputs, ledger):
    markdown, html = pages(inputs, ledger=ledger.path)
    assert ledger.head().sha256 in markdown
    assert ledger.head().sha256 in html
    assert "aaaaaaaaaaaa by Ann until 2026-12-01 00:00 UTC" in markdown
    assert "seen <b>" not in html
    assert pages(inputs, ledger=ledger.path) == (markdown, html)


def test_approvals_and_head_are_of_one_moment_that_is_told(inputs, ledger):
    """The last line may be of a later hour than the end of the report's day, as a report may be made the next day."""
    early = governance(inputs, Gate(), DAY, ledger=ledger.path).record
    assert (early.moment, early.last) == ("2026-11-21 00:00:00 UTC", "2026-11-20 12:00:00 UTC")
    said = {"manifest_sha256": "b" * 64, "reason": "late", "expires": "2026-12-01T00:00:00.000+00:00"}
    late = datetime(2026, 11, 21, 3, 49, tzinfo=UTC)
    ledger.append("approved", release_id="b" * 12, by="Bob", details=said, at=late)
    record = governance(inputs, Gate(), DAY, ledger=ledger.path).record
    assert (record.lines, record.moment, record.last) == (2, "2026-11-21 03:49:00 UTC", "2026-11-21 03:49:00 UTC")
    assert [told[:19] for told in record.approvals] == ["aaaaaaaaaaaa by Ann", "bbbbbbbbbbbb by Bob"]
    for page in pages(inputs, ledger=ledger.path):
        assert "Approved, as of 2026-11-21 03:49:00 UTC: aaaaaaaaaaaa by Ann" in page
        assert "2 lines, the last of 2026-11-21 03:49:00 UTC, and is as it was written" in page


def test_without_an_approval_the_moment_is_told_too(inputs, tmp_path):
    empty = Ledger(tmp_path / "empty.jsonl", key=lambda: None).path
    for page in pages(inputs, ledger=empty):
        assert "As of 2026-11-21 00:00:00 UTC no approval is in force." in page
        assert "The ledger has 0 lines and is as it was written" in page


def test_fault_69_an_altered_ledger_is_told_in_the_report(inputs, ledger):
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"Ann", b"Eve"))
    for page in pages(inputs, ledger=ledger.path):
        assert "The ledger is not as it was written: line 1 is not what its own hash is of" in page


@pytest.mark.parametrize(("drift", "holds"), [("green", True), ("red", False), ("unknown", False)])
def test_drift_is_one_of_the_checks(inputs, drift, holds):
    found = governance(inputs, Gate(), DAY, drift=drift)
    assert {check.name: check.passed for check in found.checks}["drift"] is holds


def test_drift_that_is_not_known_is_not_told_as_good_news(inputs):
    details = {check.name: check.detail for check in governance(inputs, Gate(), DAY, why="no day yet").checks}
    assert details["drift"] == "not known yet: no day yet"
    assert "not known yet" in {c.name: c.detail for c in governance(inputs, Gate(), DAY).checks}["drift"]


def test_dates_and_signs_of_the_gate_are_those_of_the_report(inputs):
    found = {check.name: check.detail for check in governance(inputs, Gate(), DAY).checks}
    assert "20261120" in found["validation"]
    for page in pages(inputs):
        assert "the newest day, 2026-11-20, passed" in page
