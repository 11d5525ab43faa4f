"""What the report says of the release in use: how it priced the days since it was made, drift, and when to retrain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from options_pricing.reporting import charts
from options_pricing.reporting.pictures import Picture
from options_pricing.reporting.wording import as_day, coefficient, counted, decimal, percent, significant, whole

DAYS_SHOWN = 15
FEWEST_DRAWN = 2
HEADLINES = {
    "green": "No drift: the days lie as those did that the release was judged on",
    "amber": "Something is unusual, and not yet an alarm",
    "red": "Drift: the market is not the one that the release was judged on",
    "unknown": "Whether the market has drifted is not known",
}
MEANINGS = {"residual": "the model's error", "move": "the move of vol", "spread": "the bid-ask spread"}


@dataclass(frozen=True)
class LiveDay:
    """One line of the table of live days."""

    day: str
    age: str
    r2: str
    r2_own: str
    bias: str
    inside: str
    coverage: str
    quotes: str


@dataclass(frozen=True)
class Alarm:
    """One statistic that was out of the ordinary."""

    day: str
    what: str
    value: str
    line: str
    where: str
    red: bool


@dataclass(frozen=True)
class Watching:
    """The section on the release in use."""

    status: str
    headline: str
    why: str
    release: str
    rests_on: str
    days: list[LiveDay]
    alarms: list[Alarm]
    retraining: str
    drawn: bool


def watching(drift: dict[str, Any], records: Sequence[dict[str, Any]]) -> Watching:
    """The section, from ``drift.json`` and the records of the days so far."""
    own = _judged(drift, records)
    return Watching(
        status=drift["status"],
        headline=HEADLINES[drift["status"]],
        why=drift["why"][:1].upper() + drift["why"][1:],
        release=_release_words(drift["release"]),
        rests_on=(
            f"{counted(drift['reference_days'], 'day')} of reference, {counted(drift['live_days'], 'live day')}; "
            f"limits are set for one false alarm in {drift['quiet_days']} quiet days{_power(drift['power'])}"
        ),
        days=[_live_day(record) for record in reversed(own[-DAYS_SHOWN:])],
        alarms=[_alarm(alarm) for alarm in drift["alarms"]],
        retraining=_retraining(drift["retraining"]),
        drawn=len(own) >= FEWEST_DRAWN,
    )


def live_picture(drift: dict[str, Any], records: Sequence[dict[str, Any]]) -> Picture:
    """R² of the release in use by day, against both surfaces; a small picture that says so where there are no days."""
    own = _judged(drift, records)
    days = pd.DataFrame(
        {
            "date": [record["date"] for record in own],
            "fresh": [record["figures"]["r2_implied_vol_vs_random_walk"] for record in own],
            "own": [record["figures"]["r2_implied_vol_vs_own_last_day"] for record in own],
        }
    )
    caption = (
        "Above, the release against yesterday's surface, which is renewed every day; below, against the surface of its "
        "own last day, which is as old as it is. A value under 0 above and over 0 below is age, not a bad model."
        if len(own)
        else "No day has been judged with this release."
    )
    wide, narrow = (charts.live_chart(days, narrow=narrow) for narrow in (False, True))
    return Picture("live_by_day.svg", "The release in use, day by day", caption, wide, narrow)


def _judged(drift: dict[str, Any], records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of the release that is watched."""
    name = drift["release"] and drift["release"]["release_id"]
    return [record for record in records if record["judged"] and record["release"]["release_id"] == name]


def _power(power: float | None) -> str:
    return (
        "" if power is None else f", and a rise of all vols by 10 % would be found at once on {percent(power)} of days"
    )


def _release_words(release: dict[str, Any] | None) -> str:
    if release is None:
        return "none"
    state = "live" if release["live"] else "staged, as none is live"
    return f"{release['release_id']} ({release['model']} of {as_day(release['as_of'])}, {state})"


def _live_day(record: dict[str, Any]) -> LiveDay:
    figures, intervals = record["figures"], record["intervals"] or {}
    return LiveDay(
        day=as_day(record["date"]),
        age=whole(record["age"]),
        r2=coefficient(figures["r2_implied_vol_vs_random_walk"]),
        r2_own=coefficient(figures["r2_implied_vol_vs_own_last_day"]),
        bias=significant(figures["iv_bias_vol_points"]),
        inside=percent(figures["inside_bid_ask"]),
        coverage=percent(intervals.get("coverage")),
        quotes=whole(record["quotes"]),
    )


def _alarm(alarm: dict[str, Any]) -> Alarm:
    red = alarm["status"] == "red"
    return Alarm(
        day=as_day(alarm["date"]),
        what=f"{MEANINGS[alarm['quantity']]}, {alarm['measure']}",
        value=decimal(alarm["value"]),
        line=decimal(alarm["alarm"] if red else alarm["warning"]),
        where=", ".join(alarm["where"]),
        red=red,
    )


def _retraining(found: dict[str, Any]) -> str:
    verdict = {None: "Whether to train anew cannot be said yet", True: "Train anew", False: "No need to train anew"}
    return f"{verdict[found['due']]}: {found['why']} (the line is {decimal(found['line'])})."
