import shutil
from datetime import UTC, datetime, timedelta

import pytest

from options_pricing.release.approvals import approve, in_force, manifest_of, revoke
from options_pricing.release.entries import Entry
from options_pricing.release.ledger import Ledger
from options_pricing.release.ledger_faults import person
from options_pricing.run.errors import MissingInputError, ModelRefusedError, NotPermittedError
from options_pricing.run.files import sha256_of
from tests.made_release import edit_manifest

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


@pytest.fixture
def releases(staged, tmp_path):
    """A folder of releases with one that is staged."""
    shutil.copytree(staged, tmp_path / "releases" / "staged")
    return tmp_path / "releases"


@pytest.fixture
def ledger(releases):
    return Ledger(releases / "ledger.jsonl")


@pytest.fixture
def give(releases, ledger, manifest):
    def approved(by="Ann", *, reason="reviewed", until=MONTH, now=NOON):
        return approve(releases, ledger, manifest["release_id"], by=by, reason=reason, expires=now + until, now=now)

    return approved


def test_an_approval_is_bound_to_the_whole_manifest_and_is_in_force_until_it_ends(give, ledger, releases, manifest):
    given = give()
    assert given.manifest_sha256 == sha256_of(releases / "staged" / "manifest.json")
    assert (given.sequence, given.by, given.reason) == (1, "Ann", "reviewed")
    for moment, there in ((NOON, 1), (NOON + MONTH - timedelta(seconds=1), 1), (NOON + MONTH, 0)):
        assert len(in_force(ledger.entries(), given.manifest_sha256, moment)) == there
    assert not in_force(ledger.entries(), "0" * 64, NOON)


def test_a_release_that_is_kept_under_its_id_can_be_approved(give, releases, manifest):
    (releases / "staged").rename(releases / manifest["release_id"])
    assert give().release_id == manifest["release_id"]


@pytest.mark.parametrize("named", ["000000000000", "..", "staged", "/etc", "", "../releases/staged"])
def test_what_is_no_release_cannot_be_approved(releases, ledger, named):
    with pytest.raises(MissingInputError, match="no release"):
        approve(releases, ledger, named, by="Ann", reason="?", expires=NOON + MONTH, now=NOON)
    assert not ledger.path.exists()


def test_a_release_whose_manifest_was_edited_cannot_be_approved(releases, ledger, manifest):
    path = releases / "staged" / "manifest.json"
    path.write_text(path.read_text().replace('"simulated": true', '"simulated": false'))
    with pytest.raises(ModelRefusedError):
        approve(releases, ledger, manifest["release_id"], by="Ann", reason="?", expires=NOON + MONTH, now=NOON)


def test_an_approval_does_not_pass_to_another_manifest(give, ledger, releases):
    given = give()
    edit_manifest(releases / "staged", as_of="20261119")
    assert sha256_of(releases / "staged" / "manifest.json") != given.manifest_sha256


@pytest.mark.parametrize("by", ["Ann", " ann ", "ANN", "\uff21nn"])
def test_fault_69_same_person_cannot_approve_twice(give, ledger, by):
    give("Ann")
    with pytest.raises(NotPermittedError, match=r"has approved .* already"):
        give(by)
    assert len(ledger.entries()) == 1
    give("Bob")
    assert ledger.faults() == []


def test_the_same_person_may_approve_again_once_it_is_over(give, ledger):
    give(until=timedelta(days=1))
    give(now=NOON + timedelta(days=1))
    assert ledger.faults() == []


def test_who_staged_a_release_cannot_approve_it(give, ledger, manifest):
    ledger.append("staged", release_id=manifest["release_id"], by="ann")
    with pytest.raises(NotPermittedError, match="nobody approves their own work"):
        give("Ann")
    give("Bob")


@pytest.mark.parametrize(
    ("until", "says"),
    [
        (timedelta(0), "over already"),
        (-MONTH, "over already"),
        (timedelta(days=90, seconds=1), "90 days at most"),
        (timedelta(days=4000), "90 days at most"),
    ],
)
def test_an_approval_lasts_ninety_days_at_most_and_some_time_at_least(give, ledger, until, says):
    with pytest.raises(NotPermittedError, match=says):
        give(until=until)
    assert ledger.entries() == []
    give(until=timedelta(days=90))


