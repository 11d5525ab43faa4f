"""The usable quotes of one underlying on one day, by expiration, in units without money."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.pricing.black import is_call, price_and_greeks
from options_pricing.run.errors import BadDataError

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

NEEDED = ("year_fraction", "strike", "option_type", "bid", "ask", "forward", "discount_factor", "implied_vol")
SAME_STRIKE = 1e-9
FEW = 3
LEAST_HALF, LEAST_ERROR, MOST_ERROR = 0.02, 1e-5, 0.5


class Quoted(NamedTuple):
    """Quotes sorted by expiration, then strike; prices are undiscounted, per unit of forward.

    Of each option the out-of-the-money price is told: ``p(k)`` of the put where ``k < 1``, ``c(k) = p(k) + 1 - k`` of
    the call elsewhere, with ``k = K / F``.

    ============== ====================================================================================
    `year_fraction` years to each expiration, ascending; shape (expirations,)
    `forward`       forward of each expiration, the median of its rows
    `start`         where the quotes of each expiration begin; shape (expirations + 1,)
    `k`             strike over forward; shape (quotes,), like all below
    `bid`, `ask`    of the out-of-the-money option over ``D F``; ``bid <= ask``
    `half`          half the spread, at least 2 % of the expiration's median
    `vol`           Black's, per year
    `vol_error`     by how much half a spread moves the vol
    ============== ====================================================================================
    """

    year_fraction: Array
    forward: Array
    start: Numbers
    k: Array
    bid: Array
    ask: Array
    half: Array
    vol: Array
    vol_error: Array

    @property
    def expiration(self) -> Numbers:
        """The number of the expiration of each quote."""
        return np.repeat(np.arange(len(self.year_fraction)), np.diff(self.start))

    @property
    def years(self) -> Array:
        """The time to expiry of each quote."""
        return np.repeat(self.year_fraction, np.diff(self.start))

    def of(self, i: int) -> slice:
        """The rows of expiration `i`."""
        return slice(int(self.start[i]), int(self.start[i + 1]))


def read_quotes(quotes: pd.DataFrame) -> Quoted:
    """The quotes that a surface can be fitted to.

    Kept are quotes with ``0 < bid <= ask``, a forward, a discount factor, time left and an implied vol; in any order.
    In the money they are used only in an expiration with fewer than three others. Of two quotes of one strike and
    expiration the narrower is kept; of quotes that contradict each other, those that contradict most are not.
    Expirations are told apart by `year_fraction` alone, so that options of one date that stop at different hours are
    two. From American quotes `early_exercise_premium` is taken off, where given.

    Parameters
    ----------
    quotes : DataFrame
        With `NEEDED` of the columns of FEATURES; rows of one underlying and day.

    Raises
    ------
    BadDataError
        No quote is left, or a column is missing.
    """
    missing = [name for name in NEEDED if name not in quotes]
    if missing:
        raise BadDataError(
            "the quotes cannot be fitted", why=f"column {missing[0]} is missing", fix="give rows of the feature table"
        )
    columns = {name: quotes[name].to_numpy(dtype=float) for name in NEEDED if name != "option_type"}
    call = is_call(quotes["option_type"].astype(str).to_numpy().astype(str))
    premium = _premium(quotes)
    table = pd.DataFrame({**columns, "call": call, "premium": premium})
    table = _usable(table)
    if table.empty:
        raise BadDataError(
            f"none of {len(quotes)} quotes can be fitted",
            why="none has 0 < bid <= ask, time left, a forward, a discount factor and an implied vol",
            fix="look at the validation report of the day",
        )
    return _arrays(_consistent(_one_a_strike(table)))


def _premium(quotes: pd.DataFrame) -> Array:
    if "early_exercise_premium" not in quotes:
        return np.zeros(len(quotes))
    return np.nan_to_num(quotes["early_exercise_premium"].to_numpy(dtype=float))


def _usable(table: pd.DataFrame) -> pd.DataFrame:
    positive = ["year_fraction", "strike", "bid", "ask", "forward", "discount_factor", "implied_vol"]
    numbers = table[positive].to_numpy()
    with np.errstate(invalid="ignore"):
        good = (np.isfinite(numbers) & (numbers > 0)).all(axis=1) & (numbers[:, 3] >= numbers[:, 2])
    kept = table[good].copy()
    kept["k"] = kept["strike"] / kept["forward"]
    kept["expiration"] = np.unique(kept["year_fraction"], return_inverse=True)[1]
    kept["out"] = kept["call"] == (kept["k"] >= 1)
    out_count = kept.groupby("expiration")["out"].transform("sum")
    return kept[kept["out"] | (out_count < FEW)]


def _one_a_strike(table: pd.DataFrame) -> pd.DataFrame:
    """Sorted, undiscounted, out of the money; of several quotes of a strike the narrowest."""
    unit = table["forward"] * table["discount_factor"]
    in_the_money = np.where(table["out"], 0.0, np.abs(1 - table["k"]))
    low = (table["bid"] - table["premium"]) / unit - in_the_money
    high = (table["ask"] - table["premium"]) / unit - in_the_money
    table = table.assign(low=np.maximum(low, 0.0), high=high, width=high - low)[high > 0]
    table = table.sort_values(["expiration", "k", "width", "call"], kind="stable")
    again = (table["expiration"].diff() == 0) & (table["k"].diff() <= SAME_STRIKE)
    return table[~again]


def _consistent(table: pd.DataFrame) -> pd.DataFrame:
    """Without the quotes that contradict most others, as long as any contradict.

    Two quotes do if the one further out of the money, on one side, has a bid over the other's ask.
    """
    kept = np.ones(len(table), dtype=bool)
    start = np.flatnonzero(np.diff(table["expiration"].to_numpy(), prepend=-1))
    k, low, high = (table[name].to_numpy() for name in ("k", "low", "high"))
    for begin, end in zip(start, [*start[1:], len(table)], strict=True):
        middle = begin + int(np.searchsorted(k[begin:end], 1.0))
        for side in (slice(middle, end), slice(begin, middle)):
            outward = slice(None) if side.start == middle else slice(None, None, -1)
            kept[side] = _not_contradicted(low[side][outward], high[side][outward])[outward]
    return table[kept]


def _not_contradicted(low: Array, high: Array) -> NDArray[np.bool_]:
    """Of bids and asks that should fall, those left when the greatest contradictors are gone."""
    kept = np.ones(len(low), dtype=bool)
    if (low <= np.minimum.accumulate(high)).all():
        return kept
    contradicts = np.triu(low[None, :] > high[:, None], 1)
    contradicts |= contradicts.T
    while (count := contradicts.sum(axis=0)).any():
        worst = int(np.argmax(count))
        kept[worst] = False
        contradicts[worst], contradicts[:, worst] = False, False
    return kept


def _arrays(table: pd.DataFrame) -> Quoted:
    years, number = np.unique(table["year_fraction"].to_numpy(), return_inverse=True)
    start = np.searchsorted(number, np.arange(len(years) + 1))
    k, low, high, vol, each = (table[c].to_numpy() for c in ("k", "low", "high", "implied_vol", "year_fraction"))
    half = (high - low) / 2
    typical = pd.Series(half).groupby(number).transform("median").to_numpy()
    half = np.maximum(np.maximum(half, LEAST_HALF * typical), 1e-9)
    vega = price_and_greeks(1.0, k, each, 1.0, vol, k >= 1).vega
    error = np.clip(half / np.maximum(vega, 1e-12), LEAST_ERROR, MOST_ERROR)
    forward = table["forward"].groupby(number).median().to_numpy()
    return Quoted(years, forward, start, k, low, high, half, vol, error)
