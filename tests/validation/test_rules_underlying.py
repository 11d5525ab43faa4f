"""Rules on what the options are on: U01 to U03."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.validation import rules_underlying as rules
from options_pricing.validation.chain import Chain


def the_day_before(table: pd.DataFrame, move: float = 1.01) -> pd.DataFrame:
    """The chain as it might have been on the day before."""
    return table.assign(trade_date=pd.Timestamp("2026-11-17"), underlying_price=table["underlying_price"] * move)


def curve(date: str | None, par_yield: float = 0.04) -> pd.DataFrame:
    """A rate curve of one date."""
    return pd.DataFrame(
        {"maturity_years": [0.25, 2.0], "par_yield": par_yield, "curve_date": pd.Timestamp(date), "source": "made"}
    )


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan])
def test_u01_an_underlying_without_a_price(clean, judged, price) -> None:
    clean.loc[clean["underlying"] == "SPY", "underlying_price"] = price
    assert judged(rules.underlying_price, clean).grave == ("SPY has no positive price",)


@pytest.mark.parametrize(("move", "grave"), [(1.28, 0), (1.29, 2), (0.78, 0), (0.77, 2), (10.0, 2)])
def test_u01_a_jump(clean, judged, move, grave) -> None:
    assert len(judged(rules.underlying_price, clean, [the_day_before(clean, move)]).grave) == grave


def test_u02_a_price_that_the_options_do_not_know(clean, judged) -> None:
    late = clean.assign(underlying_price=clean["underlying_price"].mask(clean["underlying"] == "SPY", 492.0))
    found = judged(rules.simultaneous, late)
    assert len(found.grave) == 1 and found.grave[0].startswith("SPY is at 492")
    assert not judged(rules.simultaneous, late, share=0.02).grave


@pytest.mark.parametrize(
    ("date", "mild", "grave"),
    [
        ("2026-11-18", 0, 0),
        ("2026-11-11", 0, 0),  # five sessions
        ("2026-11-10", 1, 0),
        ("2026-10-21", 1, 0),  # twenty
        ("2026-10-20", 0, 1),
        ("2026-11-19", 0, 1),
    ],
)
def test_u03_age_of_the_curve(clean, date, mild, grave) -> None:
    found = rules.rate_curve(Chain(clean, "20261118", rates=curve(date)))
    assert (len(found.mild), len(found.grave)) == (mild, grave)
    assert rules.rate_curve(Chain(clean, "20261118", rates=curve("2026-11-10")), warn_after=6).mild == ()


def test_u03_a_curve_without_yields_is_none_and_no_curve_is_not_judged(clean) -> None:
    empty = curve("2026-11-18", np.nan)
    assert rules.rate_curve(Chain(clean, "20261118", rates=empty)).mild == ("there is no risk-free yield",)
    assert rules.rate_curve(Chain(clean, "20261118", rates=empty.iloc[:0])).mild == ("there is no risk-free yield",)
    found = rules.rate_curve(Chain(clean, "20261118"))
    assert not found.mild and not found.grave
