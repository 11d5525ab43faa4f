"""The daily look at the release that is live: which one it is, what has been written of earlier days, what is new."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from options_pricing.evaluation.monitoring import Watched, drift_report, live_record, nothing_judged
from options_pricing.models.feature_files import read_features
from options_pricing.release.live_records import records_until
from options_pricing.release.manifest import MODEL_FILE
from options_pricing.release.store import Store
from options_pricing.release.verify import Release, load_release
from options_pricing.run.errors import TaskError
from options_pricing.run.params import Drift

NO_RELEASE = "there is no release, neither live nor staged"
Tell = Callable[..., None]


class Seen(NamedTuple):
    """The record of the day, the state of drift after it, and all records up to the day."""

    record: dict[str, Any]
    drift: dict[str, Any]
    records: list[dict[str, Any]]


def look(
    day: str,
    today: pd.DataFrame,
    *,
    before: Path | None,
    releases: Path,
    live: Path,
    settings: Drift,
    tell: Tell,
) -> Seen:
    """Judge the day with the live release, or the staged one where none is live.

    What is wrong with a release, or with a record of an earlier day, is told and leaves the status unknown: a report
    has to come in any case. The first record that judged a day stays, whatever is promoted later.

    Parameters
    ----------
    day : str
        YYYYMMDD.
    today : DataFrame
        FEATURES of that day.
    before : Path or None
        The features of the session before it.
    releases : Path
        The folder of the `Store`.
    live : Path
        The folder of the records, one file a day.
    settings : Drift
    tell : callable
        A log: called as ``tell(event, **fields)``.
    """
    records = records_until(day, live, tell)
    release, why_not = _release(Store(releases), tell)
    known = records.pop(day, None)
    if known is not None and known["judged"]:
        record = known
    elif release is None:
        record = nothing_judged(day, why_not)
    else:
        record = _judged(day, release, today, before, settings)
    ordered = [*records.values(), record]
    return Seen(record, drift_report(day, release, ordered, record["why_not"], settings), ordered)


def _judged(day: str, release: Watched, today: pd.DataFrame, before: Path | None, settings: Drift) -> dict[str, Any]:
    if release.model.as_of >= day:
        return nothing_judged(
            day, f"the release has learnt from {release.model.as_of}, so that it knows this day", release.name
        )
    if before is None or not before.is_file():
        return nothing_judged(day, "there are no features of the session before it", release.name)
    try:
        return live_record(day, release, today, read_features([before]), settings)
    except TaskError as error:
        return nothing_judged(day, f"{error.what}: {error.why}", release.name)


def _release(store: Store, tell: Tell) -> tuple[Watched | None, str]:
    """The release to watch, or why there is none."""
    try:
        live = store.live()
        folder = store.staged if live is None else store.folder_of(live.live)
        if live is None and not folder.is_dir():
            return None, NO_RELEASE
        release = load_release(folder)
    except TaskError as error:
        tell("release_not_watched", what=error.what, why=error.why)
        return None, f"{error.what}: {error.why}"
    return Watched(_named(release, live=live is not None), release.model, release.card), ""


def _named(release: Release, *, live: bool) -> dict[str, Any]:
    manifest = release.manifest
    return {
        "release_id": manifest.release_id,
        "model": manifest.model,
        "model_sha256": manifest.files[MODEL_FILE],
        "as_of": manifest.as_of,
        "live": live,
    }
