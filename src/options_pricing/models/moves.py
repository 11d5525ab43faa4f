"""How vols moved from each day to the next, seen from the surface of the day before."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.models.base import Array, by_underlying, day_names, standardised_moneyness
from options_pricing.models.columns import Table, numbers
from options_pricing.models.flat_vol import level_of
from options_pricing.models.forward_curve import ForwardCurve
from options_pricing.models.random_walk import surface_of
from options_pricing.models.vol_surface import VolSurface
from options_pricing.pricing.black import DAYS_A_YEAR

Interpolate = Callable[[VolSurface, pd.DataFrame], Array]


class Yesterday:
    """What a day leaves for the next: one underlying's surface, forwards and level of vol.

    Parameters
    ----------
    quotes : DataFrame
        Eligible quotes of one underlying on one day.
    """

    def __init__(self, quotes: pd.DataFrame) -> None:
        self.surface = surface_of(quotes)
        self.level = level_of(quotes)
        listed = quotes.drop_duplicates(["root", "expiration"])
        self.forwards = dict(zip(_series(listed), listed["forward"].astype(float).tolist(), strict=True))
        self.curve = ForwardCurve(listed)
        self.day = np.datetime64(quotes["trade_date"].iloc[0], "D")

    def shocks(self, quotes: Table) -> Array:
        """The log return of each option's forward since then, in units of the level of vol; 0 on the day itself.

        An expiration that was not listed then is held against the forward curve of then.
        """
        forward, years = (numbers(quotes, name) for name in ("forward", "year_fraction"))
        passed = self.years_until(quotes)
        if not passed.any():
            return np.zeros(len(passed))
        before = np.array([self.forwards.get(name, np.nan) for name in _series(quotes)], dtype=float)
        unlisted = np.isnan(before) & (years > 0)
        before[unlisted] = self.curve.at(years[unlisted] + passed[unlisted])[0]
        return np.where(passed == 0, 0.0, np.log(forward / before) / self.level)

    def years_until(self, quotes: Table) -> Array:
        """Calendar years from this day to that of each quote."""
        return (np.asarray(quotes["trade_date"], dtype="datetime64[D]") - self.day).astype(float) / DAYS_A_YEAR

    def regressors(self, quotes: pd.DataFrame, vols: Array) -> Array:
        """What the answer of a vol to a shock may depend on, an array of shape (quotes, 3).

        Standardised moneyness over the level of vol, root of the maturity, log of `vols` over the level.
        """
        roots = np.sqrt(quotes["year_fraction"].to_numpy(dtype=float))
        return np.column_stack([standardised_moneyness(quotes) / self.level, roots, np.log(vols / self.level)])


@dataclass(frozen=True)
class Moves:
    """Quotes of days that have a day before them, one element of each array per quote."""

    underlying: NDArray[np.str_]
    day: NDArray[np.str_]
    shock: Array
    regressors: Array
    yesterdays_vol: Array
    vol: Array

    def take(self, chosen: NDArray[Any]) -> Self:
        """Some of the quotes."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def days(self) -> list[str]:
        """The days moved to, oldest first."""
        return [str(day) for day in np.unique(self.day)]

    @classmethod
    def of(cls, quotes: pd.DataFrame, interpolate: Interpolate, *, most_quotes: int) -> Self:
        """All moves within a table of eligible quotes, each thinned evenly so that they are `most_quotes` at most.

        Every day then weighs about the same, however many quotes it has, and a long window costs no more than a
        short one.
        """
        chains = [quotes.iloc[rows] for _, rows in by_underlying(quotes)]
        pairs = [pair for chain in chains for pair in _pairs_of_days(chain)]
        each = max(1, most_quotes // max(1, len(pairs)))
        parts = [_move(cls, before, after, interpolate, each) for before, after in pairs]
        if not parts:
            nothing, text = np.empty(0), np.empty(0, dtype="U")
            return cls(text, text, nothing, np.empty((0, 3)), nothing, nothing)
        return cls(*(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(cls)))


def _pairs_of_days(chain: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    days = [day for _, day in chain.groupby("trade_date")]
    return list(pairwise(days))


def _move(kind: type[Moves], before: pd.DataFrame, after: pd.DataFrame, interpolate: Interpolate, most: int) -> Any:
    yesterday = Yesterday(before)
    vols = interpolate(yesterday.surface, after)
    order = np.lexsort((standardised_moneyness(after), after["year_fraction"].to_numpy(dtype=float)))
    rows = order[np.unique(np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int))]
    chosen, told = after.iloc[rows], vols[rows]
    return kind(
        underlying=chosen["underlying"].to_numpy(dtype="U"),
        day=day_names(chosen).to_numpy(dtype="U"),
        shock=yesterday.shocks(chosen),
        regressors=yesterday.regressors(chosen, told),
        yesterdays_vol=told,
        vol=chosen["implied_vol"].to_numpy(dtype=float),
    )


def _series(quotes: Table) -> list[tuple[str, int]]:
    """A name for each row's root and expiration."""
    expiration = np.asarray(quotes["expiration"], dtype="datetime64[D]").astype(int)
    roots = [root if isinstance(root, str) else "" for root in quotes["root"]]
    return list(zip(roots, expiration.tolist(), strict=True))
