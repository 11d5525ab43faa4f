"""The records of earlier days, ``live_{date}.json``: read as far as anything is made of them again.

One that another version wrote, or another hand, must not cost a report: it is left out, and told.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from options_pricing.release.manifest import Day
from options_pricing.run.errors import TaskError
from options_pricing.run.files import read_json

NAME = "live_{date}.json"
Status = Literal["green", "amber", "red", "unknown"]


class Part(BaseModel):
    """A part of a record; what else it says is passed over."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class Named(Part):
    """The release."""

    release_id: str


class Figures(Part):
    """Of how it priced the day."""

    iv_rmse_vol_points: float
    iv_bias_vol_points: float | None
    inside_bid_ask: float | None
    r2_implied_vol_vs_random_walk: float | None
    r2_implied_vol_vs_own_last_day: float | None


class Intervals(Part):
    """How often they held the market."""

    nominal: float
    coverage: float | None


class Statistic(Part):
    """One of drift."""

    quantity: Literal["residual", "move", "spread"]
    measure: str
    value: float
    warning: float
    alarm: float | None
    status: Status
    where: list[str]


class Drift(Part):
    """How far the day lay from those that the release was judged on."""

    status: Status
    why: str | None
    power: float | None
    statistics: list[Statistic]


class NotJudged(Part):
    """A day on which no release was judged."""

    date: Day
    judged: Literal[False]


class Judged(Part):
    """A day of a release."""

    date: Day
    judged: Literal[True]
    release: Named
    age: int
    quotes: int
    figures: Figures
    intervals: Intervals | None
    drift: Drift


_records: TypeAdapter[Judged | NotJudged] = TypeAdapter(Judged | NotJudged)


def records_until(day: str, folder: Path, tell: Callable[..., None]) -> dict[str, dict[str, Any]]:
    """The records up to a day, YYYYMMDD, by their days and in order; `tell` hears of those that are none."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob(NAME.format(date="*"))):
        try:
            record = read_json(path)
            date = _records.validate_python(record).date
            if path.name != NAME.format(date=date):
                raise ValueError(f"it is of {date}")
        except (TaskError, ValueError) as error:
            tell("record_left_out", file=path, why=_why(error))
        else:
            found |= {date: record} if date <= day else {}
    return found


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error).split("\n")[0]
