import hashlib
import json

import pytest

from options_pricing.release.store import Store
from options_pricing.release.watch import Seen
from options_pricing.reporting.also_read import also_read
from options_pricing.reporting.render import json_text
from options_pricing.run.files import write_json
from tests.reporting.made_files import LAST
from tests.reporting.test_watching import NAME, drift, record

EARLIER = "20261119"


@pytest.fixture
def folder(tmp_path):
    """A live release, one staged, a record of an earlier day and one of another release."""
    releases = tmp_path / "releases"
    for name in (NAME["release_id"], "staged"):
        (releases / name).mkdir(parents=True)
        for file in ("manifest.json", "options_pricing_model.pkl"):
            (releases / name / file).write_text(f"{name}/{file}")
    for file in ("releases/live.json", "releases/ledger.jsonl", "features.csv", "live/live_20261118.json"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(file)
    write_json(tmp_path / f"live/live_{EARLIER}.json", record(EARLIER, 0.2))
    return tmp_path


def told(folder, **changed):
    other = record("20261118", 0.1, NAME | {"release_id": "b" * 12})
    records = [other, record(EARLIER, 0.2), record(LAST, -1.5)]
    seen = Seen(records[-1], drift("green", release=changed.get("release", NAME)), records)
    found = also_read(
        seen,
        releases=folder / "releases",
        live=folder / f"live/live_{LAST}.json",
        before=[folder / "features.csv"],
        ledger=folder / "releases/ledger.jsonl",
    )
    return {file.path.removeprefix(f"{folder.as_posix()}/"): file for file in found}


def test_everything_behind_the_release_in_use_is_named_with_its_hash(folder):
    found = told(folder)
    assert list(found) == [
        "features.csv",
        "releases/live.json",
        "releases/aaaaaaaaaaaa/manifest.json",
        "releases/aaaaaaaaaaaa/options_pricing_model.pkl",
        f"live/live_{EARLIER}.json",
        f"live/live_{LAST}.json",
        "releases/ledger.jsonl",
    ]
    for name, file in found.items():
        if name != f"live/live_{LAST}.json":
            assert file.sha256 == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_the_record_of_the_day_has_the_hash_that_it_is_written_with(folder):
    path = folder / f"live/live_{LAST}.json"
    before = told(folder)[f"live/live_{LAST}.json"].sha256
    path.write_text(json_text(record(LAST, -1.5)))
    assert told(folder)[f"live/live_{LAST}.json"].sha256 == before == hashlib.sha256(path.read_bytes()).hexdigest()
    assert json.loads(path.read_text()) == record(LAST, -1.5)


def test_a_staged_release_is_named_where_it_lies(folder):
    Store(folder / "releases").live_file.unlink()
    found = told(folder, release=NAME | {"live": False})
    assert "releases/staged/manifest.json" in found
    assert not [name for name in found if "aaaaaaaaaaaa" in name or name.endswith("live.json")]


def test_without_a_release_only_what_was_read_is_named(folder):
    found = told(folder, release=None)
    assert "releases/live.json" in found and not [name for name in found if "manifest" in name]


def test_a_report_that_looks_at_no_release_names_the_ledger_alone(folder):
    ledger = folder / "releases/ledger.jsonl"
    assert [file.path for file in also_read(None, releases=None, live=None, ledger=ledger)] == [ledger.as_posix()]
    assert also_read(None, releases=None, live=None) == []
