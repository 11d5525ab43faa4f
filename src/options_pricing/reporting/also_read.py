"""The files behind what the report says of the release in use, with their fingerprints."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from options_pricing.release.live_records import NAME
from options_pricing.release.store import Store
from options_pricing.release.watch import Seen
from options_pricing.reporting.in_use import judged_days
from options_pricing.reporting.inputs import InputFile
from options_pricing.reporting.render import json_text
from options_pricing.run.files import sha256_of

POINT, STAGE, WATCH = "options-pricing promote or rollback", "model_deploy", "generate_report"


def also_read(
    seen: Seen | None,
    *,
    releases: Path | None,
    live: Path | None,
    before: Iterable[Path] = (),
    ledger: Path | None = None,
) -> list[InputFile]:
    """What was read besides `inputs.ReportFiles`.

    The record of the report's day is written with the report, or was there and is written again as it was: its
    fingerprint is the same.

    Parameters
    ----------
    seen : Seen or None
        Of the look at the day; without it only the ledger is read.
    releases : Path or None
        The folder of the `Store`.
    live : Path or None
        The record of the day, among those of earlier days.
    before : iterable of Path
        The features of the session before the day.
    ledger : Path, optional
    """
    named = [(ledger, "every act on a release")]
    if seen is None or releases is None or live is None:
        return _fingerprints(named)
    files = _fingerprints(
        [*((path, "feature_engineer") for path in before), *_of_the_release(seen.drift, Store(releases))]
    )
    earlier = [live.parent / NAME.format(date=day) for day in _days(seen)]
    own = InputFile(live.as_posix(), hashlib.sha256(json_text(seen.record).encode()).hexdigest(), WATCH)
    return [*files, *_fingerprints((path, WATCH) for path in earlier), own, *_fingerprints(named)]


def _of_the_release(drift: dict[str, Any], store: Store) -> list[tuple[Path, str]]:
    """The pointer to what is live, and the files of the release that was looked at."""
    release = drift["release"]
    if release is None:
        return [(store.live_file, POINT)]
    folder = store.folder_of(release["release_id"]) if release["live"] else store.staged
    return [(store.live_file, POINT), *((path, STAGE) for path in sorted(folder.iterdir()))]


def _days(seen: Seen) -> list[str]:
    """The earlier days that the state of drift and the table rest on."""
    days = [record["date"] for record in judged_days(seen.drift, seen.records)]
    return [day for day in days if day != seen.record["date"]]


def _fingerprints(named: Iterable[tuple[Path | None, str]]) -> list[InputFile]:
    return [InputFile(path.as_posix(), sha256_of(path), maker) for path, maker in named if path and path.is_file()]
