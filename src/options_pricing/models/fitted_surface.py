"""Yesterday's surface, fitted free of arbitrage instead of joined by straight lines."""

from typing import ClassVar

import numpy as np
import pandas as pd

from options_pricing.models.base import Array, Model, by_underlying, last_days, standardised_moneyness
from options_pricing.surface.surface import Method


class FittedSurface(Model):
    """Tomorrow's vol at the same maturity and standardised moneyness is that of a `Surface` through today's quotes."""

    method: ClassVar[Method]

    def _fit(self, quotes: pd.DataFrame) -> None:
        quotes = last_days(quotes)
        self.surfaces_ = {u: self._surface(quotes.iloc[rows], self.method) for u, rows in by_underlying(quotes)}

    def predict(self, quotes: pd.DataFrame) -> Array:
        """The surface's vol; NaN for an underlying without one and for an option without a forward."""
        vols = np.full(len(quotes), np.nan)
        for underlying, rows in by_underlying(quotes):
            if underlying in self.surfaces_:
                asked = quotes.iloc[rows]
                years = asked["year_fraction"].to_numpy(dtype=float)
                vols[rows] = self.surfaces_[underlying].vols_at(years, standardised_moneyness(asked))
        return vols


class EssviSurface(FittedSurface):
    """Three parameters an expiration (`surface/essvi.py`)."""

    name = "essvi"
    method = "essvi"


class ConstrainedSurface(FittedSurface):
    """Convex curves between the quotes' bid and ask (`surface/constrained.py`)."""

    name = "constrained"
    method = "constrained"
