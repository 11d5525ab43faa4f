"""Whether one model is better than another, or only was on these days: tests on the losses of whole days.

The loss of a model on a day is its mean squared error of implied vol, in vol points, over the quotes that every
model compared has a vol for. Quotes of a day err together, so that a day is one observation.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr

from options_pricing.evaluation.bootstrap import resampled_days
from options_pricing.evaluation.metrics import VOL_POINTS, Array, finite_or_none
from options_pricing.run.params import Evaluate

FEWEST_DAYS_TO_TEST = 5
NEARLY_ALL = 0.99
LAST_DIGITS = 1e-13
COMPARED = ("loss_difference", "dm_statistic", "dm_p_value", "mcs_p_value", "in_confidence_set")


class DieboldMariano(NamedTuple):
    """The mean loss difference, its statistic, and the two-sided p-value; NaN where there is none."""

    difference: float
    statistic: float
    p_value: float


def newey_west_lags(days: int) -> int:
    """Lags that a series of `days` asks for: ``floor(4 (days / 100)^(2/9))`` (Newey and West 1994)."""
    return int(4 * (days / 100) ** (2 / 9)) if days else 0


def newey_west_variance(values: Array, lags: int) -> float:
    """Long-run variance of a series: Bartlett weights on the autocovariances up to `lags` (Newey and West 1987)."""
    centred = values - values.mean()
    weights = 1 - np.arange(1, lags + 1) / (lags + 1)
    covariances = [centred[lag:] @ centred[:-lag] for lag in range(1, lags + 1)]
    return float((centred @ centred + 2 * weights @ np.array(covariances)) / len(values))


def diebold_mariano(differences: Array, lags: int | None = None) -> DieboldMariano:
    """Test that the mean of daily loss differences is 0 (Diebold and Mariano 1995).

    ``mean / sqrt(long-run variance / n)``, times the small-sample factor
    ``sqrt((n + 1 - 2 h + h (h - 1) / n) / n)`` for ``h = lags + 1`` and held against Student's t with ``n - 1``
    degrees of freedom, both of Harvey, Leybourne and Newbold (1997).

    Parameters
    ----------
    differences : ndarray of shape (days,)
        Loss of one model less that of the other; below 0 the first is better.
    lags : int, optional
        Of the Newey-West variance; those of `newey_west_lags` where none are given.

    Returns
    -------
    DieboldMariano
        The mean alone where there are fewer than five days or no variation.
    """
    days = len(differences)
    if not days:
        return DieboldMariano(np.nan, np.nan, np.nan)
    mean = float(differences.mean())
    lags = newey_west_lags(days) if lags is None else lags
    if days < max(FEWEST_DAYS_TO_TEST, lags + 2):
        return DieboldMariano(mean, np.nan, np.nan)
    variance = newey_west_variance(differences, lags)
    if not variance > (LAST_DIGITS * np.abs(differences).max()) ** 2:
        return DieboldMariano(mean, np.nan, np.nan)
    ahead = lags + 1
    factor = np.sqrt((days + 1 - 2 * ahead + ahead * (ahead - 1) / days) / days)
    statistic = float(factor * mean / np.sqrt(variance / days))
    return DieboldMariano(mean, statistic, float(2 * stdtr(days - 1, -abs(statistic))))


def confidence_set_p_values(losses: Array, times: Array) -> Array:
    """P-values of the model confidence set with the statistic Tmax (Hansen, Lunde and Nason 2011).

    Of the models still in the set, each one's mean loss less that of all is divided by its bootstrap deviation; the
    set's p-value is the share of samples whose largest recentred statistic is above the largest found; then the
    worst model leaves. A model's p-value is the largest of the sets up to the one that it left from; that of the
    last one is 1. Models with p-values above 5 % are, with 95 % confidence, a set that holds the best.

    Parameters
    ----------
    losses : ndarray of shape (days, models)
    times : ndarray of shape (samples, days)
        How often each day is drawn (`resampled_days`).

    Returns
    -------
    ndarray of shape (models,)
    """
    means = losses.mean(axis=0)
    drawn = times @ (losses - means) / len(losses)
    p_values, included, reached = np.ones(losses.shape[1]), np.arange(losses.shape[1]), 0.0
    while len(included) > 1:
        errors = drawn[:, included] - drawn[:, included].mean(axis=1, keepdims=True)
        deviations = np.sqrt((errors**2).mean(axis=0))
        found = _standardised(means[included] - means[included].mean(), deviations)
        largest = _standardised(errors, deviations).max(axis=1)
        worst = found == found.max()
        if worst.all():  # Models that lose alike on every day: nothing tells them apart.
            break
        reached = max(reached, float((found.max() < largest).mean()))
        p_values[included[worst]] = reached
        included = included[~worst]
    return p_values


def _standardised(values: Array, deviations: Array) -> Array:
    """Values over deviations; 0 where neither differs from 0 by more than the last digits."""
    known = deviations > LAST_DIGITS * max(1.0, float(np.abs(values).max()))
    return np.divide(values, deviations, out=np.zeros_like(values), where=np.broadcast_to(known, values.shape))


class DailyLosses(NamedTuple):
    """The models that can be compared, their losses of shape (days, models), and the benchmark's, of shape (days,)."""

    models: list[str]
    losses: Array
    benchmark: Array


