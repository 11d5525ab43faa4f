"""A folder written whole or not at all."""

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from options_pricing.run.files import writing

AT_FDCWD = -100
RENAME_EXCHANGE = 2


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path`, for files only; it takes its place, in one step, when the block ends well.

    Whatever happens before that step, a kill included, leaves the old folder as it was. On an error the new one is
    removed; what a killed process left behind is removed by the next.
    """
    path = Path(os.path.realpath(path))
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        fresh.mkdir()
    try:
        yield fresh
        with writing(path):
            _flush_files(fresh)
            _put_in_place(fresh, path)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _put_in_place(fresh: Path, path: Path) -> None:
    """Make `fresh` be `path`; the old folder, if any, is then where `fresh` was or gone."""
    if not path.exists():
        fresh.rename(path)
    elif not _exchanged(fresh, path):
        # No atomic exchange here (not Linux, or a network folder): the old one stands aside for a moment.
        old = path.with_name(f".{path.name}.{os.getpid()}.old")
        path.rename(old)
        try:
            fresh.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old)
    _flush(path.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step of the file system; false where it can not."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    if renameat2 is None:
        return False
    names = (os.fsencode(one), os.fsencode(other))
    return bool(renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0)


def _remove_leftovers(path: Path) -> None:
    """Clear what killed processes left beside `path`, and bring back an old folder one of them set aside."""
    for left in sorted(path.parent.glob(f".{path.name}.*.*")):
        pid, kind = left.name.rsplit(".", 2)[1:]
        if kind not in {"new", "old"} or not pid.isdigit() or _alive(int(pid)):
            continue
        if kind == "old" and not path.exists():
            left.rename(path)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flush_files(folder: Path) -> None:
    """Have the disk hold a flat folder: its files, then its entries."""
    for path in sorted(folder.iterdir()):
        _flush(path)
    _flush(folder)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
