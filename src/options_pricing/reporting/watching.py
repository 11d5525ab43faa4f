"""What the report says of the release in use: how it priced the days since it was made, drift, and when to retrain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from options_pricing.evaluation.drift import SAFETY
from options_pricing.reporting import charts
from options_pricing.reporting.in_use import judged_days, release_words, renewal
from options_pricing.reporting.pictures import Picture
from options_pricing.reporting.wording import (
    as_day,
    coefficient,
    counted,
    decimal,
    percent,
    significant,
    typeset,
    whole,
)

DAYS_SHOWN = 15
FEWEST_DRAWN = 2
HEADLINES = {
    "green": "No drift was seen: the days lie as those did that the release was judged on",
    "amber": "Something is unusual, and not yet an alarm",
    "red": "Drift: the market is not the one that the release was judged on",
    "unknown": "Whether the market has drifted is not known",
}
MEANINGS = {"residual": "the model's error", "move": "the move of vol", "spread": "the bid-ask spread"}
MEASURES = {"wasserstein": "Wasserstein's distance", "psi": "population stability index (its root)"}


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
class Distance:
    """One distance of the last judged day from the days of reference, and from where on it is unusual."""

    what: str
    value: str
    warning: str
    alarm: str


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
    claimed: str
    measured: str
    distances: list[Distance]
    alarms: list[Alarm]
    retraining: str
    drawn: bool


def watching(drift: dict[str, Any], records: Sequence[dict[str, Any]]) -> Watching:
    """The section, from ``drift.json`` and the records of the days so far."""
    own = judged_days(drift, records)
    return Watching(
        status=drift["status"],
        headline=HEADLINES[drift["status"]],
        why=typeset(drift["why"][:1].upper() + drift["why"][1:]),
        release=release_words(drift["release"]),
        rests_on=_rests_on(drift),
        days=[_live_day(record) for record in reversed(own[-DAYS_SHOWN:])],
        claimed=_claimed(own),
        measured=as_day(own[-1]["date"]) if own else "",
        distances=[_distance(found) for found in own[-1]["drift"]["statistics"]] if own else [],
        alarms=[_alarm(alarm) for alarm in drift["alarms"]],
        retraining=f"{_retraining(drift['retraining'])}{renewal(own)}",
        drawn=len(own) >= FEWEST_DRAWN,
    )


def live_picture(drift: dict[str, Any], records: Sequence[dict[str, Any]]) -> Picture:
    """R² of the release in use by day, against both surfaces; a small picture that says so where there are no days."""
    own = judged_days(drift, records)
    days = pd.DataFrame(
        {
            "date": [record["date"] for record in own],
            "fresh": [record["figures"]["r2_implied_vol_vs_random_walk"] for record in own],
            "own": [record["figures"]["r2_implied_vol_vs_own_last_day"] for record in own],
        }
    )
    caption = (
        "Above, the release against yesterday's surface, which is renewed every day; below, against the surface of its "
        "own last day, which is as old as it is. A value under 0 above and over 0 below is age, not a bad model; "
        f"a value under {decimal(charts.WORST_SHOWN, 0)} is drawn there with its number."
        if len(own)
        else "No day has been judged with this release."
    )
    wide, narrow = (charts.live_chart(days, narrow=narrow) for narrow in (False, True))
    return Picture("live_by_day.svg", "The release in use, day by day", caption, wide, narrow)


def _rests_on(drift: dict[str, Any]) -> str:
    """What the state of drift rests on: days, what limits aim at, and whether a green light means anything."""
    days = f"{counted(drift['reference_days'], 'day')} of reference and {counted(drift['live_days'], 'live day')}"
    quiet = drift["quiet_days"]
    limits = (
        f"Limits aim at one false alarm in {whole(SAFETY * quiet)} quiet days, where one in {whole(quiet)} is allowed"
    )
    if drift["power"] is None:
        return f"{days}. {limits}"
    found, all_days = whole(drift["power"] * drift["reference_days"]), whole(drift["reference_days"])
    rise = f"A rise of all vols by 10 % would have been found at once on {found} of the {all_days} days of reference"
    return f"{days}. {limits}. {rise}"


def _claimed(own: Sequence[dict[str, Any]]) -> str:
    """The head of the column on price intervals, with the share that they claim."""
    claims = [record["intervals"]["nominal"] for record in own if record["intervals"]]
    return f"inside its {percent(claims[-1], 0)} intervals" if claims else "inside its intervals"


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


def _distance(found: dict[str, Any]) -> Distance:
    return Distance(
        what=_what(found),
        value=decimal(found["value"]),
        warning=decimal(found["warning"]),
        alarm="never" if found["alarm"] is None else decimal(found["alarm"]),
    )


def _what(found: dict[str, Any]) -> str:
    return f"{MEANINGS[found['quantity']]}, {MEASURES.get(found['measure'], found['measure'])}"


def _alarm(alarm: dict[str, Any]) -> Alarm:
    red = alarm["status"] == "red"
    return Alarm(
        day=as_day(alarm["date"]),
        what=_what(alarm),
        value=decimal(alarm["value"]),
        line=decimal(alarm["alarm"] if red else alarm["warning"]),
        where=", ".join(alarm["where"]),
        red=red,
    )


def _retraining(found: dict[str, Any]) -> str:
    """Whether it has to be trained anew; an error above the line that may be chance is no good news."""
    if found["due"] is None:
        return f"Whether it has to be trained anew cannot be said yet: {found['why']}."
    verdict = "Train anew" if found["due"] else "Not shown yet that it has to be trained anew"
    if not found["due"] and found["ratio"] <= found["line"]:
        verdict = "Its error has not grown beyond the line"
    return f"{verdict}: {found['why']} (the line is {decimal(found['line'])})."
