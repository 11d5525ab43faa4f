"""How good predictions are: the figures of one model, from sums over whole days, so that days can be resampled.

A figure is over the quotes that have a prediction; `coverage` says how many of all have one. Where a figure cannot
be computed it is NaN here and null in the files.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

FIGURES = (
    "r2_price",
    "r2_implied_vol_vs_random_walk",
    "iv_rmse_vol_points",
    "iv_bias_vol_points",
    "mae_price",
    "median_error_half_spreads",
    "inside_bid_ask",
    "coverage",
)
VOL_POINTS = 100.0
SMALLEST_HALF_SPREAD = 1e-9
CHUNK = 512


@dataclass(frozen=True)
class DaySums:
    """Sums over the quotes of each day, arrays of shape (days,); `half_spreads` are per quote.

    `priced` counts quotes with a predicted and a market price, `with_vol` those with both vols, `compared` those
    with the benchmark's vol as well, `quoted` those priced that have a bid and an ask.
    """

    asked: Array
    priced: Array
    error_squares: Array
    errors: Array
    prices: Array
    price_squares: Array
    with_vol: Array
    vol_errors: Array
    vol_squares: Array
    compared: Array
    compared_squares: Array
    benchmark_squares: Array
    quoted: Array
    inside: Array
    half_spreads: "DayValues"

    @classmethod
    def of(cls, predictions: pd.DataFrame, days: list[str]) -> Self:
        """Sum up PREDICTIONS of one model under one protocol, over `days` in this order."""
        price, market, bid, ask, vol, market_vol, benchmark = (
            predictions[name].to_numpy(dtype=float)
            for name in (
                "predicted_price",
                "market_price",
                "bid",
                "ask",
                "predicted_implied_vol",
                "implied_vol",
                "random_walk_implied_vol",
            )
        )
        day = pd.Categorical(predictions["date"], categories=days).codes.astype(np.intp)
        error, vol_error, benchmark_error = price - market, vol - market_vol, benchmark - market_vol
        priced, with_vol = np.isfinite(error), np.isfinite(vol_error)
        compared = with_vol & np.isfinite(benchmark_error)
        quoted = priced & np.isfinite(bid) & np.isfinite(ask)
        # Sums of squares about a fixed middle lose no digits where prices are large and alike.
        centred = market - (market[priced].mean() if priced.any() else 0.0)
        half_spread = np.maximum((ask - bid) / 2, SMALLEST_HALF_SPREAD)

        def total(chosen: NDArray[np.bool_], values: Array | None = None) -> Array:
            weights = None if values is None else values[chosen]
            return np.bincount(day[chosen], weights=weights, minlength=len(days)).astype(float)

        return cls(
            asked=total(np.ones(len(day), dtype=bool)),
            priced=total(priced),
            error_squares=total(priced, error**2),
            errors=total(priced, np.abs(error)),
            prices=total(priced, centred),
            price_squares=total(priced, centred**2),
            with_vol=total(with_vol),
            vol_errors=total(with_vol, vol_error),
            vol_squares=total(with_vol, vol_error**2),
            compared=total(compared),
            compared_squares=total(compared, vol_error**2),
            benchmark_squares=total(compared, benchmark_error**2),
            quoted=total(quoted),
            inside=total(quoted, ((price >= bid) & (price <= ask)).astype(float)),
            half_spreads=DayValues.of((np.abs(error) / half_spread)[quoted], day[quoted], len(days)),
        )

    def figures(self, times: Array) -> dict[str, Array]:
        """All figures when each day counts as often as `times` says.

        Parameters
        ----------
        times : ndarray of shape (samples, days)
            Whole numbers.

        Returns
        -------
        dict
            Figure -> ndarray of shape (samples,), NaN where it cannot be computed.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = times @ self.price_squares - (times @ self.prices) ** 2 / (times @ self.priced)
            found = {
                "r2_price": 1 - times @ self.error_squares / spread,
                "r2_implied_vol_vs_random_walk": 1 - times @ self.compared_squares / (times @ self.benchmark_squares),
                "iv_rmse_vol_points": VOL_POINTS * np.sqrt(times @ self.vol_squares / (times @ self.with_vol)),
                "iv_bias_vol_points": VOL_POINTS * (times @ self.vol_errors) / (times @ self.with_vol),
                "mae_price": times @ self.errors / (times @ self.priced),
                "median_error_half_spreads": self.half_spreads.medians(times),
                "inside_bid_ask": times @ self.inside / (times @ self.quoted),
                "coverage": times @ self.priced / (times @ self.asked),
            }
        return {name: np.where(np.isfinite(values), values, np.nan) for name, values in found.items()}


@dataclass(frozen=True)
class DayValues:
    """Values of all days together, for medians under many weightings of the days.

    `ascending` and `day` hold the values and their days in ascending order, filled up to whole chunks with a day
    of its own; `up_to` how many of each day there are before each chunk.
    """

    ascending: Array
    day: NDArray[np.intp]
    up_to: Array

    @classmethod
    def of(cls, values: Array, day: NDArray[np.intp], days: int) -> Self:
        """From values and the place of each one's day among `days`."""
        order = np.argsort(values, kind="stable")
        filled = -len(values) % CHUNK
        ascending = np.concatenate([values[order], np.full(filled, np.nan)])
        days_in_order = np.concatenate([day[order], np.full(filled, days, dtype=np.intp)])
        chunk = np.arange(len(ascending)) // CHUNK
        counts = np.bincount(chunk * (days + 1) + days_in_order, minlength=len(ascending) // CHUNK * (days + 1))
        each = counts.reshape(-1, days + 1)[:, :days]
        up_to = np.cumsum(np.vstack([np.zeros((1, days)), each]), axis=0)
        return cls(ascending, days_in_order, up_to)

    def medians(self, times: Array) -> Array:
        """The median when each day counts `times` times (whole numbers), for `times` of shape (samples, days)."""
        size = times @ self.up_to[-1]
        medians = np.full(len(times), np.nan)
        some = size > 0
        if some.any():
            lower, upper = (size[some] + 1) // 2, size[some] // 2 + 1
            medians[some] = (self._smallest(times[some], lower) + self._smallest(times[some], upper)) / 2
        return medians

    def _smallest(self, times: Array, rank: Array) -> Array:
        """The value of each rank (from 1): first its chunk, then its place in it. Sorting each sample takes long."""
        before = times @ self.up_to.T
        chunk = (before[:, 1:] < rank[:, None]).sum(axis=1)
        sample = np.arange(len(times))
        members = chunk[:, None] * CHUNK + np.arange(CHUNK)
        counted = np.column_stack([times, np.zeros(len(times))])[sample[:, None], self.day[members]]
        reached = before[sample, chunk][:, None] + np.cumsum(counted, axis=1)
        return self.ascending[members[sample, (reached < rank[:, None]).sum(axis=1)]]


def figures_of(predictions: pd.DataFrame) -> dict[str, float | None]:
    """The figures of PREDICTIONS of one model under one protocol, all days together; None where there is none."""
    days = sorted(predictions["date"].unique())
    found = DaySums.of(predictions, days).figures(np.ones((1, len(days))))
    return {name: finite_or_none(values[0]) for name, values in found.items()}


def finite_or_none(value: float) -> float | None:
    """A number fit for JSON."""
    return float(value) if np.isfinite(value) else None
