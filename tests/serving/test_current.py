import json
import shutil
import time
from datetime import date

import pytest

from options_pricing.release.candidate import check_candidate
from options_pricing.release.store import Store
from options_pricing.release.verify import read_manifest
from options_pricing.run.errors import BadDataError, MissingInputError, ModelRefusedError
from options_pricing.run.files import whole_files, write_json
from options_pricing.serving import current as module
from options_pricing.serving.api import create_app
from options_pricing.serving.current import CurrentRelease, require_servable
from tests.made_release import edit_manifest, make_store

MODEL, MANIFEST = "options_pricing_model.pkl", "manifest.json"
# How long a swap may take on a busy machine before the test gives it up.
PATIENCE = 90.0


@pytest.fixture
def store(tmp_path) -> Store:
    """Two releases, the first of them live."""
    return make_store(tmp_path / "releases", count=2)


@pytest.fixture
def checked(monkeypatch):
    """What was tried in a child process, without the child: its own tests have it."""
    tried = []
    monkeypatch.setattr(module, "check_candidate", lambda folder, release_id: tried.append(release_id))
    return tried


@pytest.fixture
def following(store, checked):
    found = CurrentRelease(store.folder, look_seconds=0.01)
    yield found
    found.stop()


def serves(found: CurrentRelease) -> str:
    return found.now().manifest.release_id


def point(store, live, previous) -> None:
    """Name what is live without the checks of the store, in one step as it does: half a file is another fault."""
    with whole_files(store.live_file) as (file,):
        write_json(file, {"live": live, "previous": previous, "since": "now"})


def flip(path) -> None:
    """Flip one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def until(condition, *, seconds: float = PATIENCE) -> bool:
    """Whether it holds within that time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_a_folder_of_a_release_is_served_as_it_is(staged):
    found = CurrentRelease(staged)
    assert serves(found) == read_manifest(staged / MANIFEST).release_id
    assert (found.serving.standing, found.trouble, found.refused) == ("fixed", None, None)


def test_what_is_made_live_is_tried_and_takes_the_place_of_the_old_one(store, following, checked):
    one, two = store.ids()
    assert (serves(following), following.serving.standing) == (one, "live")
    store.make_live(two)
    assert until(lambda: serves(following) == two)
    assert checked == [two]
    assert following.trouble is None


def test_what_is_taken_up_or_refused_is_in_the_log(store, following, checked, caplog):
    caplog.set_level("INFO", logger="options-pricing.current")
    first, second = store.ids()

    def said():
        return [json.loads(record.message) for record in caplog.records]

    point(store, second, first)
    assert until(said)
    assert {name: said()[0][name] for name in ("event", "release_id", "standing", "before")} == {
        "event": "serves",
        "release_id": second,
        "standing": "live",
        "before": first,
    }
    flip(store.folder_of(first) / MODEL)
    following._held.clear()
    point(store, first, second)
    assert until(lambda: len(said()) > 1)
    assert (said()[1]["event"], said()[1]["release_id"]) == ("refused", first)


def test_going_back_takes_no_loading(store, following, checked, monkeypatch):
    one, two = store.ids()
    store.make_live(two)
    assert until(lambda: serves(following) == two)
    monkeypatch.setattr(module, "load_release", lambda folder: pytest.fail("it was loaded again"))
    store.roll_back()
    assert until(lambda: serves(following) == one)
    assert checked == [two]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda folder: (folder / MODEL).write_bytes(b""), "bytes"),
        (lambda folder: flip(folder / MODEL), "SHA-256"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), "no manifest"),
        (lambda folder: (folder / "signature.json").unlink(), "missing"),
        (lambda folder: edit_manifest(folder, simulated=False), "not"),
    ],
)
def test_fault_57_a_refused_release_leaves_the_old_one_serving_and_says_so(store, following, spoil, word):
    one, two = store.ids()
    spoil(store.folder_of(two))
    point(store, two, one)
    assert until(lambda: following.refused == two)
    assert serves(following) == one
    assert two in following.trouble and word in following.trouble
    assert str(store.folder) not in following.trouble
    store.roll_back()
    assert until(lambda: following.trouble is None)
    assert (serves(following), following.refused) == (one, None)


def test_a_release_that_prices_otherwise_is_refused(store, following):
    one, two = store.ids()
    rows = json.loads((store.folder_of(two) / MANIFEST).read_text())["golden_rows"]
    rows[0]["predicted_price"] *= 1 + 1e-11
    edit_manifest(store.folder_of(two), golden_rows=rows)
    three = read_manifest(store.folder_of(two) / MANIFEST).release_id
    store.folder_of(two).rename(store.folder_of(three))
    store.make_live(three)
    assert until(lambda: following.refused == three)
    assert "1 of 12 golden prices differ" in following.trouble
    assert serves(following) == one


