r"""What is left of the risk of an option sold at one close and hedged until the next, with a model's delta.

The hedge is in forwards of the option's own expiration, so that dividends and borrowing cost drop out:

.. math:: \text{error} = C_0 D_1 / D_0 - C_1 + h D_1 (F_1 - F_0)

with mids :math:`C`, forwards :math:`F` and discount factors :math:`D` at the two closes, and
:math:`h D_0 = \partial C / \partial F + \text{vega} \cdot \partial\sigma / \partial F`. The first term is Black's
delta at the market's own vol. The second is what a model adds: how it expects the option's vol of the next close to
answer the forward (Hull and White 2017). Black's delta alone is that of a vol that stays with its strike.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.evaluation.bootstrap import FEWEST_DAYS, resampled_days
from options_pricing.evaluation.metrics import SMALLEST_HALF_SPREAD, VOL_POINTS, Array, finite_or_none
from options_pricing.evaluation.protocols import Setting
from options_pricing.models.base import Model, asked
from options_pricing.models.random_walk import RandomWalk
from options_pricing.pricing.american import spot_and_rate
from options_pricing.run.params import Evaluate

BLACK = "black"
BUMP = 0.005
SMALLEST_DELTA = 0.05
MOST_OPTIONS = 2000
HELD = ["underlying", "root", "contract_symbol"]
NEXT = ["mid", "forward", "discount_factor", "year_fraction"]


@dataclass(frozen=True)
class Hedged:
    """Errors of hedging, one element per option and night; `errors` in units of the price, by name of the delta."""

    half_spread: Array
    vol_point: Array
    errors: dict[str, Array]


def hedge_report(features: pd.DataFrame, setting: Setting, evaluate: Evaluate) -> dict[str, Any] | None:
    """One-day hedging errors with the deltas of the chosen model, of the random walk and of Black.

    Parameters
    ----------
    features : DataFrame
        FEATURES of several days.
    setting : Setting
        How models are made; ``setting.train.model`` is the chosen one.
    evaluate : Evaluate
        Samples, seed and confidence of the intervals.

    Returns
    -------
    dict or None
        ``days``, ``options`` and, by name of the delta, the mean and standard deviation of the error in half-spreads
        of the first close and in vol points (error over vega times one point), and ``variance_reduction``: the
        share of the mean square, in vol points, that the model takes away from Black's, with its interval over
        whole days. None where no option is held over a night.
    """
    nights = _nights(features, setting)
    if not nights:
        return None
    deltas = nights[0].errors
    day = np.concatenate([np.full(len(night.vol_point), place) for place, night in enumerate(nights)])
    half_spread, vol_point = (
        np.concatenate([getattr(night, name) for night in nights]) for name in ("half_spread", "vol_point")
    )
    errors = {name: np.concatenate([night.errors[name] for night in nights]) for name in deltas}
    squares = {name: np.bincount(day, weights=(values / vol_point) ** 2) for name, values in errors.items()}
    return {
        "days": len(nights),
        "options": len(day),
        "deltas": {
            name: {
                **_moments(values / half_spread, "half_spreads"),
                **_moments(values / vol_point, "vol_points"),
                "variance_reduction": _reduction(squares[name], squares[BLACK], evaluate),
            }
            for name, values in errors.items()
        },
    }


def _nights(features: pd.DataFrame, setting: Setting) -> list[Hedged]:
    quotes, models = setting.eligible(features), setting.models()
    chosen = {name: models[name] for name in dict.fromkeys([setting.train.model, RandomWalk.name])}
    greeks = features.loc[quotes.index, ["delta", "vega"]]
    days = sorted(quotes["trade_date"].unique())
    nights = []
    for before, after in pairwise(days):
        sold = _sold(quotes[quotes["trade_date"] == before].join(greeks))
        held = _held(sold, features[features["trade_date"] == after])
        if len(held):
            known = quotes[quotes["trade_date"] <= before]
            nights.append(_hedged(held, {name: model.fit(known) for name, model in chosen.items()}))
    return [night for night in nights if len(night.vol_point)]


def _sold(quotes: pd.DataFrame) -> pd.DataFrame:
    """Of each underlying's quotes those that are worth a hedge, thinned evenly where they are many."""
    worth = quotes[(quotes["delta"].abs() >= SMALLEST_DELTA) & (quotes["vega"] > 0)]
    return worth.iloc[np.unique(np.linspace(0, len(worth) - 1, min(MOST_OPTIONS, len(worth))).round().astype(int))]


