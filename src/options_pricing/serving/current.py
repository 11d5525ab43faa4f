"""The release that a process serves at this moment; another one takes its place without a request noticing."""

import json
import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from options_pricing.release.candidate import check_candidate, why_unfit
from options_pricing.release.manifest import MANIFEST_FILE
from options_pricing.release.store import Store
from options_pricing.release.verify import Release, load_release, read_manifest, verify_release
from options_pricing.run.errors import MissingInputError, ModelRefusedError, TaskError

LOOK_SECONDS = 0.25
RETRY_SECONDS = 30.0
KEPT_IN_MEMORY = 2
WITHDRAWN = "the release that was live was taken back, and nothing is live now"

log = logging.getLogger("options-pricing.current")

Standing = Literal["fixed", "live", "staged"]
SAID = {
    "fixed": "the release of this folder",
    "live": "the live release",
    "staged": "the staged release, as nothing is live",
}


class Wanted(NamedTuple):
    """The release that should be served, where it lies, and as what."""

    release_id: str
    folder: Path
    standing: Standing


class Noted(NamedTuple):
    """Why the release that should be served is not, and its id, where there is one."""

    trouble: str | None = None
    refused: str | None = None


@dataclass(frozen=True)
class Serving:
    """What is served at one moment, and why it must not be, if so."""

    release: Release
    standing: Standing
    unfit: str | None
    withdrawn: bool = False

    def told(self) -> dict[str, Any]:
        """Which release it is, as what it stands, and whether it is signed."""
        manifest = self.release.manifest
        return {
            "release_id": manifest.release_id,
            "model_sha256": self.release.model_sha256,
            "as_of": manifest.as_of,
            "simulated": manifest.simulated,
            "golden_rows": len(manifest.golden_rows),
            "standing": self.standing,
            "signature": self.release.signature,
        }


