"""Yesterday's surface and what can be known of its move: from expirations, from returns, from a few quotes of today."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.models.base import Array, Model, by_underlying, content_of, standardised_moneyness
from options_pricing.models.columns import Table, numbers, own_rows
from options_pricing.models.few_quotes import Marks, Places
from options_pricing.models.moves import Yesterday
from options_pricing.models.surface_moves import (
    Bumps,
    Learnt,
    PastMove,
    clipped_shocks,
    combined,
    moneyness_in_deviations,
    past_move,
    shapes,
)
from options_pricing.models.trend import DayOfQuotes, Passage, Trend, filtered
from options_pricing.models.vol_surface import VolSurface
from options_pricing.pricing.black import price_and_greeks
from options_pricing.run.threads import one_thread
from options_pricing.surface.surface import Surface

# Up to so many quotes of the last day mark the surface of the day before; more of them are a surface themselves.
MOST_MARKS = 60
# A surface is kept that leaves at least this share of the quotes within their bid and ask.
LEAST_INSIDE = 0.5
QUOTES_A_MOVE = 1000
MOST_MOVES = 250


@dataclass
class Chain:
    """One underlying: the days that are known whole, and the quotes of a later day of which only a few are."""

    days: list[pd.DataFrame]
    few: pd.DataFrame


class Hybrid(Model):
    """Yesterday's surface, free of arbitrage, moved by what is known of today.

    Three things are added to its log vols, the first two whenever a day has passed:

    - what belongs to an expiration stays with it (`Bumps`);
    - the forward's return moves the level of vol, as far as the underlying's own days bear it out (`believed`);
    - where the last day of the table has only a few quotes, they move the whole surface (`Marks`).

    A last day with many quotes is the surface itself, and without a return nothing is added to it. Where no surface
    without arbitrage lies among the quotes, as with last trades, straight lines between them are drawn to a trend that
    is filtered over the days (`Trend`).
    """

    name = "hybrid"
    reads_columns = True

    def _fit(self, quotes: pd.DataFrame) -> None:
        self._chains: dict[str, Chain] | None = {u: _chain(quotes.iloc[rows]) for u, rows in by_underlying(quotes)}
        self.yesterdays_ = {u: Yesterday(chain.days[-1]) for u, chain in self._chains.items()}
        self._few = {u: chain.few for u, chain in self._chains.items()}
        self._moves: dict[str, list[PastMove]] = {}
        self._learnt: dict[str, Learnt] = {}
        self._marks: dict[str, Marks] = {}
        self._trends: dict[str, Trend] = {}
        self._surfaces: dict[str, Surface | VolSurface] = {}

    def __getstate__(self) -> dict[str, Any]:
        for underlying in self.yesterdays_:
            self.learnt(underlying)
            if isinstance(self.surface(underlying), VolSurface):
                self.trend(underlying)
        return {**super().__getstate__(), "_chains": None, "_moves": {}, "_marks": {}}

    def predict(self, quotes: Table) -> Array:
        """Yesterday's vol, moved; NaN where there is no forward or no surface."""
        vols = np.full(len(quotes), np.nan)
        for underlying, rows in by_underlying(quotes):
            if underlying in self.yesterdays_:
                vols[rows] = np.exp(self._log_vols(underlying, own_rows(quotes, rows)))
        return vols

    def learnt(self, underlying: str) -> Learnt:
        """What the days of the table say of the underlying's moves; found when it is first asked for."""
        if underlying not in self._learnt:
            self._learnt[underlying] = Learnt.of(self._past_moves(underlying))
        return self._learnt[underlying]

    def trend(self, underlying: str) -> Trend:
        """The underlying's trend after its last whole day; found when it is first asked for."""
        if underlying not in self._trends:
            response = self.learnt(underlying).response
            passages = [Passage(move.days, move.shock * response) for move in self._past_moves(underlying)]
            days = [day_of_quotes(day) for day in self._days(underlying)]
            with one_thread():
                self._trends[underlying] = filtered(days, passages)
        return self._trends[underlying]

    def diagnostics(self) -> dict[str, Any]:
        """Per underlying the days moved to, and the share of the prior response that they bear out."""
        learnt = {underlying: self.learnt(underlying) for underlying in self.yesterdays_}
        return {
            "moves": {u: known.days for u, known in learnt.items()},
            "belief_in_response": {u: known.belief for u, known in learnt.items()},
            "without_arbitrage": {u: isinstance(self.surface(u), Surface) for u in learnt},
        }

    def _days(self, underlying: str) -> list[pd.DataFrame]:
        return self._chains[underlying].days[-MOST_MOVES - 1 :] if self._chains else []

    def _past_moves(self, underlying: str) -> list[PastMove]:
        if underlying not in self._moves:
            with one_thread():
                known = [(day, content_of(day)) for day in self._days(underlying)]
                self._moves[underlying] = [self._remembered_move(*pair) for pair in pairwise(known)]
        return self._moves[underlying]

    def _remembered_move(self, before: tuple[pd.DataFrame, bytes], after: tuple[pd.DataFrame, bytes]) -> PastMove:
        find, memory = partial(self._past_move, before[0], after[0]), self._interpolations
        return find() if memory is None else memory.remembered(before[1] + after[1], find)

    def _past_move(self, before: pd.DataFrame, after: pd.DataFrame) -> PastMove:
        yesterday, some = Yesterday(before), thinned(after)
        return past_move(yesterday, after.iloc[some], self._unmoved(yesterday, yesterday.surface, after)[some])

    def surface(self, underlying: str) -> Surface | VolSurface:
        """The underlying's last whole day, free of arbitrage.

        Joined by straight lines where freedom from arbitrage takes it out of most quotes' bid and ask, as it does with
        last trades: what it makes of quotes that contradict each other can be anything.
        """
        if underlying not in self._surfaces:
            day = self._days(underlying)[-1]
            fitted = self._surface(day)
            vols = fitted.vols_at(day["year_fraction"].to_numpy(dtype=float), standardised_moneyness(day))
            off = np.abs(np.log(vols / day["implied_vol"].to_numpy(dtype=float)))
            kept = np.mean(off <= half_spreads_in_log_vol(day)) >= LEAST_INSIDE
            self._surfaces[underlying] = fitted if kept else self.yesterdays_[underlying].surface
        return self._surfaces[underlying]

    def _unmoved(self, yesterday: Yesterday, surface: Surface | VolSurface, quotes: Table) -> Array:
        """Log vols if nothing happens but time."""
        years, moneyness = numbers(quotes, "year_fraction"), standardised_moneyness(quotes)
        elapsed = yesterday.years_until(quotes)
        vols_at = partial(self._vols_at, surface)
        now = vols_at(years, moneyness)
        unmoved = np.log(now)
        if not elapsed.any():
            return unmoved
        before = vols_at(years + elapsed, moneyness)
        for passed in np.unique(elapsed[elapsed > 0]):
            rows = elapsed == passed
            unmoved[rows] += Bumps(yesterday, float(passed), vols_at).of(before[rows], now[rows], years[rows])
        return unmoved

    def _log_vols(self, underlying: str, quotes: Table) -> Array:
        expected = self._expected(underlying, quotes)
        if self._few[underlying].empty:
            return expected
        places = self._places(underlying, quotes)
        return expected + self._marked(underlying).move_at(places)

    def _expected(self, underlying: str, quotes: Table) -> Array:
        """Log vols before any quote of the day is seen."""
        yesterday, surface = self.yesterdays_[underlying], self.surface(underlying)
        base = self._unmoved(yesterday, surface, quotes)
        if isinstance(surface, VolSurface):
            years, moneyness = numbers(quotes, "year_fraction"), standardised_moneyness(quotes)
            base = self.trend(underlying).drawing(years, moneyness, base)
        shock = clipped_shocks(yesterday, quotes)
        if not shock.any():
            return base
        response = combined(self._places(underlying, quotes).shapes, self.learnt(underlying).response)
        return np.asarray(base + np.where(np.isfinite(shock), shock, 0.0) * response)

    def _places(self, underlying: str, quotes: Table) -> Places:
        years = numbers(quotes, "year_fraction")
        z = moneyness_in_deviations(self.yesterdays_[underlying], quotes)
        with np.errstate(divide="ignore", invalid="ignore"):
            return Places(np.log(years), z, shapes(years, z))

    def _marked(self, underlying: str) -> Marks:
        if underlying not in self._marks:
            few = self._few[underlying]
            surprise = np.log(few["implied_vol"].to_numpy(dtype=float)) - self._expected(underlying, few)
            covariance = self.learnt(underlying).covariance
            self._marks[underlying] = Marks(
                self._places(underlying, few), surprise, half_spreads_in_log_vol(few), covariance
            )
        return self._marks[underlying]


