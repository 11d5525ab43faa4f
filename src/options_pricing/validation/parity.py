"""The put-call parity line of each expiration, found with medians so that a wrong quote does not bend it.

For European options ``C - P = D (F - K)``: over the strikes of one expiration, a line with slope ``-D`` that is zero at
the forward ``F`` (Stoll 1969). Lines are told apart by root as well: SPX and SPXW of one date are two.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from options_pricing.surface.pairs import weighted_medians

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

FEWEST_PAIRS = 6
APART = (1 / 3, 1 / 2, 2 / 3)
GAP_NOISE = 0.005
LEAST_NOISE = 1e-3
DISCOUNT_RANGE = (0.4, 1.1)
GUILTY_TIMES = 2.0


class Pairs(NamedTuple):
    """Calls and puts of one expiration and strike, sorted by both; `call` and `put` are row numbers."""

    expiry: Codes
    strike: Floats
    call: Codes
    put: Codes
    gap: Floats
    half_spreads: Floats


class ParityLines(NamedTuple):
    """Pairs and their lines.

    `forward` and `discount_factor` have one entry per expiry number, NaN where there are fewer than six pairs
    or the slope is no discount factor; `lowest` and `highest` are the strikes between which the line was found;
    `implied` is each pair's own forward, ``K + (C - P) / D``.
    """

    pairs: Pairs
    forward: Floats
    discount_factor: Floats
    lowest: Floats
    highest: Floats
    implied: Floats


def fit_parity_lines(
    rows: Codes, expiry: Codes, strike: Floats, call: Mask, mid: Floats, half_spread: Floats
) -> ParityLines:
    """Pair calls with puts and fit each expiration's line.

    Both the discount factor and the forward are weighted medians, so that neither a wrong quote nor a side of the
    chain that is quoted at any width decides: of the slopes between pairs a third, a half and two thirds of the
    expiration's pairs apart, weighted by the distance of the strikes over their half-spreads; and of the pairs' own
    forwards, weighted by one over the half-spreads and a little of the gap, on which an error of `D` bears.

    Parameters
    ----------
    rows : ndarray of int
        Two-sided quotes, no contract twice, sorted by expiry, strike and type (puts first).
    expiry, strike, call, mid, half_spread : ndarray
        Columns of the whole chain, which `rows` numbers.
    """
    count = int(expiry.max()) + 1 if len(expiry) else 0
    pairs = _pairs(rows, expiry, strike, call, mid, half_spread)
    discount = weighted_medians(*_slopes(pairs), count)
    discount[~((discount > DISCOUNT_RANGE[0]) & (discount < DISCOUNT_RANGE[1]))] = np.nan
    implied = pairs.strike + pairs.gap / discount[pairs.expiry]
    noise = pairs.half_spreads + GAP_NOISE * np.abs(pairs.gap)
    forward = weighted_medians(implied, 1 / np.maximum(noise, LEAST_NOISE), pairs.expiry, count)
    unfit = np.bincount(pairs.expiry, minlength=count) < FEWEST_PAIRS
    forward[unfit | ~(forward > 0)] = np.nan
    discount[np.isnan(forward)] = np.nan
    lowest, highest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(lowest, pairs.expiry, pairs.strike)
    np.maximum.at(highest, pairs.expiry, pairs.strike)
    implied = pairs.strike + pairs.gap / discount[pairs.expiry]
    return ParityLines(pairs, forward, discount, lowest, highest, implied)


def blame(pairs: Pairs, wrong: Mask, mid: Floats) -> tuple[Mask, Mask]:
    """Which leg of each wrong pair broke parity.

    Both legs are compared with the chord between the nearest right pairs below and above. A right price is convex in
    the strike, so it does not lie above its chord; and parity gives calls and puts the same convexity. To blame is the
    one leg that is above its chord by more than the half-spreads, or else twice as far off as the other. Where that
    does not tell them apart, and at the ends, both are.

    Returns
    -------
    call, put : ndarray of bool
        One entry per pair.
    """
    below, above = _nearest_right(pairs, wrong)
    inside = wrong & (below >= 0) & (above >= 0)
    low, high = np.where(inside, below, 0), np.where(inside, above, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = (pairs.strike - pairs.strike[low]) / (pairs.strike[high] - pairs.strike[low])
        call, put = (
            mid[leg] - (1 - weight) * mid[leg[low]] - weight * mid[leg[high]] for leg in (pairs.call, pairs.put)
        )
    call_above, put_above = call > pairs.half_spreads, put > pairs.half_spreads
    only_call = inside & ~put_above & (call_above | (np.abs(call) > GUILTY_TIMES * np.abs(put)))
    only_put = inside & ~call_above & (put_above | (np.abs(put) > GUILTY_TIMES * np.abs(call)))
    return wrong & ~only_put, wrong & ~only_call


def _pairs(rows: Codes, expiry: Codes, strike: Floats, call: Mask, mid: Floats, half_spread: Floats) -> Pairs:
    put, other = rows[:-1], rows[1:]
    both = ~call[put] & call[other] & (expiry[put] == expiry[other]) & (strike[put] == strike[other])
    put, of_call = put[both], other[both]
    return Pairs(
        expiry[put], strike[put], of_call, put, mid[of_call] - mid[put], half_spread[of_call] + half_spread[put]
    )


def _slopes(pairs: Pairs) -> tuple[Floats, Floats, Codes]:
    """Minus the slopes of the gap between pairs of one expiration that lie far apart, their weights, their expiries."""
    index = np.arange(len(pairs.expiry))
    sizes = np.searchsorted(pairs.expiry, pairs.expiry, side="right") - np.searchsorted(pairs.expiry, pairs.expiry)
    low = np.concatenate([index] * len(APART))
    high = np.concatenate([index + np.maximum((share * sizes).astype(np.int64), 1) for share in APART])
    inside = high < len(index)
    low, high = low[inside], high[inside]
    same = pairs.expiry[low] == pairs.expiry[high]
    low, high = low[same], high[same]
    distance = pairs.strike[high] - pairs.strike[low]
    noise = np.maximum(pairs.half_spreads[low] + pairs.half_spreads[high], LEAST_NOISE)
    return -(pairs.gap[high] - pairs.gap[low]) / distance, distance / noise, pairs.expiry[low]


def _nearest_right(pairs: Pairs, wrong: Mask) -> tuple[Codes, Codes]:
    """For each pair the number of the nearest pair below and above that is not wrong, -1 where there is none."""
    index = np.arange(len(wrong))
    below = np.maximum.accumulate(np.where(wrong, -1, index)) if len(index) else index
    last = len(index)
    above = np.minimum.accumulate(np.where(wrong, last, index)[::-1])[::-1] if last else index
    below = np.where((below >= 0) & (pairs.expiry[below] == pairs.expiry), below, -1)
    inside = above < last
    above = np.where(inside & (pairs.expiry[np.where(inside, above, 0)] == pairs.expiry), above, -1)
    return below, above
