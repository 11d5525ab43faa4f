"""How far each quote's vol is from what its neighbours say, and how far it may be."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from options_pricing.validation.market import Market
from options_pricing.validation.parity import Codes, Floats, Mask

SIDE = 2
ROUNDS = 6
NORMAL_MAD = 1.4826


class Residuals(NamedTuple):
    """Of each point the log of its vol less that of its neighbours, and how much the spreads allow; NaN with too few.

    `centred` says that two neighbours stand on either side; elsewhere the cubic is extrapolated.
    """

    value: Floats
    allowed: Floats
    centred: Mask


def residuals(market: Market, kept: Mask) -> Residuals:
    r"""Leave-one-out residuals of log vol, each point against the `kept` ones beside it.

    The expected log vol is that of the cubic through the two kept neighbours on either side (Lagrange; at equal
    distances :math:`(-y_{-2} + 4 y_{-1} + 4 y_1 - y_2) / 6`, which is also the least-squares parabola through them).
    What is allowed is the sum of what half a spread and a tick are worth in vol: the point's own and, by the weights
    of the cubic, its neighbours'. A quote within it contradicts nobody.
    """
    points, level = market.points, np.log(market.vol)
    known = kept & np.isfinite(level)
    beside, there, centred = _neighbours(points.expiry, known)
    x = np.log(points.k)
    weights = _lagrange(x, [x[index] for index in beside])
    error = market.vol_error / market.vol
    with np.errstate(invalid="ignore"):
        value = level - sum(weight * level[index] for weight, index in zip(weights, beside, strict=True))
        allowed = error + sum(np.abs(weight) * error[index] for weight, index in zip(weights, beside, strict=True))
    return Residuals(np.where(there, value, np.nan), np.where(there, allowed, np.nan), there & centred)


def outliers(market: Market, deviations: float) -> Mask:
    """Points whose residual is over what the spreads allow and over `deviations` robust standard deviations.

    The deviation is 1.4826 times the median absolute residual of the expiration. A wrong quote spoils its neighbours'
    residuals: of neighbours only the worst is taken out at once, and what is left is judged again.
    """
    expiry = market.points.expiry
    out = np.zeros(len(expiry), dtype=bool)
    for _ in range(ROUNDS):
        value, allowed, centred = residuals(market, ~out)
        limit = np.maximum(allowed, deviations * NORMAL_MAD * _medians(np.abs(value), expiry))
        with np.errstate(invalid="ignore"):
            over = np.where(~out & centred & (np.abs(value) > limit), np.abs(value) / limit, 0.0)
        new = (over > 1) & _worst_beside(over, expiry)
        if not new.any():
            break
        out |= new
    return out


def _neighbours(expiry: Codes, kept: Mask) -> tuple[list[Codes], Mask, Mask]:
    """Four kept others of each point's expiration: two below and two above it, or else the four nearest the end.

    Returns
    -------
    beside : list of ndarray of int
        Ascending.
    there, centred : ndarray of bool
        Whether there are four, and whether two of them are on either side.
    """
    rows = np.flatnonzero(kept)
    if not len(rows):
        nothing = np.zeros(len(expiry), dtype=bool)
        return [np.zeros(len(expiry), dtype=np.int64)] * (2 * SIDE), nothing, nothing
    begin, end = (np.searchsorted(expiry[rows], expiry, side=side) for side in ("left", "right"))
    before: Codes = np.cumsum(kept) - kept
    own = kept.astype(np.int64)
    there = end - begin - own >= 2 * SIDE
    start = np.clip(before - SIDE, begin, np.maximum(end - own - 2 * SIDE, begin))
    places = [start + step for step in range(2 * SIDE)]
    # Where a point is kept itself, it is passed over.
    places = [place + (own & (place >= before)) for place in places]
    centred = (before - begin >= SIDE) & (end - before - own >= SIDE)
    return [rows[np.where(there, place, 0)] for place in places], there, centred


def _lagrange(x: Floats, nodes: list[Floats]) -> list[Floats]:
    weights = []
    for i, own in enumerate(nodes):
        weight = np.ones(len(x))
        for j, other in enumerate(nodes):
            if i != j:
                with np.errstate(divide="ignore", invalid="ignore"):
                    weight = weight * (x - other) / (own - other)
        weights.append(weight)
    return weights


def _medians(values: Floats, groups: Codes) -> Floats:
    """For each entry the median of its group's known values; groups are sorted."""
    return pd.Series(values).groupby(groups).transform("median").to_numpy(dtype=float)


def _worst_beside(over: Floats, expiry: Codes) -> Mask:
    """Whether an entry is the greatest among the two on either side of it in its group, the first of equals."""
    worst = np.ones(len(over), dtype=bool)
    for step in range(1, SIDE + 1):
        same = expiry[step:] == expiry[:-step]
        worst[step:] &= ~same | (over[step:] > over[:-step])
        worst[:-step] &= ~same | (over[:-step] >= over[step:])
    return worst
