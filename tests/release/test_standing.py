from datetime import UTC, datetime

import pytest

from options_pricing.release.ledger import Ledger
from options_pricing.release.standing import standing

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
A, B, C = "a" * 12, "b" * 12, "c" * 12
PROMOTED_A = ("promoted", A, {"from": None})
PROMOTED_B = ("promoted", B, {"from": A})


@pytest.fixture
def entries(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl", key=lambda: None)

    def write(*acts):
        for event, release_id, details in acts:
            ledger.append(event, release_id=release_id, by="Bob", details=details, at=NOON)
        ledger.append("trained", by="ci", at=NOON)
        return ledger.entries()

    return write


@pytest.mark.parametrize(
    ("acts", "live"),
    [
        ([], None),
        ([PROMOTED_A], A),
        ([PROMOTED_A, PROMOTED_B], B),
        ([PROMOTED_A, PROMOTED_B, ("rolled_back", B, {"to": A})], A),
        ([PROMOTED_A, ("demoted", A, {"to": None})], None),
    ],
)
def test_what_the_last_act_left_live_is_right(entries, acts, live):
    assert standing(entries(*acts), live) == (None, None)


@pytest.mark.parametrize(
    ("acts", "live", "says"),
    [
        ([], A, f"live is {A}, and the ledger made none live"),
        ([PROMOTED_A], B, f"live is {B}, and line 1 of the ledger left {A} live"),
        ([PROMOTED_A, PROMOTED_B], None, f"live is nothing, and line 2 of the ledger left {B} live"),
        ([PROMOTED_A, PROMOTED_B, ("rolled_back", B, {"to": A})], C, f"live is {C}, and line 3"),
        ([PROMOTED_A, ("demoted", A, {"to": ["?"]})], B, "left nothing live"),
    ],
)
def test_what_no_act_left_live_is_a_fault(entries, acts, live, says):
    fault, note = standing(entries(*acts), live)
    assert says in fault and "written by something else" in fault
    assert note is None


@pytest.mark.parametrize(("acts", "live"), [([PROMOTED_A], None), ([PROMOTED_A, PROMOTED_B], A)])
def test_a_command_that_was_killed_between_act_and_record_is_a_note(entries, acts, live):
    fault, note = standing(entries(*acts), live)
    assert fault is None
    assert "ended between its act and its record" in note
