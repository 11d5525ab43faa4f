"""The releases of a checkout and which of them is live: one folder, one small file that is replaced in one step."""

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from options_pricing.release.folders import whole_folder
from options_pricing.release.manifest import ID_LENGTH, MANIFEST_FILE
from options_pricing.release.signing import SIGNATURE_FILE
from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.run.files import parsed_json, write_json, writing

STAGED = "staged"
LIVE_FILE = "live.json"
LOCK_FILE = ".live.lock"
ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}", re.ASCII)


@dataclass(frozen=True)
class Live:
    """What ``live.json`` says: the release that is live, the one to go back to, and since when (UTC)."""

    live: str
    previous: str | None
    since: str


class Store:
    """The folder ``releases/``.

    Parameters
    ----------
    folder : Path
        It need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.staged = self.folder / STAGED
        self.live_file = self.folder / LIVE_FILE

    def folder_of(self, release_id: str) -> Path:
        """Where a release of this id is kept, whether or not it is there; a `BadDataError` where it is no id."""
        if not ID.fullmatch(release_id):
            raise BadDataError(
                f"{release_id!r} is no release",
                why=f"a release is named by the {ID_LENGTH} hexadecimal digits of its id",
                fix="`options-pricing status` tells the id of the staged release",
            )
        return self.folder / release_id

    def ids(self) -> list[str]:
        """The ids of all releases that are kept, in their order as text."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if ID.fullmatch(path.name) and path.is_dir())

    def keep(self, release_id: str, files: Mapping[str, bytes]) -> Path:
        """Keep a release under its id; one that is there already stays, unless it is spoilt or this one is signed anew.

        Its content cannot change, as the id is made of it; only who signed it can.
        """
        folder = self.folder_of(release_id)
        held = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}
        unsigned = b'"scheme": "unsigned"' in files[SIGNATURE_FILE]
        same = dict(files) | ({SIGNATURE_FILE: held.get(SIGNATURE_FILE)} if unsigned else {})
        if held != same:
            with whole_folder(folder) as fresh:
                for name, content in files.items():
                    with writing(fresh / name):
                        (fresh / name).write_bytes(content)
        return folder

    def live(self) -> Live | None:
        """What is live; None where nothing has been made live yet.

        Raises
        ------
        BadDataError
            ``live.json`` is not what `make_live` writes.
        """
        try:
            content = self.live_file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error
        try:
            return _live(parsed_json(content))
        except (ValueError, TypeError, RecursionError) as error:
            raise self._unreadable(str(error)) from error

    def gone(self) -> list[str]:
        """The releases that ``live.json`` names, as live or as the one to go back to, and that are not kept."""
        live = self.live()
        named = [live.live, live.previous] if live else []
        return [name for name in named if name and not self.folder_of(name).is_dir()]

    def make_live(self, release_id: str) -> Live:
        """Point at a release that is kept here; the one that was live until now becomes the one to go back to.

        Whenever this process is killed, the pointer is the old or the new one. A release that is live already stays
        so, and nothing is written.

        Raises
        ------
        MissingInputError
            No such release is kept.
        """
        if not (self.folder_of(release_id) / MANIFEST_FILE).is_file():
            raise MissingInputError(
                f"there is no release {release_id} in {self.folder}",
                why=f"kept are {', '.join(self.ids()) or 'none'}",
                fix="name one of these, or stage one: `snakemake --cores 4 deploy`",
            )
        with self._locked():
            before = self.live()
            if before is not None and before.live == release_id:
                return before
            return self._point_at(release_id, None if before is None else before.live)

    def roll_back(self, *, only_from: str | None = None) -> Live:
        """Point at the release that was live before; there is none to go back to after that.

        Parameters
        ----------
        only_from : str, optional
            Do so only if this release is live; else leave all as it is.

        Raises
        ------
        MissingInputError
            Nothing is live, or nothing was before.
        """
        with self._locked():
            now = self.live()
            if now is not None and only_from not in (None, now.live):
                return now
            if now is None or now.previous is None:
                raise MissingInputError(
                    "there is no release to go back to",
                    why="nothing is live" if now is None else f"none was live before {now.live}, or it was gone back",
                    fix="make another one live: `options-pricing promote`",
                )
            return self._point_at(now.previous, None)

    def take_down(self, *, only_from: str) -> None:
        """Have nothing live where this release, the first one ever, must not stay so."""
        with self._locked():
            now = self.live()
            if now is not None and now.live == only_from:
                with writing(self.live_file):
                    self.live_file.unlink()

    def _point_at(self, release_id: str, previous: str | None) -> Live:
        live = Live(release_id, previous, datetime.now(UTC).isoformat(timespec="milliseconds"))
        write_json(self.live_file, asdict(live))
        return live

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, so that none is lost between its reading and its writing."""
        lock = self.folder / LOCK_FILE
        with writing(lock):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _unreadable(self, why: str) -> BadDataError:
        return BadDataError(
            f"{self.live_file} does not say what is live",
            why=why,
            fix="look at the ledger for what was promoted last, then remove this file and promote that again",
        )


def _live(told: object) -> Live:
    """``live.json`` as a `Live`; a `ValueError` or `TypeError` where it is none."""
    if not isinstance(told, dict):
        raise TypeError(f"it holds {json.dumps(told)[:40]}")
    live = Live(**told)
    wrong = [
        held for held in (live.live, live.previous or live.live) if not (isinstance(held, str) and ID.fullmatch(held))
    ]
    if wrong or not isinstance(live.since, str):
        raise ValueError("it names no releases by their ids")
    return live
