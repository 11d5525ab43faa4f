import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from options_pricing.release.store import Store
from options_pricing.run.errors import BadDataError, MissingInputError

ONE, TWO, THREE = "1" * 12, "2" * 12, "3" * 12
FILES = {"manifest.json": b"{}", "signature.json": b'{\n  "scheme": "unsigned"\n}\n', "model_card.json": b"card"}
SIGNED = FILES | {"signature.json": b'{\n  "scheme": "hmac-sha256"\n}\n'}


@pytest.fixture
def store(tmp_path) -> Store:
    """A store with three releases, none of them live."""
    store = Store(tmp_path / "releases")
    for release_id in (ONE, TWO, THREE):
        store.keep(release_id, FILES)
    return store


def test_at_first_nothing_is_live_and_nothing_is_there(tmp_path):
    store = Store(tmp_path / "releases")
    assert (store.live(), store.ids()) == (None, [])
    with pytest.raises(MissingInputError, match="nothing is live"):
        store.roll_back()
    with pytest.raises(MissingInputError, match="kept are none"):
        store.make_live(ONE)
    assert store.live() is None


def test_what_was_live_is_the_one_to_go_back_to_once(store):
    store.make_live(ONE)
    live = store.make_live(TWO)
    assert (live.live, live.previous) == (TWO, ONE)
    assert store.live() == live
    assert live.since.endswith("+00:00")
    back = store.roll_back()
    assert (back.live, back.previous) == (ONE, None)
    # Else a second one would make the demoted release live again without anybody's permission.
    with pytest.raises(MissingInputError):
        store.roll_back()
    assert store.live() == back


def test_making_live_what_is_live_keeps_the_one_to_go_back_to(store):
    store.make_live(ONE)
    live = store.make_live(TWO)
    assert store.make_live(TWO) == live


def test_a_roll_back_from_a_release_leaves_another_one_as_it_is(store):
    store.make_live(ONE)
    live = store.make_live(TWO)
    assert store.roll_back(only_from=THREE) == live
    store.take_down(only_from=THREE)
    assert store.live() == live
    store.take_down(only_from=TWO)
    assert store.live() is None


@pytest.mark.parametrize("name", ["", "..", "../../etc", "staged", ONE[:-1], ONE + "1", ONE[:-1] + "G", ONE + "\n"])
def test_what_is_no_id_is_no_folder(store, name):
    with pytest.raises(BadDataError):
        store.folder_of(name)
    with pytest.raises(BadDataError):
        store.make_live(name)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        "{}",
        json.dumps({"live": "../../x", "previous": None, "since": "now"}),
        json.dumps({"live": ONE, "previous": "../x", "since": "now"}),
        json.dumps({"live": ONE, "previous": None, "since": 5}),
        json.dumps({"live": 5, "previous": None, "since": "now"}),
        json.dumps({"live": ONE, "previous": None, "since": "now", "more": 1}),
    ],
)
def test_a_pointer_that_is_none_is_told(store, content):
    store.live_file.write_text(content)
    with pytest.raises(BadDataError, match=r"live\.json does not say what is live"):
        store.live()


def test_a_release_is_kept_once_and_mended_and_its_signature_is_not_lost(store):
    folder = store.keep(ONE, FILES)
    before = folder.stat().st_ino
    assert store.keep(ONE, FILES).stat().st_ino == before
    store.keep(ONE, SIGNED)
    assert (folder / "signature.json").read_bytes() == SIGNED["signature.json"]
    store.keep(ONE, FILES)
    assert (folder / "signature.json").read_bytes() == SIGNED["signature.json"]
    (folder / "model_card.json").write_bytes(b"spoilt")
    store.keep(ONE, SIGNED)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == SIGNED
    assert store.ids() == [ONE, TWO, THREE]


def killed_at(step: int, act) -> bool:
    """Do something in a child that kills itself before its `step`-th line of the library; whether it came that far."""
    pid = os.fork()
    if pid == 0:
        left = step

        def trace(frame, event, argument):
            nonlocal left
            if "options_pricing" not in frame.f_code.co_filename:
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        try:
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_fault_65_a_promotion_killed_at_each_step_leaves_the_old_or_the_new_release(store):
    store.make_live(ONE)
    seen, step = set(), 0
    while killed_at(step, lambda: store.make_live(TWO)):
        live = Store(store.folder).live()
        assert live is not None
        seen.add((live.live, live.previous))
        if live.live == TWO:
            store.roll_back()
        step += 1
    assert step > 20
    assert seen == {(ONE, None), (TWO, ONE)}
    assert store.live().live == TWO


def test_fault_65_a_roll_back_killed_at_each_step_leaves_the_old_or_the_new_release(store):
    store.make_live(ONE)
    store.make_live(TWO)
    seen, step = set(), 0
    while killed_at(step, store.roll_back):
        live = Store(store.folder).live()
        seen.add((live.live, live.previous))
        if live.live == ONE:
            store.make_live(TWO)
        step += 1
    assert seen == {(ONE, None), (TWO, ONE)}
    assert store.live().live == ONE


def test_fault_65_a_release_is_kept_whole_or_not_at_all_whenever_it_is_killed(store):
    new = "4" * 12
    folder, step = store.folder_of(new), 0
    while killed_at(step, lambda: store.keep(new, FILES)):
        held = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}
        assert held in ({}, FILES)
        if held:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
        step += 1
    assert step > 40
    assert store.ids() == [ONE, TWO, THREE, new]


def test_changes_at_the_same_time_lose_none(store):
    store.make_live(ONE)
    wanted = [TWO, THREE] * 10
    threads = [threading.Thread(target=store.make_live, args=(release_id,)) for release_id in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    live = store.live()
    assert {live.live, live.previous} == {TWO, THREE}


def test_a_store_that_cannot_be_written_keeps_its_pointer(store, monkeypatch):
    live = store.make_live(ONE)

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Exception, match=r"live\.json could not be written"):
        store.make_live(TWO)
    assert store.live() == live
