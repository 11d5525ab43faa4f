"""Lines and levels of many groups of points at once: weighted, deaf to outliers, with standard errors.

Points of one group stand together, sorted by x; `groups` numbers each point's group from 0 to ``count - 1``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from options_pricing.surface.pairs import weighted_medians

Array = NDArray[np.float64]
Numbers = NDArray[np.integer]

# Tukey's bisquare, 95 % efficient at normal errors; a median's scale to a standard deviation.
BISQUARE, NORMAL = 4.685, 1.4826
ROUNDS = 15
BLOCKS = 8
FEWEST_POINTS = 4


class Estimates(NamedTuple):
    """A number of each group and its standard error; NaN where the points do not give it."""

    value: Array
    error: Array


def weights_about_lines(x: Array, y: Array, noise: Array, least_noise: float, groups: Numbers, count: int) -> Array:
    """The weight of each point in the line of its group: 1 / noise^2, less far off the line, nothing beyond.

    An MM-estimator: it starts at the weighted median of the slopes between points half a group apart, whose breakdown
    point is a quarter of the points, takes the scale of the errors from there (the median of the residuals over their
    noise) and goes on by least squares with Tukey's bisquare weights (Yohai 1987).

    Parameters
    ----------
    x, y : ndarray
        Points.
    noise : ndarray
        Standard deviation of each y up to a factor that is one for the group.
    least_noise : float
        Standard deviation under which no error of y is believed to be.
    """
    slope, level = _starting_lines(x, y, noise, groups, count)
    spread = _scales((y - level[groups] - slope[groups] * x) / noise, noise, least_noise, groups, count)
    for _ in range(ROUNDS):
        # A line through next to one point is steep without end, and has no weights.
        with np.errstate(invalid="ignore", over="ignore"):
            weights = np.nan_to_num(_bisquare((y - level[groups] - slope[groups] * x) / spread) / noise**2)
        slope, level = _lines(_sums(x, y, weights, groups, count))
    return weights


def weights_about_levels(values: Array, noise: Array, least_noise: float, groups: Numbers, count: int) -> Array:
    """The same for a level instead of a line; it starts at the weighted median, whose breakdown point is a half."""
    level = weighted_medians(values, 1 / noise, groups, count)
    spread = _scales((values - level[groups]) / noise, noise, least_noise, groups, count)
    for _ in range(ROUNDS):
        weights = np.nan_to_num(_bisquare((values - level[groups]) / spread) / noise**2)
        level = weighted_means(values, weights, groups, count)
    return weights


def weighted_means(values: Array, weights: Array, groups: Numbers, count: int) -> Array:
    """The weighted mean of each group; a value that is NaN has no weight, a group without weight gives NaN."""
    known = np.where(np.isfinite(values), weights, 0.0)
    with np.errstate(invalid="ignore"):
        return np.bincount(groups, known * np.nan_to_num(values), count) / np.bincount(groups, known, count)


def slopes(
    x: Array, y: Array, weights: Array, noise: Array, least_noise: float, groups: Numbers, count: int
) -> Estimates:
    """The slope of each group's weighted line.

    Its error is the greatest of three: what independent residuals make it; that of the jackknife over `BLOCKS` blocks
    of neighbouring points (Künsch 1989), as errors of neighbours are alike; and what errors of `least_noise` make it.
    Of fewer than `FEWEST_POINTS` points it is what errors of the size of the noise make it.
    """
    blocks = _block_sums(x, y, weights, groups, count)
    sums = blocks.sum(axis=-1)
    value, level = _lines(sums)
    left_out, _ = _lines(sums[..., None] - blocks)
    with np.errstate(invalid="ignore", divide="ignore"):
        lever = weights * (x - (sums[1] / sums[0])[groups])
        lever /= np.bincount(groups, lever * x, count)[groups]
    with np.errstate(invalid="ignore"):
        residual = y - level[groups] - value[groups] * x
    plain = _plain_errors(residual, lever, weights, noise, least_noise, groups, count, 2)
    error = np.fmax(plain, _jackknife(left_out, blocks[0]))
    return Estimates(value, np.where(np.isnan(value), np.nan, error))


def levels(values: Array, weights: Array, noise: Array, least_noise: float, groups: Numbers, count: int) -> Estimates:
    """The weighted mean of each group; its error as for `slopes`. A value that is NaN has no weight."""
    values = np.nan_to_num(values)
    blocks = _block_sums(np.zeros_like(values), values, weights, groups, count)
    weight, _, total, _, _ = blocks.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value, left_out = total / weight, (total[:, None] - blocks[2]) / (weight[:, None] - blocks[0])
        lever = weights / weight[groups]
    plain = _plain_errors(values - value[groups], lever, weights, noise, least_noise, groups, count, 1)
    error = np.fmax(plain, _jackknife(left_out, blocks[0]))
    return Estimates(value, np.where(np.isnan(value), np.nan, error))


def _scales(residual: Array, noise: Array, least_noise: float, groups: Numbers, count: int) -> Array:
    """Standard deviation of each point's error, from the median of its group's residuals over their noise."""
    scale = NORMAL * weighted_medians(np.abs(residual), np.ones(residual.size), groups, count)
    return np.maximum(scale[groups] * noise, least_noise)


def _bisquare(residual: Array) -> Array:
    return np.maximum(1 - (residual / BISQUARE) ** 2, 0.0) ** 2


def _starting_lines(x: Array, y: Array, noise: Array, groups: Numbers, count: int) -> tuple[Array, Array]:
    size = np.bincount(groups, minlength=count)
    low = np.arange(x.size)
    high = low + np.maximum(size // 2, 1)[groups]
    inside = high < x.size
    low, high = low[inside], high[inside]
    same = groups[low] == groups[high]
    low, high = low[same], high[same]
    apart = x[high] - x[low]
    slope = weighted_medians((y[high] - y[low]) / apart, apart / np.hypot(noise[low], noise[high]), groups[low], count)
    return slope, weighted_medians(y - slope[groups] * x, 1 / noise, groups, count)


def _sums(x: Array, y: Array, weights: Array, groups: Numbers, count: int) -> Array:
    """Sums of 1, x, y, x^2 and x y of each group, weighted: (5, count)."""
    columns = (np.ones_like(x), x, y, x * x, x * y)
    return np.array([np.bincount(groups, weights * column, count) for column in columns])


def _block_sums(x: Array, y: Array, weights: Array, groups: Numbers, count: int) -> Array:
    """The same of blocks of neighbours, as many points in each: (5, count, BLOCKS)."""
    size = np.bincount(groups, minlength=count)
    rank = np.arange(x.size) - (np.cumsum(size) - size)[groups]
    block = rank * np.minimum(size, BLOCKS)[groups] // np.maximum(size, 1)[groups]
    return _sums(x, y, weights, groups * BLOCKS + block, count * BLOCKS).reshape(5, count, BLOCKS)


def _lines(sums: Array) -> tuple[Array, Array]:
    """Slope and level at x = 0 of least squares from the sums."""
    weight, of_x, of_y, of_xx, of_xy = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (of_xy - of_x * of_y / weight) / (of_xx - of_x * of_x / weight)
        return slope, (of_y - slope * of_x) / weight


def _jackknife(left_out: Array, weight: Array) -> Array:
    """Standard errors from the estimates without each block, (count, BLOCKS); NaN where there are too few."""
    used = weight > 0
    blocks = used.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(used, left_out, 0).sum(axis=1) / blocks
        squares = np.where(used, left_out - mean[:, None], 0) ** 2
        return np.where(blocks < FEWEST_POINTS, np.nan, np.sqrt(squares.sum(axis=1) * (blocks - 1) / blocks))


def _plain_errors(
    residual: Array,
    lever: Array,
    weights: Array,
    noise: Array,
    least_noise: float,
    groups: Numbers,
    count: int,
    fitted: int,
) -> Array:
    """Standard errors if those of the points are independent; `lever` is each point's share in the estimate.

    No group is believed to be more exact, for its noise, than half of them are.
    """
    points = np.bincount(groups, weights > 0, count)
    by_noise, least = (np.bincount(groups, (lever * size) ** 2, count) for size in (noise, least_noise))
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.bincount(groups, weights * residual**2, count) / np.bincount(groups, weights * noise**2, count)
        scale = np.where(points < FEWEST_POINTS, np.nan, scale * points / (points - fitted))
    usual = np.median(scale[np.isfinite(scale)]) if np.isfinite(scale).any() else 1.0
    scale = np.where(points < FEWEST_POINTS, np.maximum(1.0, usual), np.fmax(scale, usual))
    return np.sqrt(np.maximum(scale * by_noise, least))
