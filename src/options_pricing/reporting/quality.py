"""What the report says about the data: rows by day, rules that failed, nulls, halts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from options_pricing.reporting.inputs import Validation
from options_pricing.reporting.wording import as_day, counted, percent, whole

DAYS_SHOWN = 15
TREND_DAYS = 20
BARS = "▁▂▃▄▅▆▇█"
RULE_TREND = ("failed", "share", "outcome")
NULL_RATE_WORTH_MENTION = 0.01


@dataclass(frozen=True)
class DayRows:
    """One line of the table of days."""

    day: str
    raw: str
    validated: str
    quarantined: str
    usable: str
    halted: bool


@dataclass(frozen=True)
class FailedRule:
    """One line of the table of rules."""

    id: str
    title: str
    severity: str
    last_day: str
    last_day_share: str
    all_days: str
    trend: str
    message: str


@dataclass(frozen=True)
class Quality:
    """The section on data quality."""

    last_day: str
    days: list[DayRows]
    earlier: str
    rules: list[FailedRule]
    rules_kept: str
    nulls: list[tuple[str, str]]
    halts: list[tuple[str, str, str]]


def quality_of(days: list[Validation]) -> Quality:
    """Build the section from the validation reports, oldest first; the newest days stand first in it."""
    last = days[-1]
    return Quality(
        last_day=as_day(last.date),
        days=[_day_rows(day) for day in reversed(days[-DAYS_SHOWN:])],
        earlier=_earlier(days[:-DAYS_SHOWN]),
        rules=_failed_rules(days),
        rules_kept=f"{whole(sum(not rule.failed for rule in last.rules))} of {counted(len(last.rules), 'rule')}",
        nulls=[
            (column, percent(rate))
            for column, rate in sorted(last.null_rates.items(), key=lambda item: (-(item[1] or 0), item[0]))
            if rate is not None and rate >= NULL_RATE_WORTH_MENTION
        ],
        halts=[(as_day(day.date), halt.id, halt.message) for day in days for halt in day.halts],
    )


def trend_of(days: list[Validation]) -> dict[str, Any]:
    """How the last `TREND_DAYS` days went, rule by rule and column by column.

    A day's own report cannot hold it: days are validated side by side, none waits for the one before.

    Parameters
    ----------
    days : list of Validation
        Oldest first.

    Returns
    -------
    dict
        ``days`` (YYYYMMDD), and one entry for each of them in ``status``, ``usable_share``, in ``failed``, ``share``
        and ``outcome`` of each of ``rules``, and in each of ``null_rates``; None where a day's report does not say.
    """
    last = days[-TREND_DAYS:]
    by_rule = [{rule.id: rule for rule in day.rules} for day in last]
    titles = {rule.id: rule.title for day in last for rule in day.rules}
    columns = dict.fromkeys(name for day in last for name in day.null_rates)
    return {
        "days": [day.date for day in last],
        "status": [day.status for day in last],
        "usable_share": [day.usable_share for day in last],
        "rules": {
            id: {
                "title": title,
                **{name: [getattr(rules.get(id), name, None) for rules in by_rule] for name in RULE_TREND},
            }
            for id, title in titles.items()
        },
        "null_rates": {name: [day.null_rates.get(name) for day in last] for name in columns},
    }


def _bars(shares: Sequence[float | None]) -> str:
    """A bar a day, the greatest share being the full height; a dot where a day does not say."""
    most = max((share for share in shares if share is not None), default=0.0)
    if len(shares) < 2 or not most:
        return ""
    return "".join("·" if share is None else BARS[round(share / most * (len(BARS) - 1))] for share in shares)


def _day_rows(day: Validation) -> DayRows:
    rows = day.rows
    return DayRows(
        day=as_day(day.date),
        raw=whole(rows.raw),
        validated=whole(rows.validated),
        quarantined=whole(rows.quarantined),
        usable=percent(day.usable_share),
        halted=day.status == "halted",
    )


def _earlier(days: list[Validation]) -> str:
    if not days:
        return ""
    raw, validated = sum(day.rows.raw for day in days), sum(day.rows.validated for day in days)
    return (
        f"The {counted(len(days), 'day')} before these ({as_day(days[0].date)} to {as_day(days[-1].date)}) "
        f"hold {whole(raw)} raw rows, {whole(validated)} of them validated."
    )


def _failed_rules(days: list[Validation]) -> list[FailedRule]:
    """Rules that a row failed on any day or that have a message on the last; most rows of the last day first."""
    totals: dict[str, int] = {}
    found = {}
    shares = trend_of(days)["rules"]
    for day in days:
        for rule in day.rules:
            totals[rule.id] = totals.get(rule.id, 0) + rule.failed
            found[rule.id] = rule
    last = {rule.id: rule for rule in days[-1].rules}
    worth = [key for key, rule in found.items() if totals[key] or (key in last and rule.message)]
    ordered = sorted(worth, key=lambda key: (-(last[key].failed if key in last else 0), -totals[key], key))
    return [
        FailedRule(
            id=key,
            title=found[key].title,
            severity=found[key].severity,
            last_day=whole(last[key].failed if key in last else None),
            last_day_share=percent(last[key].share if key in last else None),
            all_days=whole(totals[key]),
            trend=_bars(shares[key]["share"]) if key in shares else "",
            message=(last[key].message if key in last else None) or "",
        )
        for key in ordered
    ]