def test_a_refused_release_is_tried_again_after_a_while(store, following, monkeypatch):
    one, two = store.ids()
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)
    manifest = store.folder_of(two) / MANIFEST
    whole = manifest.read_bytes()
    manifest.write_bytes(b"")
    point(store, two, one)
    assert until(lambda: following.refused == two)
    manifest.write_bytes(whole)
    assert until(lambda: serves(following) == two)
    assert following.trouble is None


def test_a_pointer_that_nobody_can_read_leaves_the_old_one_serving(store, following):
    store.live_file.write_text("{")
    assert until(lambda: following.trouble is not None)
    assert serves(following) == store.ids()[0]


def test_a_bug_while_looking_does_not_end_the_following(store, following, monkeypatch):
    _, two = store.ids()
    monkeypatch.setattr(module, "wanted_in", lambda path: 1 / 0)
    store.make_live(two)
    assert until(lambda: following.trouble is not None and "ZeroDivisionError" in following.trouble)
    monkeypatch.undo()
    monkeypatch.setattr(module, "check_candidate", lambda folder, release_id: None)
    store.roll_back()
    store.make_live(two)
    assert until(lambda: serves(following) == two)


def test_where_nothing_is_live_the_staged_one_is_served_and_followed_until_something_is(tmp_path, checked):
    store = make_store(tmp_path / "releases", count=2, live=False)
    one, two = store.ids()
    store.folder_of(one).rename(store.staged)
    found = CurrentRelease(store.folder, look_seconds=0.01)
    assert (serves(found), found.serving.standing) == (one, "staged")
    store.make_live(two)
    assert until(lambda: serves(found) == two)
    assert found.serving.standing == "live"
    found.stop()


def test_where_what_was_live_is_taken_back_and_nothing_was_before_it_no_staged_release_stands_in(tmp_path, checked):
    store = make_store(tmp_path / "releases", count=2, live=False)
    one, two = store.ids()
    shutil.copytree(store.folder_of(one), store.staged)
    store.make_live(two)
    client = create_app(store.folder, today=lambda: date(2026, 11, 23)).test_client()
    assert client.get("/model").status_code == 200
    store.take_down(only_from=two)
    assert until(lambda: client.get("/v2/health/ready").status_code == 503)
    answer = client.get("/model")
    assert answer.status_code == 503 and "taken back" in answer.json["detail"] and "Retry-After" in answer.headers
    store.make_live(one)
    assert until(lambda: client.get("/v2/health/ready").status_code == 200)
    assert client.get("/model").json["release_id"] == one


@pytest.mark.parametrize("spoil", [lambda folder: (folder / MODEL).write_bytes(b""), shutil.rmtree])
def test_a_process_that_starts_while_the_live_release_is_spoilt_or_gone_serves_the_one_before(store, spoil):
    one, two = store.ids()
    store.make_live(two)
    spoil(store.folder_of(two))
    found = CurrentRelease(store.folder)
    assert (serves(found), found.refused) == (one, two)
    found.stop()
    store.roll_back()
    (store.folder_of(one) / MODEL).write_bytes(b"")
    with pytest.raises(ModelRefusedError):
        CurrentRelease(store.folder)


def test_where_there_is_no_release_nothing_starts(tmp_path):
    with pytest.raises(MissingInputError, match="there is no release"):
        CurrentRelease(tmp_path / "nothing")
    (tmp_path / "live.json").write_text("{")
    with pytest.raises(BadDataError):
        CurrentRelease(tmp_path)


def test_what_would_be_served_is_said_and_checked_without_loading_it(store, staged):
    one, two = store.ids()
    assert require_servable(store.folder) == f"the live release, {one}"
    assert require_servable(staged).startswith("the release of this folder")
    store.live_file.unlink()
    store.folder_of(two).rename(store.staged)
    assert require_servable(store.folder) == f"the staged release, as nothing is live, {two}"
    (store.staged / MODEL).write_bytes(b"")
    with pytest.raises(ModelRefusedError):
        require_servable(store.folder)


def test_the_api_says_which_release_serves_and_which_was_refused(store, checked):
    one, two = store.ids()
    client = create_app(store.folder, today=lambda: date(2026, 11, 23)).test_client()
    (store.folder_of(two) / MODEL).write_bytes(b"")
    store.make_live(two)
    assert until(lambda: client.get("/v2/health/ready").json["refused"] == two)
    ready = client.get("/v2/health/ready")
    assert ready.status_code == 200
    assert ready.json["release_id"] == client.get("/model").json["release_id"] == one
    assert ready.json["standing"] == "live" and ready.json["signature"] == "unsigned"
    assert two in ready.json["trouble"]


def test_a_child_tries_it_for_real(store):
    one, _ = store.ids()
    assert check_candidate(store.folder_of(one), one)["golden_rows"] == 12
