"""The four underlyings: what they are, how their surface moves, what is listed on them and how it is quoted."""

from dataclasses import dataclass
from typing import Literal

from options_pricing.sources.simulated.surface import Smile

Kind = Literal["daily", "weekly", "month_end", "monthly", "cycle", "leaps"]
Density = Literal["tiny", "normal", "full"]


@dataclass(frozen=True)
class Moves:
    """How an underlying and its surface move from one session to the next.

    `leverage` is the mean correlation of a level factor's innovation with the return (two such factors together
    correlate a little more); `market` that of the return with the index's, `shared_vol` that of the rest of a
    factor's innovation with the index's. `vol_of_vol` scales all factors.
    `pull` is the rate, per year, at which the price returns to its long-run level.
    """

    leverage: float
    market: float
    shared_vol: float
    vol_of_vol: float
    pull: float


@dataclass(frozen=True)
class Dividends:
    """Discrete dividends: `amount` currency units on each ex-day, or none; `rate` is a continuous yield.

    The ex-day is the first session on or after `day` of each of `months`; day 0 stands for the session after the
    monthly expiration.
    """

    rate: float = 0.0
    amount: float = 0.0
    months: tuple[int, ...] = ()
    day: int = 0


@dataclass(frozen=True)
class Rule:
    """Expirations of one kind are listed once they are at most `ahead` calendar days away."""

    kind: Kind
    root: str
    settlement: Literal["am", "pm"]
    ahead: int
    months: tuple[int, ...] = tuple(range(1, 13))


@dataclass(frozen=True)
class Spreads:
    """Width of a market: ``floor + slope * time_value ** 0.4``, and `deep` of the spot more deep in the money."""

    floor: float
    slope: float
    deep: float
    low_tick: float
    high_tick: float


@dataclass(frozen=True)
class Instrument:
    """One underlying. `level` is its long-run price, `ladder` its strike increments."""

    name: str
    exercise_style: Literal["european", "american"]
    level: float
    smile: Smile
    moves: Moves
    dividends: Dividends
    spreads: Spreads
    ladder: tuple[float, ...]
    rules: dict[Density, tuple[Rule, ...]]
    activity: float


QUARTERS = (3, 6, 9, 12)
JANUARY_CYCLE = (1, 4, 7, 10)


def _index_rules(daily: int, weekly: int, month_end: int, monthly: int, cycle: int, leaps: int) -> tuple[Rule, ...]:
    return (
        Rule("daily", "XIDXW", "pm", daily),
        Rule("weekly", "XIDXW", "pm", weekly),
        Rule("month_end", "XIDXW", "pm", month_end),
        Rule("monthly", "XIDX", "am", monthly),
        Rule("cycle", "XIDX", "am", cycle, QUARTERS),
        Rule("leaps", "XIDX", "am", leaps, (12,)),
    )


def _american_rules(
    root: str, weekly: int, quarter_end: int, monthly: int, cycle: int, leaps: int, months: tuple[int, ...] = QUARTERS
) -> tuple[Rule, ...]:
    return (
        Rule("weekly", root, "pm", weekly),
        Rule("month_end", root, "pm", quarter_end, QUARTERS),
        Rule("monthly", root, "pm", monthly),
        Rule("cycle", root, "pm", cycle, months),
        Rule("leaps", root, "pm", leaps, (1,)),
    )


INDEX_SMILE = Smile(calm=0.14, distant=0.21, rise=0.7, skew=0.34, near_rho=0.42, far_rho=0.76)
INDEX_MOVES = Moves(leverage=-0.67, market=1.0, shared_vol=1.0, vol_of_vol=1.0, pull=0.35)

INSTRUMENTS = {
    "XIDX": Instrument(
        name="XIDX",
        exercise_style="european",
        level=5000.0,
        smile=INDEX_SMILE,
        moves=INDEX_MOVES,
        dividends=Dividends(rate=0.013),
        spreads=Spreads(floor=0.04, slope=0.13, deep=0.0014, low_tick=0.05, high_tick=0.10),
        ladder=(5, 10, 25, 50, 100, 200),
        rules={
            "tiny": _index_rules(0, 30, 0, 70, 190, 0),
            "normal": _index_rules(8, 51, 95, 160, 370, 740),
            "full": _index_rules(37, 65, 370, 400, 740, 1200),
        },
        activity=1.0,
    ),
    "XETF": Instrument(
        name="XETF",
        exercise_style="american",
        level=500.0,
        smile=INDEX_SMILE,
        moves=INDEX_MOVES,
        dividends=Dividends(rate=0.013, months=QUARTERS),
        spreads=Spreads(floor=0.01, slope=0.022, deep=0.0012, low_tick=0.01, high_tick=0.05),
        ladder=(1, 5, 10, 25, 50),
        rules={
            "tiny": _american_rules("XETF", 9, 0, 40, 130, 0),
            "normal": _american_rules("XETF", 40, 190, 95, 370, 740),
            "full": _american_rules("XETF", 58, 370, 190, 740, 1000),
        },
        activity=1.6,
    ),
    "XTEC": Instrument(
        name="XTEC",
        exercise_style="american",
        level=180.0,
        smile=Smile(calm=0.31, distant=0.36, rise=0.8, skew=0.19, near_rho=0.25, far_rho=0.50),
        moves=Moves(leverage=-0.45, market=0.65, shared_vol=0.55, vol_of_vol=0.8, pull=0.5),
        dividends=Dividends(amount=0.24, months=(2, 5, 8, 11), day=9),
        spreads=Spreads(floor=0.015, slope=0.045, deep=0.0020, low_tick=0.01, high_tick=0.05),
        ladder=(1, 2.5, 5, 10, 25),
        rules={
            "tiny": _american_rules("XTEC", 0, 0, 40, 130, 0, JANUARY_CYCLE),
            "normal": _american_rules("XTEC", 37, 0, 65, 250, 740, JANUARY_CYCLE),
            "full": _american_rules("XTEC", 44, 0, 95, 370, 900, JANUARY_CYCLE),
        },
        activity=0.8,
    ),
    "XOIL": Instrument(
        name="XOIL",
        exercise_style="american",
        level=62.0,
        smile=Smile(calm=0.27, distant=0.31, rise=0.8, skew=0.12, near_rho=0.15, far_rho=0.38),
        moves=Moves(leverage=-0.25, market=0.45, shared_vol=0.35, vol_of_vol=0.7, pull=0.5),
        dividends=Dividends(amount=0.52, months=QUARTERS, day=10),
        spreads=Spreads(floor=0.03, slope=0.05, deep=0.0030, low_tick=0.05, high_tick=0.10),
        ladder=(1, 2.5, 5, 10),
        rules={
            "tiny": _american_rules("XOIL", 0, 0, 40, 130, 0, JANUARY_CYCLE),
            "normal": _american_rules("XOIL", 37, 0, 65, 250, 740, JANUARY_CYCLE),
            "full": _american_rules("XOIL", 44, 0, 95, 370, 900, JANUARY_CYCLE),
        },
        activity=0.4,
    ),
}
