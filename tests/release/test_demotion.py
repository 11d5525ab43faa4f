import shutil

import pytest

from options_pricing.release.demotion import demote_if_needed
from options_pricing.release.ledger import Ledger
from options_pricing.release.staging import release_files, write_files
from options_pricing.release.store import Store
from options_pricing.release.verify import read_manifest
from options_pricing.run.files import write_json
from tests.made_release import write_trained


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A folder of two kept releases, the second of them live."""
    folder = tmp_path_factory.mktemp("checkout") / "releases"
    for number in range(2):
        made = folder.parent / f"made{number}"
        made.mkdir(parents=True)
        write_files(made, release_files(*write_trained(made), golden_count=5 + number))
        name = read_id(made)
        shutil.copytree(made, folder / name)
        Store(folder).make_live(name)
    return folder


def read_id(folder):
    return read_manifest(folder / "manifest.json").release_id


@pytest.fixture
def checkout(two, tmp_path):
    shutil.copytree(two, tmp_path / "releases")
    return tmp_path


def look(checkout):
    said = []
    found = demote_if_needed(
        checkout / "releases", checkout / "reports", lambda event, **told: said.append((event, told))
    )
    return found, said


def drift(checkout, status, release_id):
    write_json(checkout / "reports/drift.json", {"status": status, "why": "far", "release": {"release_id": release_id}})


def record(checkout, place, release_id, figure):
    told = {"release": {"release_id": release_id}, "figures": {"r2_implied_vol_vs_own_last_day": figure}}
    write_json(checkout / f"reports/live/live_202611{place:02d}.json", told)


def test_a_live_release_whose_drift_is_red_is_taken_back_and_the_ledger_says_why(checkout):
    live = Store(checkout / "releases").live()
    drift(checkout, "red", live.live)
    found, _ = look(checkout)
    assert (found.release_id, found.to, found.why) == (live.live, live.previous, "its drift is red: far")
    assert Store(checkout / "releases").live().live == live.previous
    (entry,) = Ledger(checkout / "releases/ledger.jsonl").entries()
    assert (entry.event, entry.release_id, entry.by) == ("demoted", live.live, "automation")
    assert entry.details == {"why": found.why, "to": live.previous, "automatic": True}


@pytest.mark.parametrize("status", ["green", "amber", "unknown"])
def test_other_states_of_drift_take_nothing_back(checkout, status):
    live = Store(checkout / "releases").live()
    drift(checkout, status, live.live)
    assert look(checkout) == (None, [])
    assert Store(checkout / "releases").live() == live


def test_red_drift_of_another_release_is_not_the_live_ones(checkout):
    drift(checkout, "red", Store(checkout / "releases").live().previous)
    assert look(checkout)[0] is None


@pytest.mark.parametrize(("lost", "taken"), [(20, True), (19, True), (18, False), (10, False)])
def test_a_release_that_keeps_losing_is_taken_back(checkout, lost, taken):
    live = Store(checkout / "releases").live().live
    record(checkout, 0, live, 0.9)
    for place in range(1, 21):
        record(checkout, place, live, -0.1 if place <= lost else 0.1)
    assert (look(checkout)[0] is not None) is taken


def test_a_few_days_are_not_enough_and_days_of_others_do_not_count(checkout):
    now = Store(checkout / "releases").live()
    for place in range(1, 29):
        record(checkout, place, now.live if place < 14 else now.previous, -0.5)
    assert look(checkout)[0] is None


def test_without_a_release_before_it_nothing_is_live(checkout):
    live = Store(checkout / "releases").live().live
    (checkout / "releases/live.json").unlink()
    Store(checkout / "releases").make_live(live)
    drift(checkout, "red", live)
    assert look(checkout)[0].to is None
    assert Store(checkout / "releases").live() is None


def test_a_spoilt_release_is_not_gone_back_to(checkout):
    live = Store(checkout / "releases").live()
    (checkout / "releases" / live.previous / "options_pricing_model.pkl").write_bytes(b"spoilt")
    drift(checkout, "red", live.live)
    found, said = look(checkout)
    assert found.to is None
    assert said[0][0] == "previous_release_refused"
    assert Store(checkout / "releases").live() is None


def test_what_cannot_be_read_is_told_and_takes_nothing_back(checkout):
    (checkout / "reports/live").mkdir(parents=True)
    (checkout / "reports/drift.json").write_text("{")
    (checkout / "reports/live/live_20261120.json").write_text("[1]")
    found, said = look(checkout)
    assert found is None
    assert [event for event, _ in said] == ["not_read"]


def test_where_nothing_is_live_there_is_nothing_to_take_back(tmp_path):
    assert look(tmp_path) == (None, [])
