"""The first version of this project's model: a price that is linear in vol, moneyness and vol times time."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from options_pricing.models.base import Array, by_underlying
from options_pricing.models.columns import Table
from options_pricing.models.prices import early_exercise, greeks_at, vols_of_prices
from options_pricing.models.random_walk import RandomWalk
from options_pricing.pricing.black import PriceAndGreeks


@dataclass(frozen=True)
class LinearPrice:
    """``price = intercept + slopes . (vol, underlying_price / strike, vol * year_fraction)``."""

    intercept: float
    slopes: tuple[float, float, float]

    @classmethod
    def fitted(cls, quotes: pd.DataFrame, vol: Array, price: Array) -> Self:
        """Least squares over rows that have all of it; with none the coefficients are NaN."""
        regressors = _regressors(quotes, vol)
        whole = np.isfinite(regressors).all(axis=1) & np.isfinite(price)
        if not whole.any():
            return cls(np.nan, (np.nan, np.nan, np.nan))
        known, target = regressors[whole], price[whole]
        centre, mean = known.mean(axis=0), float(target.mean())
        slopes = np.linalg.lstsq(known - centre, target - mean, rcond=None)[0]
        a, b, c = (float(slope) for slope in slopes)
        return cls(mean - float(centre @ slopes), (a, b, c))

    def prices(self, quotes: pd.DataFrame, vol: Array) -> Array:
        """Prices of options at given vols; they may well be negative."""
        regressors = _regressors(quotes, vol)
        # Column by column, so that a price does not depend on how many are asked.
        a, b, c = (slope * regressors[:, i] for i, slope in enumerate(self.slopes))
        return self.intercept + a + b + c


class SeedLinear(RandomWalk):
    """One `LinearPrice` per underlying over all known days.

    The seed gave its regression the option's own vol, which is the answer; here it is given yesterday's surface
    in its place.
    """

    name = "seed_linear"
    reads_columns = False

    def _fit(self, quotes: pd.DataFrame) -> None:
        super()._fit(quotes)
        vol, price = (quotes[c].to_numpy(dtype=float) for c in ("implied_vol", "mid"))
        self.lines_ = {
            underlying: LinearPrice.fitted(quotes.iloc[rows], vol[rows], price[rows])
            for underlying, rows in by_underlying(quotes)
        }

    def predict(self, quotes: Table) -> Array:
        """The vol that gives the linear price, between 0.001 and 4."""
        return self.predict_with_prices(quotes)[0]

    def predict_with_prices(self, quotes: Any) -> tuple[Array, Array]:
        """The linear price, and the vol that gives it."""
        told = super().predict(quotes)
        prices = np.full(len(quotes), np.nan)
        for underlying, rows in by_underlying(quotes):
            if underlying in self.lines_:
                prices[rows] = self.lines_[underlying].prices(quotes.iloc[rows], told[rows])
        european = prices - early_exercise(quotes, told)
        return vols_of_prices(quotes, european), prices

    def predict_with_greeks(self, quotes: Any) -> tuple[Array, PriceAndGreeks]:
        """The same, with the greeks at that vol."""
        vols, prices = self.predict_with_prices(quotes)
        return vols, greeks_at(quotes, vols)._replace(price=prices)


def _regressors(quotes: pd.DataFrame, vol: Array) -> Array:
    spot, strike, years = (quotes[c].to_numpy(dtype=float) for c in ("underlying_price", "strike", "year_fraction"))
    return np.column_stack([vol, spot / strike, vol * years])
