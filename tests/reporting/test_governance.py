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
        assert "r2_above_line" in page


def test_a_report_without_the_ledger_says_where_its_head_is(inputs):
    assert all("they hold times" in page for page in pages(inputs))


def test_the_head_of_the_ledger_and_the_approvals_are_told_as_they_stand(inputs, ledger):
    markdown, html = pages(inputs, ledger=ledger.path)
    assert ledger.head().sha256 in markdown
    assert ledger.head().sha256 in html
    assert "aaaaaaaaaaaa by Ann until 2026-12-01 00:00 UTC" in markdown
    assert "seen <b>" not in html
    assert pages(inputs, ledger=ledger.path) == (markdown, html)


def test_fault_69_an_altered_ledger_is_told_in_the_report(inputs, ledger):
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"Ann", b"Eve"))
    for page in pages(inputs, ledger=ledger.path):
        assert "The ledger is not as it was written: line 1 is not what its own hash is of" in page


@pytest.mark.parametrize(("drift", "holds"), [("green", True), ("red", False), ("unknown", False)])
def test_drift_is_one_of_the_checks(inputs, drift, holds):
    found = governance(inputs, Gate(), DAY, drift=drift)
    assert {check.name: check.passed for check in found.checks}["drift"] is holds
