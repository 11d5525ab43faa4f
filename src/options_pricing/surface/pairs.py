"""Call-put pairs of one strike, and what put-call parity says of their expiration."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.integer]

LEAST_SPREAD = 0.005


class Pairs(NamedTuple):
    """Pairs of a call and a put of one strike, sorted by the number of their expiration and by strike.

    `call` and `put` are mid prices, `spread` is the root of the sum of the squares of both bid-ask spreads.
    """

    expiration: Numbers
    strike: Array
    call: Array
    put: Array
    spread: Array

    def take(self, rows: Numbers) -> "Pairs":
        """The pairs at `rows`."""
        expiration, strike, call, put, spread = self
        return Pairs(expiration[rows], strike[rows], call[rows], put[rows], spread[rows])


def call_put_pairs(chain: pd.DataFrame, numbers: Numbers) -> Pairs:
    """All pairs with a bid and an ask on both sides; of repeated quotes the mean.

    Parameters
    ----------
    chain : DataFrame
        With strike, option_type, bid and ask.
    numbers : ndarray of int
        Of the expiration of each row.
    """
    bid, ask = chain["bid"].to_numpy(dtype=float), chain["ask"].to_numpy(dtype=float)
    quotes = pd.DataFrame(
        {
            "expiration": numbers,
            "strike": chain["strike"].to_numpy(dtype=float),
            "mid": (bid + ask) / 2,
            "spread": ask - bid,
        }
    )
    two_sided = (bid > 0) & (ask > 0)
    call = (chain["option_type"] == "C").to_numpy()
    calls, puts = (
        quotes[two_sided & side].groupby(["expiration", "strike"], sort=True).mean() for side in (call, ~call)
    )
    pairs = calls.join(puts.add_suffix("_put"), how="inner").sort_index()
    spread = np.hypot(pairs["spread"].to_numpy(), pairs["spread_put"].to_numpy())
    return Pairs(
        pairs.index.get_level_values("expiration").to_numpy(dtype=np.intp),
        pairs.index.get_level_values("strike").to_numpy(dtype=float),
        pairs["mid"].to_numpy(),
        pairs["mid_put"].to_numpy(),
        np.maximum(spread, LEAST_SPREAD),
    )


def smallest_gaps(pairs: Pairs, count: int, least: int, share: float) -> Pairs:
    """Of each expiration the share of the pairs whose ``|C - P|`` is smallest, `least` of them at the least."""
    return _first(pairs, np.abs(pairs.call - pairs.put), count, least, share, max(least, pairs.strike.size))


def nearest_pairs(pairs: Pairs, discount_factor: Array, least: int, share: float, most: int) -> Pairs:
    """Of each expiration the pairs struck nearest to its forward: a share of them, within `least` and `most`.

    The forward is the median of ``K + (C - P) / D`` over all pairs. Its smallest ``|C - P|`` would not do: a far
    strike with a worthless quote on both sides has it, too.
    """
    forwards = pairs.strike + (pairs.call - pairs.put) / discount_factor[pairs.expiration]
    middle = weighted_medians(forwards, np.ones(forwards.size), pairs.expiration, discount_factor.size)
    distance = np.abs(pairs.strike - middle[pairs.expiration])
    return _first(pairs, distance, discount_factor.size, least, share, most)


def _first(pairs: Pairs, distance: Array, count: int, least: int, share: float, most: int) -> Pairs:
    order = np.lexsort((distance, pairs.expiration))
    expiration = pairs.expiration[order]
    sizes = np.bincount(expiration, minlength=count)
    rank = np.arange(expiration.size) - (np.cumsum(sizes) - sizes)[expiration]
    wanted = np.clip(np.ceil(share * sizes), least, most)
    return pairs.take(np.sort(order[rank < wanted[expiration]]))


def weighted_medians(values: Array, weights: Array, groups: Numbers, count: int) -> Array:
    """The weighted median of each group ``0 .. count - 1``; NaN values are left out, an empty group gives NaN."""
    known = np.isfinite(values) & (weights > 0)
    order = np.lexsort((values[known], groups[known]))
    values, weights, groups = values[known][order], weights[known][order], groups[known][order]
    medians = np.full(count, np.nan)
    starts = np.searchsorted(groups, np.arange(count + 1))
    for group, (start, end) in enumerate(pairwise(starts)):
        if end > start:
            reached = np.cumsum(weights[start:end])
            medians[group] = values[start + np.searchsorted(reached, reached[-1] / 2)]
    return medians
