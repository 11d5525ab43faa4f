"""Yesterday's surface: the benchmark that every other model is held against."""

import numpy as np
import pandas as pd

from options_pricing.models.base import Array, Model, by_underlying, last_days, standardised_moneyness
from options_pricing.models.columns import Table, own_rows
from options_pricing.models.vol_surface import VolSurface


class RandomWalk(Model):
    """Tomorrow's vol at the same maturity and standardised moneyness is today's.

    Per underlying, all roots together, the vols of its last day's quotes are joined as `VolSurface` says.
    """

    name = "random_walk"
    reads_columns = True

    def _fit(self, quotes: pd.DataFrame) -> None:
        quotes = last_days(quotes)
        self.surfaces_ = {underlying: surface_of(quotes.iloc[rows]) for underlying, rows in by_underlying(quotes)}

    def predict(self, quotes: Table) -> Array:
        """Yesterday's vol; NaN for an underlying without a surface and for an option without a forward."""
        vols = np.full(len(quotes), np.nan)
        for underlying, rows in by_underlying(quotes):
            if underlying in self.surfaces_:
                vols[rows] = self._interpolated(self.surfaces_[underlying], own_rows(quotes, rows))
        return vols


def surface_of(quotes: pd.DataFrame) -> VolSurface:
    """The surface through eligible quotes of one underlying on one day."""
    years, vol = (quotes[c].to_numpy(dtype=float) for c in ("year_fraction", "implied_vol"))
    return VolSurface(years, standardised_moneyness(quotes), vol)