def half_spreads_in_log_vol(quotes: pd.DataFrame) -> Array:
    """Half the bid-ask spread over vega and vol: how far the log of a vol may be off."""
    names = ("forward", "strike", "year_fraction", "discount_factor", "implied_vol")
    forward, strike, years, discount, vol = (quotes[name].to_numpy(dtype=float) for name in names)
    call = (quotes["option_type"] == "C").to_numpy()
    vega = price_and_greeks(forward, strike, years, discount, vol, call).vega
    return np.asarray((quotes["ask"] - quotes["bid"]).to_numpy(dtype=float) / 2 / (vega * vol))


def day_of_quotes(quotes: pd.DataFrame) -> DayOfQuotes:
    """A day for the trend, thinned."""
    some = thinned(quotes)
    years, moneyness = quotes["year_fraction"].to_numpy(dtype=float), standardised_moneyness(quotes)
    log_vol = np.log(quotes["implied_vol"].to_numpy(dtype=float))
    return DayOfQuotes(years[some], moneyness[some], log_vol[some])


def thinned(quotes: pd.DataFrame) -> NDArray[np.intp]:
    """Places of about a thousand quotes at most, evenly over a day's chain, sorted by time to expiry and moneyness."""
    order = np.lexsort((standardised_moneyness(quotes), quotes["year_fraction"].to_numpy(dtype=float)))
    return order[:: max(1, len(order) // QUOTES_A_MOVE)]


def _chain(quotes: pd.DataFrame) -> Chain:
    days = [day for _, day in quotes.groupby("trade_date")]
    if len(days) > 1 and len(days[-1]) <= min(MOST_MARKS, len(days[-2]) // 2):
        return Chain(days[:-1], days[-1])
    return Chain(days, quotes.iloc[:0])