class CurrentRelease:
    """The release of a folder, or the one that is live in a folder of releases.

    A folder of releases is followed: a thread looks at ``live.json`` four times a second, has another release tried in
    a child process, loads it beside the old one and then swaps one reference. A release that is refused leaves the old
    one serving. The one before stays in memory, so that going back takes no loading. Where nothing is live, the staged
    one is served.

    Parameters
    ----------
    path : Path
        The folder of a release, or of releases.
    look_seconds : float
        How often ``live.json`` is looked at.

    Raises
    ------
    MissingInputError, ModelRefusedError, BadDataError
        There is no release to begin with.
    """

    def __init__(self, path: Path, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._path, self._look_seconds = Path(path), look_seconds
        self._store = None if is_release(self._path) else Store(self._path)
        self._noted = Noted()
        self._held: dict[str, Serving] = {}
        self._stamp, self._retry_at = self._stamp_now(), 0.0
        self._stopped = threading.Event()
        self._serving = self._first()
        self._hold(self._serving)
        if self._store is not None:
            threading.Thread(target=self._follow, name="current release", daemon=True).start()

    def now(self) -> Release:
        """The release to answer with; ask once for each request."""
        return self._serving.release

    @property
    def serving(self) -> Serving:
        """The same with what is known of it."""
        return self._serving

    @property
    def trouble(self) -> str | None:
        """Why the release that should be served is not, or is not fit to be; None where all is well."""
        return self._noted.trouble or self._serving.unfit

    @property
    def refused(self) -> str | None:
        """The id of the release that should be served and was refused."""
        return self._noted.refused

    def stop(self) -> None:
        """Follow no longer."""
        self._stopped.set()

    def _first(self) -> Serving:
        """What to begin with: what should be served or, where that is refused, what was live before it."""
        wanted = self._wanted()
        try:
            return self._loaded(wanted)
        except (MissingInputError, ModelRefusedError) as error:
            live = self._store.live() if self._store is not None else None
            if live is None or live.previous is None or self._store is None:
                raise
            serving = self._loaded(Wanted(live.previous, self._store.folder_of(live.previous), "live"))
            self._note(wanted.release_id, error)
            return serving

    def _wanted(self) -> Wanted:
        return wanted_in(self._path)

    def _loaded(self, wanted: Wanted) -> Serving:
        release = load_release(wanted.folder)
        if release.manifest.release_id != wanted.release_id:
            raise _refused(wanted.folder, f"it is release {release.manifest.release_id}, not {wanted.release_id}")
        unfit = why_unfit(release)
        if unfit and wanted.standing == "live":
            raise _refused(wanted.folder, unfit)
        return Serving(release, wanted.standing, unfit)

    def _follow(self) -> None:
        while not self._stopped.wait(self._look_seconds):
            try:
                self._look()
            except Exception as error:
                # Whatever it is, the old release serves on and is followed up from.
                self._noted = Noted(f"{type(error).__name__} while the releases were looked at")

    def _look(self) -> None:
        """Serve what should be served, if anything has changed since the last look or a refusal is old."""
        stamp = self._stamp_now()
        if stamp == self._stamp and time.monotonic() < self._retry_at:
            return
        self._stamp, self._retry_at = stamp, float("inf")
        wanted = None
        try:
            wanted = self._wanted()
            self._swap_to(wanted)
        except TaskError as error:
            self._note(wanted.release_id if wanted else None, error)
        else:
            self._noted = Noted()

    def _swap_to(self, wanted: Wanted) -> None:
        if self._serving.standing == "live" and wanted.standing == "staged":
            # A release that nobody made live does not stand in for one that was taken back.
            if not self._serving.withdrawn:
                _say("withdrawn", release_id=self._serving.release.manifest.release_id)
            self._serving = replace(self._serving, unfit=WITHDRAWN, withdrawn=True)
            return
        serving = self._held.get(wanted.release_id)
        if serving is None:
            check_candidate(wanted.folder, wanted.release_id)
            serving = self._loaded(wanted)
        before = self._serving
        self._serving = replace(serving, standing=wanted.standing)
        name = before.release.manifest.release_id
        if (wanted.release_id, wanted.standing) != (name, before.standing):
            _say("serves", release_id=wanted.release_id, standing=wanted.standing, before=name)
        self._hold(self._serving)

    def _hold(self, serving: Serving) -> None:
        """Keep it in memory as the newest, and forget the oldest."""
        held = {key: kept for key, kept in self._held.items() if key != serving.release.manifest.release_id}
        newest = [*held.items(), (serving.release.manifest.release_id, serving)][-KEPT_IN_MEMORY:]
        self._held = dict(newest)

    def _note(self, release_id: str | None, error: TaskError) -> None:
        _say("refused", release_id=release_id, why=error.why)
        name = f"release {release_id}" if release_id else "what should be live"
        # Without `what`, which names a path of this machine.
        self._noted = Noted(f"{name} is refused: {error.why}", release_id)
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _stamp_now(self) -> tuple[object, ...]:
        """What changes when another release should be served."""
        return (
            () if self._store is None else (*_stamp(self._store.live_file), *_stamp(self._store.staged / MANIFEST_FILE))
        )


def is_release(path: Path) -> bool:
    """Whether a folder is a release, rather than one of releases."""
    return (path / MANIFEST_FILE).is_file()


def wanted_in(path: Path) -> Wanted:
    """The release that should be served from a folder of a release, or of releases.

    Raises
    ------
    MissingInputError, ModelRefusedError, BadDataError
        There is none, or nobody can tell which.
    """
    if is_release(path):
        return Wanted(read_manifest(path / MANIFEST_FILE).release_id, path, "fixed")
    store = Store(path)
    if live := store.live():
        return Wanted(live.live, store.folder_of(live.live), "live")
    if not is_release(store.staged):
        raise MissingInputError(
            f"there is no release in {path}",
            why="nothing is live and nothing is staged",
            fix="stage one: `snakemake --cores 4 deploy`",
        )
    return Wanted(read_manifest(store.staged / MANIFEST_FILE).release_id, store.staged, "staged")


def require_servable(path: Path) -> str:
    """Check what would be served from a folder, without loading it, and say what it is; errors as `CurrentRelease`."""
    wanted = wanted_in(path)
    if wanted.standing == "live" and not wanted.folder.is_dir():
        raise MissingInputError(
            f"release {wanted.release_id}, which is live, is not in {path}",
            why="its folder is gone",
            fix="bring it back, or make another live: `options-pricing promote staged`",
        )
    verify_release(wanted.folder)
    return f"{SAID[wanted.standing]}, {wanted.release_id}"


def _say(event: str, **fields: object) -> None:
    """One JSON object on a line, as those of the access log."""
    log.info(json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields}))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _refused(folder: Path, why: str) -> ModelRefusedError:
    return ModelRefusedError(
        f"the release in {folder} is refused", why=why, fix="roll back: `options-pricing rollback`"
    )
