"""Forwards, discount factors and dividend yields of one underlying on one day, between its listed expirations."""

import numpy as np
import pandas as pd

from options_pricing.models.vol_surface import Array

CARRY = ["forward", "discount_factor", "dividend_yield"]


class ForwardCurve:
    """Log forward and log discount factor, linear in time from today over the listed expirations.

    Past the last of them, the rate and the growth of the forward stay what they are on average up to it. The spot
    where the line starts is the median of what the expirations imply, ``F D exp(q T)``.

    Parameters
    ----------
    listed : DataFrame
        ``year_fraction``, ``forward``, ``discount_factor`` and ``dividend_yield``, finite and the first three above
        0; at least one row. Where several rows share a time to expiry, their mean counts.
    """

    def __init__(self, listed: pd.DataFrame) -> None:
        years, dividends = (listed[c].to_numpy(dtype=float) for c in ("year_fraction", "dividend_yield"))
        forward, discount = (np.log(listed[c].to_numpy(dtype=float)) for c in ("forward", "discount_factor"))
        self.log_spot = float(np.median(forward + discount + dividends * years))
        logs = pd.DataFrame({"forward": forward - self.log_spot, "discount": discount}).groupby(years).mean()
        self.years = np.append(0.0, logs.index)
        self.growth, self.discount = (np.append(0.0, logs[c]) for c in logs)

    def at(self, year_fraction: Array) -> tuple[Array, Array, Array]:
        """Forwards, discount factors and dividend yields at times to expiry (years, above 0)."""
        growth, discount = (self._line(logs, year_fraction) for logs in (self.growth, self.discount))
        dividends = -(growth + discount) / year_fraction
        return np.exp(self.log_spot + growth), np.exp(discount), dividends

    def _line(self, logs: Array, year_fraction: Array) -> Array:
        last = self.years[-1]
        within = np.interp(year_fraction, self.years, logs)
        return np.where(year_fraction > last, logs[-1] / last * year_fraction, within)


def with_forwards(quotes: pd.DataFrame) -> pd.DataFrame:
    """Give rows whose expiration has no forward that of the curve through their underlying's other expirations.

    `quotes` is of one day; an underlying without any forward keeps its nulls.
    """
    filled = quotes.copy()
    for _, chain in quotes.groupby("underlying"):
        known = np.isfinite(chain[CARRY].to_numpy()).all(axis=1)
        years = chain["year_fraction"].to_numpy(dtype=float)
        missing = ~known & (years > 0)
        if known.any() and missing.any():
            made = np.column_stack(ForwardCurve(chain[known]).at(years[missing]))
            filled.loc[chain.index[missing], CARRY] = made
    return filled
