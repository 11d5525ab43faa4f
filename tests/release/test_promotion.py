import shutil
from datetime import UTC, datetime, timedelta

import pytest

from options_pricing.release import promotion
from options_pricing.release.approvals import approve
from options_pricing.release.candidate import check_candidate
from options_pricing.release.health import Api
from options_pricing.release.promotion import Act, Releases, RolledBackError
from options_pricing.run.errors import BadDataError, ExitCode, MissingInputError, ModelRefusedError, NotPermittedError
from options_pricing.run.files import sha256_of
from options_pricing.run.governance import Gate
from options_pricing.run.params import Params
from tests.made_release import make_store
from tests.release.made_evidence import predictions, write_evidence

BOB = Act("Bob", "it is better")
MODEL = "options_pricing_model.pkl"


class Told:
    """What people were alerted of."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str, str]] = []

    def __call__(self, release_id: str, what: str, why: str) -> None:
        self.alerts.append((release_id, what, why))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def releases(tmp_path, monkeypatch) -> Releases:
    """Two releases, none live, both approved by Ann, and no API anywhere; a child's check has its own tests."""
    monkeypatch.setattr(promotion, "check_candidate", lambda folder, release_id: {})
    store = make_store(tmp_path / "releases", count=2, live=False)
    found = Releases(store.folder, Api("http://127.0.0.1:1"))
    for release_id in store.ids():
        ann_approves(found, release_id)
    return found


def ann_approves(releases: Releases, release_id: str) -> None:
    now = datetime.now(UTC)
    words = {"by": "Ann", "reason": "the evaluation bears it out", "expires": now + timedelta(days=1), "now": now}
    approve(releases.store.folder, releases.ledger, release_id, **words)


@pytest.fixture
def answering(monkeypatch):
    """Has an API there that answers a promotion well, or not: (whether it follows, why it failed)."""

    def answer(why: str | None) -> None:
        monkeypatch.setattr(Api, "follows_releases", lambda self: True)
        monkeypatch.setattr(promotion, "watch", lambda api, manifest, patience: why)

    return answer


def acts(releases: Releases) -> list[tuple[str, str | None, str | None]]:
    """Event, release and person of the ledger's lines since the approvals."""
    return [(e.event, e.release_id, e.by) for e in releases.ledger.entries() if e.event != "approved"]


def test_an_approved_release_is_made_live_and_both_are_recorded(releases, told):
    one, two = releases.store.ids()
    first = releases.promote(one, BOB, Params(), alert=told)
    assert (first.live.live, first.live.previous, first.watched) == (one, None, False)
    second = releases.promote(two, BOB, Params(), alert=told)
    assert (second.live.live, second.live.previous) == (two, one)
    assert "Ann" in second.because
    assert acts(releases) == [("promoted", one, "Bob"), ("promoted", two, "Bob")]
    why = {"reason": BOB.reason, "because": second.because, "from": one, "evidence": {}}
    assert releases.ledger.entries()[-1].details == why | {"gate": Params().gate.model_dump(mode="json")}
    assert releases.ledger.faults() == []
    assert told.alerts == []


def test_a_gate_that_was_made_looser_stands_in_the_record(releases, told):
    one, _ = releases.store.ids()
    loose = Params(gate=Gate(line=0.0, days=20, coverage=(0.0, 1.0)))
    releases.promote(one, BOB, loose, alert=told)
    gate = releases.ledger.entries()[-1].details["gate"]
    assert (gate["line"], gate["days"], gate["coverage"]) == (0.0, 20, [0.0, 1.0])


def test_the_record_names_the_very_files_that_the_gate_looked_at(releases, told):
    one, _ = releases.store.ids()
    files = write_evidence(releases.store.folder, predictions(days=4), "a" * 64)
    newest = files.validations / "validation_20261120.json"
    seen = {path.name: sha256_of(path) for path in (files.metrics, files.predictions, files.drift, newest)}
    releases.promote(one, BOB, Params(), alert=told)
    assert releases.ledger.entries()[-1].details["evidence"] == seen
    assert len(seen) == 4


