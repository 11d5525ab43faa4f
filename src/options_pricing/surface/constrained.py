"""The surface that goes where the quotes are and is free of arbitrage: eSSVI, what quotes add, the nearest prices."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from options_pricing.pricing.black import black_price
from options_pricing.surface.convex import Curve, curve_through, greatest, least_later, slope_changes
from options_pricing.surface.essvi import Essvi, total_variance
from options_pricing.surface.projection import Programme, solve
from options_pricing.surface.quoted import Quoted
from options_pricing.surface.smoothing import Difference, smooth_difference

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

# Nodes between quotes, in asinh of standard deviations; how far they go on beyond the quotes.
NODE_GAP, BEYOND, AT_LEAST = 0.1, 0.4, 2.0
SAME_NODE = 1e-6
# The least density, and the least price, against eSSVI's.
LEAST_DENSITY, LEAST_PRICE, TINIEST = 0.01, 1e-3, 1e-280
# Prices move in units of half the spread, but no unit is over this share of the price itself.
MOST_SHARE = 0.2
# A quote this many half spreads from what the others say is not followed; of a spread its very ends are left out.
OUTLIER, INSIDE = 4.0, 1e-3
# Expirations that cross by less than this many half spreads are not fitted again.
CROSSING = 0.05
NO_LIMIT = 1e4


class _Nodes(NamedTuple):
    """One expiration's nodes: strike over forward, the price aimed at, eSSVI's, half the spread around there.

    No price may be under `floor`; `low` and `high` are wished (infinite where nothing is).
    """

    k: Array
    target: Array
    prior: Array
    half: Array
    floor: Array
    low: Array
    high: Array


def fit_constrained(quoted: Quoted, prior: Essvi) -> list[Curve]:
    """One convex curve an expiration, to be read by `convex.greatest`.

    Three steps: the difference of the quotes to `prior` is smoothed in vols (`smooth_difference`); the prices it gives
    on the quoted strikes, and on strikes between and beyond them, are changed least so that they are convex,
    decreasing, not below those of earlier expirations and, as far as that leaves room, inside bid and ask (the
    constraints of Cohen, Reisinger and Wang 2020); and convex curves join them.

    Parameters
    ----------
    quoted : Quoted
        At least one quote.
    prior : Essvi
        Its expirations are those of `quoted`.
    """
    difference = smooth_difference(quoted, prior)
    nodes = [_nodes(quoted, prior, difference, i) for i in range(len(quoted.year_fraction))]
    curves = _nearest(nodes)
    # Where expirations cross, one that says nothing of its own there gives way; then the later does.
    nodes, curves = _apart(nodes, curves, least_later, _under)
    return _apart(nodes, curves, greatest, _over)[1]


def _nodes(quoted: Quoted, prior: Essvi, difference: Difference, i: int) -> _Nodes:
    rows = quoted.of(i)
    root_theta = np.sqrt(prior.theta[i])
    k, at = _node_strikes(quoted.k[rows], root_theta)
    y, years = np.log(k), quoted.year_fraction[i]
    vol = np.sqrt(total_variance(prior.theta[i], prior.rho[i], prior.psi[i], y) / years)
    out = k >= 1
    prior_price = np.maximum(black_price(1.0, k, years, 1.0, vol, out), TINIEST)
    target = black_price(1.0, k, years, 1.0, vol * np.exp(difference.at(np.full(len(k), i), y)), out)
    target = np.maximum(_falling(k, target), LEAST_PRICE * prior_price)
    half = np.exp(np.interp(y, y[at], np.log(quoted.half[rows])))
    low, high = np.full(len(k), -np.inf), np.full(len(k), np.inf)
    middle, reach = (quoted.bid[rows] + quoted.ask[rows]) / 2, (quoted.ask[rows] - quoted.bid[rows]) / 2
    followed = np.abs(target[at] - middle) <= OUTLIER * quoted.half[rows]
    low[at[followed]] = (middle - (1 - INSIDE) * reach)[followed]
    high[at[followed]] = (middle + (1 - INSIDE) * reach)[followed]
    return _Nodes(k, target, prior_price, half, LEAST_PRICE * prior_price, low, high)


def _falling(k: Array, price: Array) -> Array:
    """Out-of-the-money prices that do not rise away from the money, as they could far from all quotes."""
    middle = int(np.searchsorted(k, 1.0))
    puts, calls = np.minimum.accumulate(price[middle::-1])[::-1], np.minimum.accumulate(price[middle:])
    return np.concatenate([puts, calls[1:]])


def _node_strikes(quoted: Array, root_theta: float) -> tuple[Array, Numbers]:
    """The nodes' strikes over forward, and which of them are the quoted ones."""
    u = np.arcsinh(np.log(quoted) / root_theta)
    ends = [min(u[0] - BEYOND, -AT_LEAST), max(u[-1] + BEYOND, AT_LEAST)]
    fixed = np.sort(np.concatenate([ends, [0.0] if np.abs(u).min() > SAME_NODE else [], u]))
    parts = np.ceil(np.diff(fixed) / NODE_GAP).astype(int)
    gaps = np.repeat(np.diff(fixed) / parts, parts)
    within = np.arange(len(gaps)) - np.repeat(np.cumsum(parts) - parts, parts)
    nodes = np.append(np.repeat(fixed[:-1], parts) + within * gaps, fixed[-1])
    at = np.searchsorted(nodes, u)
    k = np.exp(np.sinh(nodes) * root_theta)
    k[at] = quoted
    k[np.argmin(np.abs(k - 1))] = 1.0
    return k, at