def _held(sold: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """The same contracts with what they are worth at the next close, in columns that begin with ``next_``."""
    later = features[[*HELD, "trade_date", "bid", "ask", *NEXT]].dropna(subset=["bid", "ask", *NEXT])
    later = later[(later["bid"] > 0) & (later["ask"] >= later["bid"])].drop_duplicates(HELD)
    later = later[[*HELD, "trade_date", *NEXT]].rename(columns=lambda name: name if name in HELD else f"next_{name}")
    return sold.merge(later, on=HELD, how="inner")


def _hedged(held: pd.DataFrame, models: dict[str, Model]) -> Hedged:
    """Errors of one night with the delta of every model; only options for which all models have one."""
    forward, discount, years, dividends, vega = (
        held[name].to_numpy(dtype=float)
        for name in ("forward", "discount_factor", "year_fraction", "dividend_yield", "vega")
    )
    spot = spot_and_rate(forward, years, discount, dividends)[0]
    slopes = {name: _vol_slope(model, held) for name, model in models.items()}
    blacks = held["delta"].to_numpy(dtype=float) * spot / forward
    told = {BLACK: blacks} | {name: blacks + vega * slope / forward for name, slope in slopes.items()}
    errors = {name: _errors(held, delta / discount) for name, delta in told.items()}
    known = np.logical_and.reduce([np.isfinite(values) for values in errors.values()])
    half_spread = np.maximum((held["ask"] - held["bid"]).to_numpy(dtype=float) / 2, SMALLEST_HALF_SPREAD)
    return Hedged(
        half_spread=half_spread[known],
        vol_point=vega[known] / VOL_POINTS,
        errors={name: values[known] for name, values in errors.items()},
    )


def _vol_slope(model: Model, held: pd.DataFrame) -> Array:
    """How a model's vol of the next close answers the logarithm of the forward, at a forward that has not moved."""
    tomorrow = asked(held).assign(trade_date=held["next_trade_date"], year_fraction=held["next_year_fraction"])
    moved = [tomorrow.assign(**(tomorrow[["forward", "underlying_price"]] * np.exp(bump))) for bump in (BUMP, -BUMP)]
    up, down = np.split(model.predict(pd.concat(moved, ignore_index=True)), 2)
    return np.asarray((up - down) / (2 * BUMP))


def _errors(held: pd.DataFrame, hedge: Array) -> Array:
    mid, forward, discount = (held[name].to_numpy(dtype=float) for name in ("mid", "forward", "discount_factor"))
    later = {name: held[f"next_{name}"].to_numpy(dtype=float) for name in ("mid", "forward", "discount_factor")}
    financed = mid * later["discount_factor"] / discount
    return np.asarray(financed - later["mid"] + hedge * later["discount_factor"] * (later["forward"] - forward))


def _moments(values: Array, unit: str) -> dict[str, float | None]:
    return {f"mean_{unit}": finite_or_none(values.mean()), f"sd_{unit}": finite_or_none(values.std())}


def _reduction(squares: NDArray[Any], blacks: NDArray[Any], evaluate: Evaluate) -> dict[str, float | None]:
    found = {"value": 1 - squares.sum() / blacks.sum(), "low": np.nan, "high": np.nan}
    if len(squares) >= FEWEST_DAYS:
        times = resampled_days(len(squares), evaluate.bootstrap, evaluate.seed)
        tails = [(1 - evaluate.confidence) / 2, (1 + evaluate.confidence) / 2]
        found["low"], found["high"] = np.quantile(1 - (times @ squares) / (times @ blacks), tails)
    return {name: finite_or_none(value) for name, value in found.items()}