@pytest.mark.parametrize(("by", "reason"), [("", "good"), (" \u00a0", "good"), ("Ann", " ")])
def test_an_approval_says_who_and_why(give, by, reason):
    with pytest.raises(NotPermittedError, match="who gives it and why"):
        give(by, reason=reason)


UNSEEN = ["\u200b", "\u00ad", "\u202e", "\u034f", "\ufe0f", "\u3164", "\n", "\x1b[2J", "\r", "\x00", "\u2028"]


@pytest.mark.parametrize("mark", UNSEEN)
def test_what_does_not_show_on_one_line_is_taken_neither_as_name_nor_as_reason(give, ledger, releases, manifest, mark):
    given = give("Bob")
    for by, reason in ((f"Ann{mark}", "good"), ("Ann", f"good{mark}gate    open")):
        with pytest.raises(NotPermittedError, match="who gives it and why"):
            give(by, reason=reason)
        with pytest.raises(NotPermittedError, match="who and why"):
            revoke(releases, ledger, manifest["release_id"], by=by, reason=reason, now=NOON)
    assert in_force(ledger.entries(), given.manifest_sha256, NOON) == [given]


@pytest.mark.parametrize("mark", [mark for mark in UNSEEN if not mark.isspace() and "[" not in mark])
def test_fault_69_a_name_with_what_nobody_sees_in_it_is_the_same_person(mark):
    assert person(f"A{mark}nn Lee") == person("ann lee")
    assert person(mark) == ""


@pytest.mark.parametrize(
    ("event", "at", "details"),
    [
        ("approved", "2026-11-20T11:00:00", {"expires": "2026-12-20T11:00:00"}),
        ("approved", "2026-11-20T11:00:00+00:00", {"expires": "2026-12-20T11:00:00"}),
        ("revoked", "2026-11-20T11:00:00+00:00", {"approval": [1]}),
    ],
)
def test_a_line_that_somebody_else_wrote_is_no_approval_and_no_bug(event, at, details):
    said = {"manifest_sha256": "a" * 64, "reason": "?"} | details
    entry = Entry(
        sequence=1, at=at, event=event, release_id="0" * 12, by="Eve", details=said,
        previous="0" * 64, sha256="0" * 64, mac=None,
    )  # fmt: skip
    assert in_force([entry], "a" * 64, NOON) == []


def test_a_line_that_claims_more_than_ninety_days_is_no_approval(give, ledger):
    given = give()
    said = {"manifest_sha256": given.manifest_sha256, "reason": "long", "expires": "2036-01-01T00:00:00+00:00"}
    ledger.append("approved", release_id=given.release_id, by="Bob", details=said, at=NOON)
    assert [found.by for found in in_force(ledger.entries(), given.manifest_sha256, NOON)] == ["Ann"]


def test_revoking_ends_all_approvals_of_a_release_and_they_can_be_given_anew(give, ledger, releases, manifest):
    given = give(), give("Bob")
    gone = revoke(releases, ledger, manifest["release_id"], by="Cyd", reason="late source", now=NOON)
    assert tuple(gone) == given
    assert not in_force(ledger.entries(), given[0].manifest_sha256, NOON)
    with pytest.raises(MissingInputError, match=r"no approval of .* is in force"):
        revoke(releases, ledger, manifest["release_id"], by="Cyd", reason="late source", now=NOON)
    give()
    assert len(in_force(ledger.entries(), given[0].manifest_sha256, NOON)) == 1
    assert ledger.faults() == []


def test_fault_69_an_altered_ledger_takes_no_approval(give, ledger):
    give()
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"reviewed", b"Reviewed"))
    with pytest.raises(NotPermittedError, match="line 1 is not what its own hash is of"):
        give("Bob")


def test_the_manifest_of_a_release_is_found_kept_before_staged(releases, manifest):
    shutil.copytree(releases / "staged", releases / manifest["release_id"])
    assert manifest_of(releases, manifest["release_id"]).parent.name == manifest["release_id"]
