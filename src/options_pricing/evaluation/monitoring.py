"""What is written down of a released model's days, and what follows from the days so far."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from options_pricing.evaluation.drift import FEWEST_REFERENCE_DAYS, RISE, Detector, as_json, status_of
from options_pricing.evaluation.live_performance import live_figures, live_predictions
from options_pricing.evaluation.reference import ERROR, Reference, reference_in
from options_pricing.evaluation.retraining import retraining
from options_pricing.evaluation.sketches import Sketches
from options_pricing.models.base import day_names
from options_pricing.models.bundle import PricingModel
from options_pricing.run.calendar import parse_day, sessions_between
from options_pricing.run.params import Drift

UNKNOWN, GREEN, WORST_FIRST = "unknown", "green", ("red", "amber", "green")
# A green light that would have seen less than half of the rises is none.
LEAST_POWER = 0.5


class Watched(NamedTuple):
    """A release as its days are told: what names it, its model and its card."""

    name: dict[str, Any]
    model: PricingModel
    card: dict[str, Any]


def live_record(
    day: str, release: Watched, today: pd.DataFrame, yesterday: pd.DataFrame, settings: Drift
) -> dict[str, Any]:
    """One day of a release: how it priced the day, and how far the day lies from those it was judged on.

    Parameters
    ----------
    day : str
        YYYYMMDD, after the release's last.
    release : Watched
    today, yesterday : DataFrame
        FEATURES of the day and of the session before it.
    settings : Drift
    """
    told = live_predictions(release.model, today, yesterday)
    figures = live_figures(told, release.card)
    if figures["figures"][ERROR] is None:
        return nothing_judged(day, "it has no quote that the release and yesterday's surface both price", release.name)
    return {
        "date": day,
        "judged": True,
        "why_not": None,
        "release": release.name,
        "age": len(sessions_between(parse_day(release.model.as_of), parse_day(day))) - 1,
        "benchmark_day": day_names(yesterday).max(),
        **figures,
        "drift": _drift_of(Sketches.of(told), reference_in(release.model.reference), settings),
    }


def nothing_judged(day: str, why: str, release: dict[str, Any] | None = None) -> dict[str, Any]:
    """The record of a day on which no release was judged, and why."""
    return {"date": day, "judged": False, "why_not": why, "release": release}


def _drift_of(day: Sketches, reference: Reference | None, settings: Drift) -> dict[str, Any]:
    days = 0 if reference is None else len(reference.days)
    if reference is None or days < FEWEST_REFERENCE_DAYS:
        few = f"the release has {days} days of reference, at least {FEWEST_REFERENCE_DAYS} are needed"
        return {"status": UNKNOWN, "why": few, "reference_days": days, "power": None, "statistics": []}
    detector = Detector(reference.sketches, settings.quiet_days)
    found, power = detector.judge(day), detector.power()
    status, why = status_of(found), None
    if status == UNKNOWN:
        why = "no quote lies in a cell that the reference days know"
    elif status == GREEN and power < LEAST_POWER:
        status = UNKNOWN
        why = (
            f"nothing unusual was found, but with {days} days of reference a rise of all vols by {RISE:.0%} would be "
            f"found on {power:.0%} of days only: train on more days"
        )
    return {"status": status, "why": why, "reference_days": days, "power": power, "statistics": as_json(found)}


def drift_report(
    day: str, release: Watched | None, records: Sequence[dict[str, Any]], why_not: str | None, settings: Drift
) -> dict[str, Any]:
    """``drift.json``: the status of the release that is watched, from its records up to a day.

    Parameters
    ----------
    day : str
        YYYYMMDD.
    release : Watched or None
        The one that is live, else the one that is staged.
    records : sequence of dict
        As `live_record` and `nothing_judged` give them, of any release.
    why_not : str or None
        Why there is no release, or none that can be judged.
    settings : Drift

    Returns
    -------
    dict
        ``status`` is the worst of the last ``hold`` days that were judged with this very release, and ``why`` says it
        in a sentence; ``alarms`` are the statistics behind it, ``retraining`` as `retraining` gives it.
    """
    own = [] if release is None else _own(records, release.name["release_id"], day)
    recent = own[-settings.hold :]
    status, why = _status(recent, why_not)
    reference = None if release is None else reference_in(release.model.reference)
    errors = [] if reference is None else reference.errors.tolist()
    live = [record["figures"][ERROR] for record in own]
    return {
        "date": day,
        "status": status,
        "why": why,
        "release": None if release is None else release.name,
        "reference_days": 0 if reference is None else len(reference.days),
        "live_days": len(own),
        "power": recent[-1]["drift"]["power"] if recent else None,
        "hold": settings.hold,
        "quiet_days": settings.quiet_days,
        "alarms": [alarm for record in recent for alarm in _alarms(record)],
        "retraining": retraining(
            errors, live, days=settings.retrain_over, confidence=settings.confidence, line=1 + settings.retrain_at
        ),
    }


def _own(records: Sequence[dict[str, Any]], release_id: str, day: str) -> list[dict[str, Any]]:
    own = [r for r in records if r["judged"] and r["release"]["release_id"] == release_id and r["date"] <= day]
    return sorted(own, key=lambda record: str(record["date"]))


def _status(recent: Sequence[dict[str, Any]], why_not: str | None) -> tuple[str, str]:
    if not recent:
        return UNKNOWN, why_not or "no day has been judged with this release yet"
    found = [(record["drift"]["status"], record) for record in recent]
    for status in WORST_FIRST:
        days = [record for name, record in found if name == status]
        if days and status == GREEN:
            last = "the last judged day" if len(days) == 1 else f"the last {len(days)} judged days"
            return status, f"nothing out of the ordinary on {last}"
        if days:
            return status, _said(_alarms(days[-1])[0])
    return UNKNOWN, str(recent[-1]["drift"]["why"])


def _alarms(record: dict[str, Any]) -> list[dict[str, Any]]:
    """What was out of the ordinary on a day, the worst first."""
    unusual = [found for found in record["drift"]["statistics"] if found["status"] != GREEN]
    unusual.sort(key=lambda found: (WORST_FIRST.index(found["status"]), -found["value"] / found["warning"]))
    return [{"date": record["date"], **found} for found in unusual]


def _said(alarm: dict[str, Any]) -> str:
    line, day = alarm["alarm"] if alarm["status"] == "red" else alarm["warning"], str(alarm["date"])
    return (
        f"on {day[:4]}-{day[4:6]}-{day[6:]} the {alarm['measure']} distance of {alarm['quantity']} was "
        f"{alarm['value']:.2f}, "
        f"over {line:.2f}; most in {' and '.join(alarm['where'])}"
    )
