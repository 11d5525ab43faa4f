"""Taking a live release back without a person: when its drift is red, or it keeps losing to what it replaced."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binom

from options_pricing.release.ledger import LEDGER_FILE, Ledger
from options_pricing.release.store import Live, Store
from options_pricing.release.verify import verify_kept
from options_pricing.run.errors import TaskError
from options_pricing.run.files import read_json

ITSELF = "automation"
# Against the surface of its own last day: a release is not to blame for its age, which a new one mends.
FIGURE = "r2_implied_vol_vs_own_last_day"
LIVE_DAYS = 20
# It is looked at every day: less than one release in a hundred that is as good as that surface in a year.
CHANCE = 1e-4


@dataclass(frozen=True)
class Demotion:
    """What was taken back, what is live now (None: nothing), and why."""

    release_id: str
    to: str | None
    why: str


def why_demote(live: Live, drift: Mapping[str, Any], records: Iterator[Mapping[str, Any]]) -> str | None:
    """Why the live release must not stay so; None where nothing says that.

    Parameters
    ----------
    live : Live
    drift : mapping
        ``drift.json``; it counts if it is about the live release.
    records : iterator of mapping
        ``live_*.json``, oldest first. It is demoted if its R2 against the surface of its own last day was below 0 on so
        many of the last 20 days that chance alone does that less often than once in ten thousand times.
    """
    if drift.get("status") == "red" and _id(drift) == live.live:
        return f"its drift is red: {drift.get('why') or 'drift.json says no more'}"
    figures = [_figure(record) for record in records if _id(record) == live.live]
    known = [figure for figure in figures if figure is not None][-LIVE_DAYS:]
    lost = sum(figure < 0 for figure in known)
    if known and binom.sf(lost - 1, len(known), 0.5) < CHANCE:
        return f"it priced {lost} of its last {len(known)} days worse than the surface of its own last day"
    return None


def demote_if_needed(releases: Path, reports: Path, tell: Callable[..., None]) -> Demotion | None:
    """Have live again what was live before, where the live release is in trouble; nothing is, where nothing was before.

    What cannot be read is told and demotes nothing: it closes the gate instead.

    Parameters
    ----------
    releases : Path
        The folder of the `Store` and of the ledger.
    reports : Path
        The folder of ``drift.json`` and ``live/``.
    tell : callable
        A log: called as ``tell(event, **fields)``.
    """
    store = Store(releases)
    live = store.live()
    if live is None:
        return None
    why = why_demote(live, _read(reports / "drift.json", tell), _records(reports / "live", tell))
    if why is None:
        return None
    to = _go_back(store, live, tell)
    details = {"why": why, "to": to, "automatic": True}
    Ledger(releases / LEDGER_FILE).append("demoted", release_id=live.live, by=ITSELF, details=details)
    return Demotion(live.live, to, why)


def _go_back(store: Store, live: Live, tell: Callable[..., None]) -> str | None:
    """The id of what is live then: the release before, if there is one and it is still what its manifest names."""
    if live.previous is not None:
        try:
            verify_kept(store.folder_of(live.previous))
            return store.roll_back(only_from=live.live).live
        except TaskError as error:
            tell("previous_release_refused", what=error.what, why=error.why)
    store.take_down(only_from=live.live)
    return None


def _records(folder: Path, tell: Callable[..., None]) -> Iterator[Mapping[str, Any]]:
    for path in sorted(folder.glob("live_*.json")):
        yield _read(path, tell)


def _read(path: Path, tell: Callable[..., None]) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        told = read_json(path)
    except TaskError as error:
        tell("not_read", what=error.what, why=error.why)
        return {}
    return told if isinstance(told, dict) else {}


def _figure(record: Mapping[str, Any]) -> float | None:
    figures = record.get("figures")
    found = figures.get(FIGURE) if isinstance(figures, dict) else None
    return float(found) if isinstance(found, int | float) else None


def _id(told: Mapping[str, Any]) -> str | None:
    """The release that a file is about."""
    release = told.get("release")
    return release.get("release_id") if isinstance(release, dict) else None
