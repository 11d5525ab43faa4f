import os
import signal
from pathlib import Path

import pytest

from options_pricing.release import folders
from options_pricing.release.folders import whole_folder


def write(folder: Path, text: str) -> None:
    for name in ("a", "b"):
        (folder / name).write_text(text)


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def stage(target: Path, text: str) -> None:
    with whole_folder(target) as fresh:
        write(fresh, text)


@pytest.fixture(params=["exchange", "two renames"])
def swap(request, monkeypatch):
    """Both ways of putting a folder in the place of another."""
    if request.param == "two renames":
        monkeypatch.setattr(folders, "_exchanged", lambda one, other: False)
    return request.param


def test_a_folder_appears_and_is_replaced_and_nothing_else_is_left(tmp_path, swap):
    target = tmp_path / "releases" / "staged"
    stage(target, "old")
    assert held(target) == {"a": "old", "b": "old"}
    stage(target, "new")
    assert held(target) == {"a": "new", "b": "new"}
    assert os.listdir(target.parent) == ["staged"]


def test_files_of_the_old_folder_do_not_live_on_in_the_new(tmp_path, swap):
    target = tmp_path / "staged"
    target.mkdir()
    (target / "left").write_text("over")
    stage(target, "new")
    assert sorted(held(target)) == ["a", "b"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_the_old_folder_and_no_other(tmp_path, swap, error):
    target = tmp_path / "staged"
    stage(target, "old")
    with pytest.raises(error), whole_folder(target) as fresh:
        write(fresh, "half")
        raise error
    assert held(target) == {"a": "old", "b": "old"}
    assert os.listdir(tmp_path) == ["staged"]


def die_at_step(target: Path, step: int) -> int:
    """Stage "new" in a child that SIGKILL ends before its `step`-th change of the file system; its wait status."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    left = [step]

    def counted(change):
        def change_or_die(*args, **kwargs):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return change(*args, **kwargs)

        return change_or_die

    for where, name in (
        (Path, "mkdir"),
        (Path, "write_text"),
        (Path, "rename"),
        (os, "fsync"),
        (folders, "_exchanged"),
    ):
        setattr(where, name, counted(getattr(where, name)))
    folders.shutil.rmtree = counted(folders.shutil.rmtree)
    try:
        stage(target, "new")
    finally:
        os._exit(0)


def test_killed_at_any_step_the_old_or_the_new_is_whole_and_the_next_run_heals(tmp_path):
    target = tmp_path / "staged"
    stage(target, "old")
    seen, step, status = set(), 0, 1
    while status:
        status = die_at_step(target, step)
        seen.add(tuple(held(target).items()) if target.exists() else None)
        assert {*held(target).values()} in ({"old"}, {"new"})
        assert sorted(held(target)) == ["a", "b"]
        stage(target, "old")
        assert held(target) == {"a": "old", "b": "old"}
        assert os.listdir(tmp_path) == ["staged"]
        step += 1
    assert step > 8
    assert len(seen) >= 2


def test_an_old_folder_that_a_killed_run_set_aside_comes_back(tmp_path):
    gone = os.fork() or os._exit(0)
    os.waitpid(gone, 0)
    aside = tmp_path / f".staged.{gone}.old"
    aside.mkdir()
    write(aside, "old")
    target = tmp_path / "staged"
    with pytest.raises(ValueError), whole_folder(target):
        raise ValueError
    assert held(target) == {"a": "old", "b": "old"}


def test_what_a_living_process_is_writing_is_left_alone(tmp_path):
    other = tmp_path / f".staged.{os.getppid()}.new"
    other.mkdir()
    stage(tmp_path / "staged", "new")
    assert other.is_dir()


def test_the_exchange_is_one_step_where_this_system_has_it(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        write(folder, folder.name)
    if not folders._exchanged(one, other):
        pytest.skip("this file system can not swap two folders in one step")
    assert held(one)["a"] == "other"
    assert held(other)["a"] == "one"
