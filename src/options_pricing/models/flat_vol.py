"""One vol per underlying: what an option costs if there were no smile and no term structure."""

import numpy as np
import pandas as pd

from options_pricing.models.base import Array, Model, by_underlying, last_days, standardised_moneyness

SHARE_NEAREST = 0.25


class FlatVol(Model):
    """The mean implied vol of the quarter of yesterday's quotes that are nearest to the forward."""

    name = "flat_vol"

    def _fit(self, quotes: pd.DataFrame) -> None:
        quotes = last_days(quotes)
        self.vols_ = {underlying: level_of(quotes.iloc[rows]) for underlying, rows in by_underlying(quotes)}

    def predict(self, quotes: pd.DataFrame) -> Array:
        """The underlying's one vol, whatever the strike and the expiration."""
        vols = np.array([self.vols_.get(str(u), np.nan) for u in quotes["underlying"]], dtype=float)
        return np.where(np.isfinite(standardised_moneyness(quotes)), vols, np.nan)


def level_of(quotes: pd.DataFrame) -> float:
    """Mean implied vol of the quarter of `quotes` with the smallest standardised moneyness, at least one quote."""
    away = np.abs(standardised_moneyness(quotes))
    nearest = np.argsort(away, kind="stable")[: max(1, round(SHARE_NEAREST * len(quotes)))]
    return float(quotes["implied_vol"].to_numpy()[nearest].mean())
