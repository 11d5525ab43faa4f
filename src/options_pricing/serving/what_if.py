"""An option's price after a move of spot, of vol and of time, by the model's own smile of today."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from options_pricing.evaluation.intervals import served_intervals
from options_pricing.models.listing import read_asked, spots_behind, with_terms
from options_pricing.models.prices import greeks_at, prices_at
from options_pricing.pricing.american import spot_and_rate
from options_pricing.release.verify import Release
from options_pricing.run.calendar import DAYS_A_YEAR
from options_pricing.serving.answers import GREEKS, price_intervals

Array: TypeAlias = NDArray[np.float64]
Sticky = Literal["moneyness", "strike"]
LEAST_VOL = 1e-3


@dataclass(frozen=True)
class Move:
    """What changes: `spot` relative (0.01 is up 1 %), `vol` in decimals a year (0.01 is one point), `days` passing."""

    spot: float = 0.0
    vol: float = 0.0
    days: float = 0.0
    sticky: Sticky = "moneyness"


def after(release: Release, asked: pd.DataFrame, move: Move, *, spots: ArrayLike | None = None) -> pd.DataFrame:
    """What the model says of options after a move; without a move, what it says now to the last bit.

    Rate and dividend yield stay. The vol is today's at the same multiple of the forward (``moneyness``) or at the
    same strike (``strike``), plus what `move` adds. The interval is as wide in vol as that of its bucket.

    Parameters
    ----------
    release : Release
    asked : DataFrame
        As for `options_pricing.serving.answers.answers`.
    move : Move
    spots : array_like, optional
        A move of the spot for each row of `asked`, in place of that of `move`.

    Returns
    -------
    DataFrame
        `asked`, the columns of `PricingModel.price_options`, and ``low`` and ``high``: the interval, NaN without one.
    """
    asked = asked.reset_index(drop=True)
    now = release.model.price_options(asked)
    if now["predicted_price"].isna().any():
        return _with_interval(release, asked.join(now))
    terms = with_terms(read_asked(asked), release.model.listed())
    then = _moved_terms(terms, move.days, np.asarray(move.spot if spots is None else spots, dtype=float))
    priced = release.model.price_options(asked.assign(strike=_strikes_of_vol(terms, then, move.sticky)))
    vols = np.maximum(priced["predicted_implied_vol"].to_numpy() + move.vol, LEAST_VOL)
    greeks = greeks_at(then, vols)._asdict()
    changed = {name: then[name].to_numpy() for name in ("forward", "discount_factor", "year_fraction")}
    changed |= {greek: greeks[greek] for greek in GREEKS}
    changed["spot"] = spots_behind(then)
    changed |= {"predicted_implied_vol": vols, "predicted_price": prices_at(then, vols)}
    return _with_interval(release, asked.join(priced.assign(**changed)))


def _with_interval(release: Release, priced: pd.DataFrame) -> pd.DataFrame:
    calibrated = price_intervals(release)
    if calibrated is None:
        return priced.assign(low=np.nan, high=np.nan)
    ends = served_intervals(priced, calibrated["half_widths"])
    return priced.assign(low=ends["price_low"].clip(lower=0.0), high=ends["price_high"])


def _moved_terms(terms: pd.DataFrame, days: float, spot: Array) -> pd.DataFrame:
    """The terms with less time, the forward carried from the moved spot, and the discount factor of what is left."""
    years, forward, discount, dividends = (
        terms[name].to_numpy(dtype=float) for name in ("year_fraction", "forward", "discount_factor", "dividend_yield")
    )
    rate = spot_and_rate(forward, years, discount, dividends)[1]
    passed = days / DAYS_A_YEAR
    left = np.where(years > passed, years - passed, np.nan)
    return terms.assign(
        year_fraction=left,
        # Written so that no move changes no bit.
        forward=forward * (1 + spot) * np.exp(-(rate - dividends) * passed),
        discount_factor=discount * np.exp(rate * passed),
    )


def _strikes_of_vol(terms: pd.DataFrame, then: pd.DataFrame, sticky: Sticky) -> Array:
    strikes = terms["strike"].to_numpy(dtype=float)
    if sticky == "strike":
        return strikes
    return np.asarray(strikes * (terms["forward"].to_numpy(dtype=float) / then["forward"].to_numpy(dtype=float)))
