"""Yesterday's vols, strike by strike: the other half of the traders' rules of thumb."""

import numpy as np
import pandas as pd

from options_pricing.models.base import Array, Model, by_underlying, last_days
from options_pricing.models.moves import Yesterday


class StickyStrike(Model):
    """Tomorrow's vol at the same strike and time to expiry is today's, whatever the forward does.

    Derman, "Regimes of volatility" (1999). The surface is that of `RandomWalk`, asked at the moneyness that a strike
    had yesterday.
    """

    name = "sticky_strike"

    def _fit(self, quotes: pd.DataFrame) -> None:
        quotes = last_days(quotes)
        self.yesterdays_ = {u: Yesterday(quotes.iloc[rows]) for u, rows in by_underlying(quotes)}

    def predict(self, quotes: pd.DataFrame) -> Array:
        """Yesterday's vol at the strike; NaN without a surface of the underlying or a forward."""
        vols = np.full(len(quotes), np.nan)
        for underlying, rows in by_underlying(quotes):
            if underlying in self.yesterdays_:
                vols[rows] = self._at_strikes(self.yesterdays_[underlying], quotes.iloc[rows])
        return vols

    def _at_strikes(self, yesterday: Yesterday, quotes: pd.DataFrame) -> Array:
        strike, forward, years = (quotes[c].to_numpy(dtype=float) for c in ("strike", "forward", "year_fraction"))
        before = forward * np.exp(-yesterday.shocks(quotes) * yesterday.level)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._vols_at(yesterday.surface, years, np.log(strike / before) / np.sqrt(years))
