"""A release is watched: which one, with which first record, and what can go wrong without costing a report."""

import hashlib
import json
import pickle
import shutil

import pandas as pd
import pytest

from options_pricing.evaluation.reference import reference_of
from options_pricing.evaluation.unseen import unseen_days
from options_pricing.models.training import train_model
from options_pricing.quotes.schema import FEATURES
from options_pricing.quotes.tables import write_csv
from options_pricing.release.staging import release_files, write_files
from options_pricing.release.store import Store
from options_pricing.release.watch import NO_RELEASE, look
from options_pricing.run.params import Drift, Train
from tests.made_release import write_trained
from tests.made_up_features import Market, make_features

TRAIN = Train(model="random_walk")


@pytest.fixture(scope="module")
def days():
    market = Market(days=13, expirations=(20, 41, 104, 250), strikes=11)
    return {f"{at:%Y%m%d}": day for at, day in make_features(market).groupby("trade_date")}


@pytest.fixture(scope="module")
def kept(days, tmp_path_factory):
    """Two releases by the last day that they know, and every day's features as a file."""
    folder = tmp_path_factory.mktemp("releases")
    store, names = Store(folder / "releases"), list(days)
    for place, known in enumerate((names[:10], names[:11])):
        table = pd.concat([days[day] for day in known], ignore_index=True)
        trained, unseen = train_model(table, TRAIN), unseen_days(table, TRAIN)
        trained.pricing.reference = reference_of(unseen.told)
        content = pickle.dumps(trained.pricing)
        out = folder / str(place)
        out.mkdir()
        card = {"as_of": known[-1], "days": known, "out_of_sample": unseen.metrics}
        files = release_files(*write_trained(out, content, **card), golden_count=5)
        store.keep(json.loads(files["manifest.json"])["release_id"], files)
        if place == 0:
            store.staged.mkdir()
            write_files(store.staged, files)
    for day, table in days.items():
        write_csv(table, folder / f"{day}.csv", FEATURES)
    return folder


@pytest.fixture
def watch(days, kept, tmp_path):
    """Look at a day; records are kept as generate_report keeps them."""

    def at(day, *, releases=kept / "releases", before=True, said=None):
        names = list(days)
        path = kept / f"{names[names.index(day) - 1]}.csv" if before else None
        told = said if said is not None else []
        seen = look(
            day,
            days[day],
            before=path,
            releases=releases,
            live=tmp_path / "live",
            settings=Drift(),
            tell=lambda event, **fields: told.append((event, fields)),
        )
        (tmp_path / "live").mkdir(exist_ok=True)
        (tmp_path / "live" / f"live_{day}.json").write_text(json.dumps(seen.record, allow_nan=False))
        return seen

    return at


def by_last_day(store):
    return {json.loads((store.folder_of(i) / "manifest.json").read_text())["as_of"]: i for i in store.ids()}


def test_the_staged_release_judges_the_day_after_its_last(watch, days):
    seen = watch(list(days)[10])
    assert seen.record["judged"] and seen.record["age"] == 1
    assert seen.record["release"]["live"] is False
    assert seen.record["figures"]["r2_implied_vol_vs_random_walk"] == 0  # it is the random walk itself
    assert seen.drift["status"] == seen.record["drift"]["status"]
    assert len(seen.record["drift"]["statistics"]) == 6 and seen.drift["power"] is not None
    assert (seen.drift["reference_days"], seen.drift["live_days"]) == (9, 1)


def test_a_day_that_the_release_knows_is_not_judged(watch, days):
    seen = watch(list(days)[9])
    assert seen.record["judged"] is False and "knows this day" in seen.record["why_not"]
    assert seen.drift["status"] == "unknown" and seen.drift["why"] == seen.record["why_not"]


def test_the_first_record_of_a_day_stays_when_another_release_is_made_live(watch, kept, days):
    day, store = list(days)[11], Store(kept / "releases")
    first = watch(day)
    younger = by_last_day(store)[list(days)[10]]
    store.make_live(younger)
    try:
        again, later = watch(day), watch(list(days)[12])
    finally:
        store.live_file.unlink()
    assert again.record == first.record
    assert again.record["release"]["release_id"] != younger
    assert again.drift["release"]["release_id"] == younger and again.drift["live_days"] == 0
    assert (later.record["release"]["release_id"], later.record["release"]["live"]) == (younger, True)
    assert [record["date"] for record in later.records] == [day, list(days)[12]]


def test_what_judged_nothing_gives_way_to_what_judges(watch, days, tmp_path):
    day = list(days)[10]
    assert watch(day, releases=tmp_path / "none").record["why_not"] == NO_RELEASE
    assert watch(day).record["judged"] is True


def test_without_yesterday_nothing_is_judged(watch, days):
    seen = watch(list(days)[10], before=False)
    assert seen.drift["status"] == "unknown" and "session before" in seen.drift["why"]


@pytest.mark.parametrize("spoilt", ["model", "live"])
def test_fault_57_a_spoilt_release_leaves_the_status_unknown_and_says_so(watch, kept, days, tmp_path, spoilt):
    releases = shutil.copytree(kept / "releases", tmp_path / "spoilt")
    path = releases / ("staged/options_pricing_model.pkl" if spoilt == "model" else "live.json")
    content = bytearray(path.read_bytes()) if spoilt == "model" else bytearray(b"{}")
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    said = []
    seen = watch(list(days)[10], releases=releases, said=said)
    assert seen.record["judged"] is False and seen.drift["status"] == "unknown"
    assert seen.drift["release"] is None
    assert [event for event, _ in said] == ["release_not_watched"]


def test_a_record_that_is_none_is_left_out(watch, days, tmp_path):
    (tmp_path / "live").mkdir()
    for name, content in (("live_20260101.json", "{"), ("live_20260102.json", "[]"), ("live_20260105.json", "{}")):
        (tmp_path / "live" / name).write_text(content)
    said = []
    assert watch(list(days)[10], said=said).record["judged"] is True
    assert [event for event, _ in said] == ["record_left_out"] * 3


@pytest.mark.parametrize("lost", ["release", "figures", "drift", "age", "quotes", "intervals"])
def test_a_judged_record_of_another_version_is_left_out(watch, days, tmp_path, lost):
    day, later = list(days)[10:12]
    path = tmp_path / "live" / f"live_{day}.json"
    record = watch(day).record
    path.write_text(json.dumps({name: held for name, held in record.items() if name != lost}))
    said = []
    assert [held["date"] for held in watch(later, said=said).records] == [later]
    assert [event for event, _ in said] == ["record_left_out"]
    assert lost in said[0][1]["why"]
    path.write_text(json.dumps(record))
    assert [held["date"] for held in watch(later).records] == [day, later]
    path.rename(path.with_name("live_20260105.json"))
    assert [held["date"] for held in watch(later).records] == [later]


def test_the_same_day_gives_the_same_bytes(watch, days, tmp_path):
    day = list(days)[10]
    digests = []
    for _ in range(2):
        seen = watch(day)
        digests.append(hashlib.sha256(json.dumps([seen.record, seen.drift]).encode()).hexdigest())
        (tmp_path / "live" / f"live_{day}.json").unlink()
    assert digests[0] == digests[1]
