"""A parabola in strike and maturity through yesterday's vols: what the literature holds models against."""

import numpy as np
import pandas as pd

from options_pricing.models.base import Array, Model, by_underlying, last_days, standardised_moneyness

LOWEST_VOL = 0.01


class AdHocBlackScholes(Model):
    """Least squares of yesterday's vols on ``1, K, K^2, T, T^2, K T``, never under 1 %.

    Dumas, Fleming and Whaley, "Implied volatility functions" (1998), their richest function. Strikes are divided by
    yesterday's mean forward, which changes nothing but the condition of the problem.
    """

    name = "ad_hoc_black_scholes"

    def _fit(self, quotes: pd.DataFrame) -> None:
        quotes = last_days(quotes)
        self.functions_ = {u: _fitted(quotes.iloc[rows]) for u, rows in by_underlying(quotes)}

    def predict(self, quotes: pd.DataFrame) -> Array:
        """The function's vol; NaN for an underlying without one and for an option without a forward."""
        vols = np.full(len(quotes), np.nan)
        for underlying, rows in by_underlying(quotes):
            if underlying in self.functions_:
                scale, coefficients = self.functions_[underlying]
                terms = _terms(quotes.iloc[rows], scale)
                vols[rows] = sum(terms[:, k] * value for k, value in enumerate(coefficients))
        return np.where(np.isfinite(standardised_moneyness(quotes)), np.maximum(vols, LOWEST_VOL), np.nan)


def _fitted(quotes: pd.DataFrame) -> tuple[float, list[float]]:
    scale = float(quotes["forward"].mean())
    vol = quotes["implied_vol"].to_numpy(dtype=float)
    found: list[float] = np.linalg.lstsq(_terms(quotes, scale), vol, rcond=None)[0].tolist()
    return scale, found


def _terms(quotes: pd.DataFrame, scale: float) -> Array:
    strike, years = (quotes[name].to_numpy(dtype=float) for name in ("strike", "year_fraction"))
    strike = strike / scale
    return np.column_stack([np.ones_like(strike), strike, strike**2, years, years**2, strike * years])
