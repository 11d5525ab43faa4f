from datetime import UTC, datetime, timedelta

import pytest

from options_pricing.release.approvals import approve, revoke
from options_pricing.release.ledger import Ledger
from options_pricing.release.permission import AUTOMATION, permission
from options_pricing.run.params import Params
from tests.release.made_evidence import predictions, write_evidence
from tests.release.test_approvals import MONTH, NOON, releases  # noqa: F401  (a fixture)


@pytest.fixture
def asked(releases, manifest):  # noqa: F811
    """Asks for the staged release to be made live."""

    def ask(requester="Rob", now=NOON):
        return permission(releases, manifest["release_id"], requester, Params(), now)

    return ask


@pytest.fixture
def give(releases, manifest):  # noqa: F811
    def approved(by="Ann", now=NOON):
        ledger = Ledger(releases / "ledger.jsonl")
        return approve(releases, ledger, manifest["release_id"], by=by, reason="seen", expires=now + MONTH, now=now)

    return approved


def test_nothing_is_permitted_while_nobody_answers_for_it(asked):
    told = asked()
    assert not told.allowed
    assert "no approval of it is in force" in told.because


def test_an_approval_by_somebody_else_permits(asked, give):
    give()
    told = asked()
    assert told.allowed
    assert told.because == "approved by Ann (line 1) until 2026-12-20 12:00 UTC: seen"


@pytest.mark.parametrize("requester", ["Ann", "ann", " ANN "])
def test_who_asks_cannot_have_approved(asked, give, requester):
    give()
    assert not asked(requester).allowed
    give("Bob")
    assert asked(requester).allowed


@pytest.mark.parametrize("requester", ["", "  "])
def test_nobody_cannot_ask(asked, give, requester):
    give()
    assert not asked(requester).allowed


def test_an_approval_by_who_staged_it_afterwards_does_not_count(asked, give, releases, manifest):  # noqa: F811
    give()
    Ledger(releases / "ledger.jsonl").append("staged", release_id=manifest["release_id"], by="ANN")
    assert not asked().allowed


def test_fault_69_expired_approval_permits_nothing(asked, give):
    give()
    assert asked(now=NOON + MONTH - timedelta(milliseconds=1)).allowed
    assert not asked(now=NOON + MONTH).allowed
    assert not asked(now=datetime(2036, 1, 1, tzinfo=UTC)).allowed


def test_a_revoked_approval_permits_nothing(asked, give, releases, manifest):  # noqa: F811
    give()
    revoke(releases, Ledger(releases / "ledger.jsonl"), manifest["release_id"], by="Cyd", reason="late", now=NOON)
    assert not asked().allowed


@pytest.mark.parametrize(
    "alter",
    [
        lambda lines: [lines[0].replace(b"seen", b"Seen"), *lines[1:]],
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
    ],
    ids=["edited", "deleted", "truncated", "reordered", "doubled"],
)
def test_fault_69_an_altered_ledger_closes_the_gate(asked, give, releases, alter):  # noqa: F811
    for who in ("Ann", "Bob", "Cyd"):
        give(who)
    path = releases / "ledger.jsonl"
    path.write_bytes(b"".join(alter(path.read_bytes().splitlines(keepends=True))))
    told = asked()
    assert not told.allowed
    assert told.because.startswith("the ledger is not as it was written: line ")


def opened(releases, manifest):  # noqa: F811
    """Evidence that opens the gate for the staged release."""
    model = manifest["files"]["options_pricing_model.pkl"]
    write_evidence(releases, predictions(), model)
    return {"days": 30, "paths": 500, "coverage": (0.5, 1.0)}


def test_an_open_gate_permits_who_asks_and_nobody_asks_by_itself(releases, manifest):  # noqa: F811
    params = Params.model_validate({"gate": opened(releases, manifest)})
    told = permission(releases, manifest["release_id"], "Rob", params, NOON)
    assert told.allowed
    assert told.because == "the gate is open"
    assert not permission(releases, manifest["release_id"], " ", params, NOON).allowed
    alone = permission(releases, manifest["release_id"], AUTOMATION, params, NOON)
    assert not alone.allowed
    assert "manual" in alone.because


@pytest.mark.parametrize(("days", "allowed"), [(5, True), (12, False)])
def test_automation_needs_a_gate_that_has_been_open_for_the_run_of_days(releases, manifest, days, allowed):  # noqa: F811
    automation = {"promote": "auto", "days": days}
    params = Params.model_validate({"gate": opened(releases, manifest), "automation": automation})
    told = permission(releases, manifest["release_id"], AUTOMATION, params, NOON)
    assert told.allowed is allowed
    assert told.because == f"the gate has been open for {min(days, 11)} of {days} days in a row"


def test_no_approval_is_for_automation(releases, manifest, give):  # noqa: F811
    give()
    params = Params.model_validate({"automation": {"promote": "auto"}})
    told = permission(releases, manifest["release_id"], AUTOMATION, params, NOON)
    assert not told.allowed
    assert told.because.startswith("the gate is closed (")


def test_fault_69_an_open_gate_does_not_help_an_altered_ledger(releases, manifest):  # noqa: F811
    params = Params.model_validate({"gate": opened(releases, manifest)})
    path = releases / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"by":"ci"', b'"by":"me"'))
    assert not permission(releases, manifest["release_id"], "Rob", params, NOON).allowed