def test_promoting_what_is_live_changes_nothing(releases, told):
    one, two = releases.store.ids()
    releases.promote(one, BOB, Params(), alert=told)
    live = releases.promote(two, BOB, Params(), alert=told).live
    before = acts(releases)
    assert releases.promote(two, BOB, Params(), alert=told).live == live
    assert acts(releases) == before


def test_without_an_approval_by_somebody_else_nothing_happens(releases, told):
    one, _ = releases.store.ids()
    with pytest.raises(NotPermittedError) as caught:
        releases.promote(one, Act("Ann", "mine"), Params(), alert=told)
    assert caught.value.exit_code == ExitCode.NOT_PERMITTED == 84
    assert releases.store.live() is None
    assert acts(releases) == []


def test_a_release_that_is_only_staged_is_kept_and_made_live(releases, told):
    one, _ = releases.store.ids()
    releases.store.folder_of(one).rename(releases.store.staged)
    assert releases.promote("staged", BOB, Params(), alert=told).live.live == one
    assert {path.name for path in releases.store.folder_of(one).iterdir()} == {
        path.name for path in releases.store.staged.iterdir()
    }


def test_the_folder_of_one_release_with_the_files_of_another_is_refused(releases, told):
    one, two = releases.store.ids()
    shutil.rmtree(releases.store.folder_of(one))
    shutil.copytree(releases.store.folder_of(two), releases.store.folder_of(one))
    with pytest.raises(ModelRefusedError, match=f"it holds release {two}"):
        releases.promote(one, BOB, Params(), alert=told)
    assert releases.store.live() is None
    assert acts(releases) == []


def test_a_rollback_to_a_folder_with_the_files_of_another_release_is_refused(releases, told):
    one, two = releases.store.ids()
    releases.promote(one, BOB, Params(), alert=told)
    now = releases.promote(two, BOB, Params(), alert=told).live
    shutil.rmtree(releases.store.folder_of(one))
    shutil.copytree(releases.store.folder_of(two), releases.store.folder_of(one))
    with pytest.raises(ModelRefusedError, match=f"it holds release {two}"):
        releases.roll_back(BOB)
    assert releases.store.live() == now


def test_a_spoilt_release_is_refused_before_anything_is_recorded(releases, told):
    one, two = releases.store.ids()
    releases.promote(one, BOB, Params(), alert=told)
    (releases.store.folder_of(two) / MODEL).write_bytes(b"")
    before = acts(releases)
    with pytest.raises(ModelRefusedError):
        releases.promote(two, BOB, Params(), alert=told)
    assert releases.store.live().live == one
    assert acts(releases) == before


def test_a_release_that_dies_in_its_child_is_refused_too(releases, told, monkeypatch):
    one, _ = releases.store.ids()

    def dies(folder, release_id):
        raise ModelRefusedError("refused", why="the process that tried it died of SIGKILL", fix="train again")

    monkeypatch.setattr(promotion, "check_candidate", dies)
    with pytest.raises(ModelRefusedError, match="SIGKILL"):
        releases.promote(one, BOB, Params(), alert=told)
    assert releases.store.live() is None


@pytest.mark.parametrize(("name", "error"), [("f" * 12, MissingInputError), ("../x", BadDataError)])
def test_what_is_no_release_is_told(releases, told, name, error):
    with pytest.raises(error):
        releases.promote(name, BOB, Params(), alert=told)