def _apart(
    nodes: list[_Nodes],
    curves: list[Curve],
    walls: Callable[[list[Curve], Numbers, Array], Array],
    limited: Callable[[_Nodes, Array, Array], _Nodes],
) -> tuple[list[_Nodes], list[Curve]]:
    """Fit the expirations again that cross the walls which others are to them, within these."""
    number = np.repeat(np.arange(len(nodes)), [len(each.k) for each in nodes])
    every_wall = walls(curves, number, np.concatenate([each.k for each in nodes]))
    parts = np.split(every_wall, np.flatnonzero(np.diff(number)) + 1)
    within = [limited(each, own.at(each.k), wall) for each, own, wall in zip(nodes, curves, parts, strict=True)]
    crossing = [i for i, each in enumerate(within) if each is not nodes[i]]
    if not crossing:
        return nodes, curves
    again = dict(zip(crossing, _nearest([within[i] for i in crossing]), strict=True))
    return within, [again.get(i, own) for i, own in enumerate(curves)]


def _under(nodes: _Nodes, price: Array, wall: Array) -> _Nodes:
    """With the wish to stay under later expirations, if they are crossed."""
    near = wall < price + nodes.half
    if not (price - wall > CROSSING * nodes.half).any():
        return nodes
    return nodes._replace(high=np.where(near, np.minimum(wall, nodes.high), nodes.high))


def _over(nodes: _Nodes, price: Array, wall: Array) -> _Nodes:
    """With the demand not to be under earlier expirations, if they are crossed."""
    if not (wall - price > CROSSING * nodes.half).any():
        return nodes
    return nodes._replace(floor=np.maximum(nodes.floor, wall))


def _nearest(nodes: list[_Nodes]) -> list[Curve]:
    """Curves through the prices nearest to the targets that meet the constraints."""
    size = np.array([len(each.k) for each in nodes])
    number = np.repeat(np.arange(len(nodes)), size)
    _, target, _, half, floor, low, high = (np.concatenate(parts) for parts in zip(*nodes, strict=True))
    target = np.maximum(target, floor)
    unit = np.minimum(half, MOST_SHARE * target)
    begin = np.cumsum(size)[:-1]
    rows = [_rows(*each) for each in zip(nodes, np.split(target, begin), np.split(unit, begin), strict=True)]
    wished = np.flatnonzero(np.isfinite(low) | np.isfinite(high))
    limits = ((wall - target) / unit for wall in (floor, low, high))
    least, low, high = (np.clip(limit, -NO_LIMIT, NO_LIMIT) for limit in limits)
    before, here, after, spare = np.concatenate(rows, axis=1)
    programme = Programme(number, before, here, after, spare, least, wished, low[wished], high[wished])
    prices = np.maximum(target + unit * solve(programme), floor)
    return [curve_through(each.k, value) for each, value in zip(nodes, np.split(prices, begin), strict=True)]


def _rows(nodes: _Nodes, target: Array, unit: Array) -> Array:
    """Before, here, after and spare of the rows of `Programme`, each scaled to a greatest coefficient of 1."""
    k = nodes.k
    gap = np.diff(k)
    before, here, after, spare = np.zeros((4, len(k)))
    before[1:-1], after[1:-1] = 1 / gap[:-1], 1 / gap[1:]
    here[1:-1] = -(before + after)[1:-1]
    spare[1:-1] = slope_changes(k, target) - LEAST_DENSITY * slope_changes(k, nodes.prior)
    # The put's price over its strike does not fall, the call's price does: convex on to 0 and to infinity.
    here[0], after[0] = -1 / gap[0] - 1 / k[0], 1 / gap[0]
    spare[0] = here[0] * target[0] + after[0] * target[1]
    before[-1], here[-1] = 1 / gap[-1], -1 / gap[-1]
    spare[-1] = before[-1] * target[-2] + here[-1] * target[-1]
    before[1:], here, after[:-1] = before[1:] * unit[:-1], here * unit, after[:-1] * unit[1:]
    size = np.maximum(np.maximum(np.abs(before), np.abs(here)), np.abs(after))
    return np.stack([before, here, after, spare]) / size
