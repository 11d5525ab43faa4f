"""Yesterday's surface, fitted free of arbitrage instead of joined by straight lines."""

from abc import abstractmethod

import numpy as np
import pandas as pd

from options_pricing.models.base import Array, Model, by_underlying, last_days, standardised_moneyness
from options_pricing.surface.essvi import essvi_vols
from options_pricing.surface.surface import Surface


class FittedSurface(Model):
    """Tomorrow's vol at the same maturity and standardised moneyness is that of a `Surface` through today's quotes."""

    def _fit(self, quotes: pd.DataFrame) -> None:
        quotes = last_days(quotes)
        self.surfaces_ = {u: self._surface(quotes.iloc[rows]) for u, rows in by_underlying(quotes)}

    def predict(self, quotes: pd.DataFrame) -> Array:
        """The surface's vol; NaN for an underlying without one and for an option without a forward."""
        vols = np.full(len(quotes), np.nan)
        for underlying, rows in by_underlying(quotes):
            if underlying in self.surfaces_:
                asked = quotes.iloc[rows]
                years, moneyness = asked["year_fraction"].to_numpy(dtype=float), standardised_moneyness(asked)
                known = np.isfinite(years + moneyness) & (years > 0)
                vols[rows[known]] = self._said(self.surfaces_[underlying], years[known], moneyness[known])
        return vols

    @abstractmethod
    def _said(self, surface: Surface, year_fraction: Array, moneyness: Array) -> Array:
        """Vols of known options."""


class EssviSurface(FittedSurface):
    """Three parameters an expiration (`surface/essvi.py`): what the surface is in the wings, everywhere."""

    name = "essvi"

    def _said(self, surface: Surface, year_fraction: Array, moneyness: Array) -> Array:
        return essvi_vols(surface.essvi, year_fraction, moneyness * np.sqrt(year_fraction))


class ConstrainedSurface(FittedSurface):
    """Convex curves between the quotes' bid and ask (`surface/constrained.py`)."""

    name = "constrained"

    def _said(self, surface: Surface, year_fraction: Array, moneyness: Array) -> Array:
        return surface.vols_at(year_fraction, moneyness)