def test_fault_63_a_release_that_does_not_answer_well_is_taken_back_recorded_and_alerted(releases, told, answering):
    one, two = releases.store.ids()
    answering(None)
    assert releases.promote(one, BOB, Params(), alert=told).watched
    answering("3 of 12 golden prices differ")
    with pytest.raises(RolledBackError, match="3 of 12 golden prices differ") as caught:
        releases.promote(two, BOB, Params(), alert=told)
    assert caught.value.exit_code == ExitCode.ROLLED_BACK == 86
    assert releases.store.live().live == one
    assert acts(releases)[-2:] == [("promoted", two, "Bob"), ("rolled_back", two, "options-pricing promote")]
    details = releases.ledger.entries()[-1].details
    assert details == {"why": "3 of 12 golden prices differ", "to": one, "automatic": True}
    assert [alert[0] for alert in told.alerts] == [two]
    assert f"live is {one}" in told.alerts[0][1]


def test_fault_63_the_first_release_ever_leaves_nothing_live(releases, told, answering):
    answering("no answer")
    one, _ = releases.store.ids()
    with pytest.raises(RolledBackError, match="live is nothing"):
        releases.promote(one, BOB, Params(), alert=told)
    assert releases.store.live() is None
    assert acts(releases)[-1][0] == "rolled_back"


def test_a_watch_that_is_broken_off_takes_the_release_back(releases, told, answering, monkeypatch):
    one, two = releases.store.ids()
    answering(None)
    releases.promote(one, BOB, Params(), alert=told)

    def broken_off(api, manifest, patience):
        raise KeyboardInterrupt

    monkeypatch.setattr(promotion, "watch", broken_off)
    with pytest.raises(KeyboardInterrupt):
        releases.promote(two, BOB, Params(), alert=told)
    assert releases.store.live().live == one
    assert "KeyboardInterrupt" in told.alerts[0][2]


def test_a_ledger_that_cannot_be_written_lets_nothing_be_made_live(releases, told, monkeypatch):
    one, _ = releases.store.ids()

    def full(*words, **said):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(releases.ledger, "append", full)
    with pytest.raises(OSError, match="No space"):
        releases.promote(one, BOB, Params(), alert=told)
    assert releases.store.live() is None


def test_a_taking_back_that_cannot_be_recorded_is_done_and_alerted_all_the_same(releases, told, answering, monkeypatch):
    one, two = releases.store.ids()
    answering(None)
    releases.promote(one, BOB, Params(), alert=told)
    answering("no answer")
    append = releases.ledger.append

    def full(event, **said):
        if event == "rolled_back":
            raise OSError(28, "No space left on device")
        return append(event, **said)

    monkeypatch.setattr(releases.ledger, "append", full)
    with pytest.raises(OSError, match="No space"):
        releases.promote(two, BOB, Params(), alert=told)
    assert releases.store.live().live == one
    assert len(told.alerts) == 1


def test_going_back_needs_no_permission_and_is_recorded(releases, told):
    one, two = releases.store.ids()
    releases.promote(one, BOB, Params(), alert=told)
    releases.promote(two, BOB, Params(), alert=told)
    live, seen = releases.roll_back(Act("Cem", "prices look wrong"))
    assert (live.live, live.previous, seen) == (one, None, False)
    assert acts(releases)[-1] == ("rolled_back", two, "Cem")
    details = releases.ledger.entries()[-1].details
    assert details == {"reason": "prices look wrong", "to": one, "automatic": False}
    with pytest.raises(MissingInputError, match="no release to go back to"):
        releases.roll_back(Act("Cem", "again"))


def test_going_back_to_a_spoilt_release_is_refused_and_the_live_one_stays(releases, told):
    one, two = releases.store.ids()
    releases.promote(one, BOB, Params(), alert=told)
    releases.promote(two, BOB, Params(), alert=told)
    (releases.store.folder_of(one) / MODEL).write_bytes(b"")
    with pytest.raises(ModelRefusedError):
        releases.roll_back(Act("Cem", "prices look wrong"))
    assert releases.store.live().live == two


def test_the_child_s_check_is_the_real_one():
    assert promotion.check_candidate is check_candidate