def daily_losses(told: Mapping[str, pd.DataFrame]) -> DailyLosses:
    """The loss of each model on each day, over the quotes that all of them and the benchmark have a vol for.

    The benchmark is the protocol's own: yesterday's surface. Where a protocol has none, its losses are NaN. A model
    without a vol for nearly all quotes that the benchmark has one for is not compared, as it would leave the rest
    little to share; days without a quote in common are left out.

    Parameters
    ----------
    told : mapping of str to DataFrame
        PREDICTIONS of each model about the same quotes in the same order.
    """
    quotes = next(iter(told.values()))
    benchmark = _vol_errors(quotes, "random_walk_implied_vol")
    known = np.isfinite(benchmark) | ~np.isfinite(benchmark).any()
    errors = {m: _vol_errors(rows, "predicted_implied_vol") for m, rows in told.items() if len(rows) == len(quotes)}
    enough = NEARLY_ALL * (known & quotes["implied_vol"].notna().to_numpy()).sum()
    models = [model for model, error in errors.items() if np.isfinite(error[known]).sum() >= max(1.0, enough)]
    common = np.logical_and.reduce([known, *(np.isfinite(errors[model]) for model in models)])
    squares = np.column_stack([errors[model] for model in models] + [benchmark])[common] ** 2
    by_day = pd.DataFrame(squares).groupby(quotes["date"].to_numpy()[common]).mean().to_numpy(dtype=float)
    return DailyLosses(models, by_day[:, :-1], by_day[:, -1])


def _vol_errors(rows: pd.DataFrame, vol: str) -> Array:
    return np.asarray(VOL_POINTS * (rows[vol].to_numpy(dtype=float) - rows["implied_vol"].to_numpy(dtype=float)))


def comparison(told: Mapping[str, pd.DataFrame], evaluate: Evaluate) -> dict[str, Any]:
    """The ladder's tests: each model against yesterday's surface (Diebold-Mariano), and the model confidence set.

    Parameters
    ----------
    told : mapping of str to DataFrame
        As for `daily_losses`.
    evaluate : Evaluate
        Samples, seed and confidence.

    Returns
    -------
    dict
        ``days``, ``lags`` and, for every model, ``loss_difference`` (squared vol points, below 0 is better than
        yesterday's surface), ``dm_statistic``, ``dm_p_value``, ``mcs_p_value`` and ``in_confidence_set``; null where
        there are fewer than five days, or nothing to compare.
    """
    models, losses, benchmark = daily_losses(told)
    days = len(losses) if models else 0
    lags = newey_west_lags(days)
    found: dict[str, dict[str, float | bool | None]] = {model: dict.fromkeys(COMPARED) for model in told}
    for model, column in zip(models, losses.T, strict=True):
        tested = diebold_mariano(column - benchmark, lags)
        found[model].update(zip(COMPARED, map(finite_or_none, tested), strict=False))
    if len(models) > 1 and days >= FEWEST_DAYS_TO_TEST:
        times = resampled_days(days, evaluate.bootstrap, evaluate.seed, block=lags + 1)
        for model, p_value in zip(models, confidence_set_p_values(losses, times), strict=True):
            found[model]["mcs_p_value"] = float(p_value)
            found[model]["in_confidence_set"] = bool(p_value > 1 - evaluate.confidence)
    return {"days": days, "lags": lags, "models": found}
