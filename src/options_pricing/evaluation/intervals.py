r"""Price intervals that have been right as often as they claim: conformal prediction, calibrated by whole days.

The score of a quote is the model's relative error of vol, :math:`|\sigma - \hat\sigma| / \hat\sigma`, and its interval
is :math:`\hat\sigma (1 \pm q)`, from vols to prices by Black's formula. Quotes of one day err together, so that a
day is what calibrates: every earlier day weighs the same, however many quotes it has (Dunn, Wasserman and Ramdas 2023),
each bucket of delta and maturity has its own :math:`q` (Vovk 2012), and two corrections keep the coverage honest:

- with few days, a quantile of the pooled scores covers too little of a new day. The level is raised until each
  earlier day, calibrated by the others, is covered as often as claimed;
- with many, the level of a bucket then moves by what its coverage was short of the claim (Gibbs and Candes 2021).

Nothing of a day is used before its own intervals are made.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.evaluation.buckets import BUCKET, MATURITY, SMILE, bucket_codes, nested, with_buckets
from options_pricing.evaluation.metrics import SMALLEST_HALF_SPREAD, VOL_POINTS, Array, finite_or_none
from options_pricing.models.columns import Table, numbers
from options_pricing.pricing.black import black_price

NOMINAL = 0.9
FEWEST_DAYS_TO_CALIBRATE = 3
FEWEST_SCORES = 30
MOST_DAYS = 50
STEP = 0.05
LAST_DIGITS = 1e-9
# Scores are counted in steps of 1.5 %, so that a quantile is at most that much too wide.
THRESHOLDS = np.geomspace(1e-4, 3.0, 700)
LEVELS = np.concatenate([np.arange(0.80, 0.99, 0.01), [0.99, 0.995, 0.999, 1.0]])


# Every bucket of delta and maturity, and after them all quotes together.
TOGETHER = len(SMILE) * len(MATURITY)


class Calibration:
    """What the days so far have taught about the size of scores."""

    def __init__(self) -> None:
        self._shares: list[Array] = []
        self._counts: list[Array] = []
        self._offsets = np.zeros(TOGETHER + 1)

    @property
    def days(self) -> int:
        """How many days calibrate."""
        return len(self._counts)

    def half_widths(self) -> Array:
        """The relative half-width :math:`q` of each bucket on the next day; that of all quotes where too few tell."""
        shares, counts = np.stack(self._shares), np.stack(self._counts)
        levels = np.clip(honest_level(shares, counts) + self._offsets, 0.0, 1.0)
        found = THRESHOLDS[_places_at(_mean_over_days(shares, counts), levels[:, None])[:, 0]]
        return np.where(_well_known(counts), found, found[TOGETHER])

    def correct(self, bucket: NDArray[np.intp], inside: NDArray[np.bool_]) -> None:
        """Move the level of each bucket by what the intervals of a day covered too little or too much."""
        counts, hits = _with_total(bucket), _with_total(bucket, inside.astype(float))
        there = counts > 0
        self._offsets[there] += STEP * (NOMINAL - hits[there] / counts[there])

    def learn(self, bucket: NDArray[np.intp], scores: Array) -> None:
        """Add a day: the bucket and the score of each of its quotes."""
        place = np.searchsorted(THRESHOLDS[:-1], scores)
        each = np.bincount(bucket * len(THRESHOLDS) + place, minlength=TOGETHER * len(THRESHOLDS))
        each = each.reshape(TOGETHER, len(THRESHOLDS))
        upto = np.cumsum(np.vstack([each, each.sum(axis=0)]), axis=1).astype(float)
        counts = upto[:, -1]
        self._shares = [*self._shares, upto / np.maximum(counts, 1.0)[:, None]][-MOST_DAYS:]
        self._counts = [*self._counts, counts][-MOST_DAYS:]


def honest_level(shares: Array, counts: Array) -> float:
    """The least level at which days calibrated by the other days are covered as often as is claimed, on average.

    Parameters
    ----------
    shares : ndarray of shape (days, buckets, thresholds)
        Of each day and bucket the share of scores up to each threshold.
    counts : ndarray of shape (days, buckets)
        How many scores there are; the last bucket is all together, which stands for buckets with too few scores.

    Returns
    -------
    float
        One of `LEVELS`; the last of them, which takes in every score seen, where none is enough.
    """
    total, there, enough = shares.sum(axis=0), (counts > 0).sum(axis=0), _well_known(counts)
    covered = np.zeros((len(shares), len(LEVELS)))
    for day, own in enumerate(shares):
        told = np.flatnonzero(counts[day, :-1])
        others = there - (counts[day] > 0)
        source = np.where(enough[told] & (others[told] > 0), told, TOGETHER)
        used, which = np.unique(source, return_inverse=True)
        places = _places_at((total[used] - own[used]) / np.maximum(others[used], 1)[:, None], LEVELS)
        reached = np.take_along_axis(own[told], places[which], axis=1)
        covered[day] = counts[day, told] @ reached / max(1.0, counts[day, told].sum())
    honest = covered.mean(axis=0) >= NOMINAL
    return float(LEVELS[honest.argmax()] if honest.any() else LEVELS[-1])


def _well_known(counts: Array) -> NDArray[np.bool_]:
    """Buckets with days and scores enough for a width of their own."""
    return ((counts > 0).sum(axis=0) >= FEWEST_DAYS_TO_CALIBRATE) & (counts.sum(axis=0) >= FEWEST_SCORES)


def _mean_over_days(shares: Array, counts: Array) -> Array:
    return np.asarray(shares.sum(axis=0) / np.maximum((counts > 0).sum(axis=0), 1)[:, None])


def _places_at(shares: Array, levels: Array) -> NDArray[np.intp]:
    """In each row the place of the first threshold whose share reaches each level, up to the last digits."""
    rows, width = 2.0 * np.arange(len(shares))[:, None], shares.shape[1]
    # One search through all rows, each lifted above the one before it.
    found = np.searchsorted((shares + rows).ravel(), levels - LAST_DIGITS + rows)
    return np.clip(found - np.arange(len(shares))[:, None] * width, 0, width - 1)


def _with_total(bucket: NDArray[np.intp], weights: Array | None = None) -> Array:
    each = np.bincount(bucket, weights=weights, minlength=TOGETHER)
    return np.append(each, each.sum()).astype(float)


def calibrated(told: pd.DataFrame) -> pd.DataFrame:
    """The quotes of one model that have an interval, with it; days in order, each calibrated by those before.

    Parameters
    ----------
    told : DataFrame
        PREDICTIONS of one model under one protocol.

    Returns
    -------
    DataFrame
        Those rows that have both vols, of days after the third, with their buckets (at the predicted vol, which is
        all that is known beforehand), ``inside``, ``vol_low``, ``vol_high``, ``price_low`` and ``price_high``.
    """
    rows = _scored(told)
    parts = [_with_interval(day, half_width) for day, half_width in _by_day(rows, Calibration())]
    return pd.concat(parts) if parts else _with_interval(rows.iloc[:0], np.empty(0))


def _by_day(rows: pd.DataFrame, calibration: Calibration) -> Iterator[tuple[pd.DataFrame, Array]]:
    """Each day that has intervals with the half-widths of its rows; all days are learnt on the way."""
    for _, day in rows.groupby("date"):
        bucket, scores = _buckets(day), day["score"].to_numpy(dtype=float)
        if calibration.days >= FEWEST_DAYS_TO_CALIBRATE:
            half_width = calibration.half_widths()[bucket]
            yield day, half_width
            calibration.correct(bucket, scores <= half_width)
        calibration.learn(bucket, scores)


def _scored(told: pd.DataFrame) -> pd.DataFrame:
    """The rows that have both vols, with their buckets and scores."""
    vols = told["predicted_implied_vol"].to_numpy(dtype=float)
    rows = with_buckets(told, vols).assign(score=np.abs(told["implied_vol"] / vols - 1))
    return rows[np.isfinite(rows["score"]) & rows["delta_bucket"].notna()]


def _buckets(rows: pd.DataFrame) -> NDArray[np.intp]:
    """The place of each row's bucket among all of them; that of all together where the delta is unknown."""
    smile, maturity = (rows[name].cat.codes.to_numpy(np.intp) for name in BUCKET)
    return _bucket(smile, maturity)


def _bucket(smile: NDArray[Any], maturity: NDArray[Any]) -> NDArray[np.intp]:
    return np.where(smile >= 0, smile * len(MATURITY) + maturity, TOGETHER)


def next_half_widths(told: pd.DataFrame) -> dict[str, dict[str, float]] | None:
    """The relative half-widths of vol for the day after the last: place in the smile -> maturity -> width.

    Parameters
    ----------
    told : DataFrame
        As for `calibrated`.

    Returns
    -------
    dict or None
        None where fewer than three days can calibrate. A bucket with too few scores has the width of all together.
    """
    calibration = Calibration()
    for _ in _by_day(_scored(told), calibration):
        pass
    if calibration.days < FEWEST_DAYS_TO_CALIBRATE:
        return None
    table = calibration.half_widths()[:TOGETHER].reshape(len(SMILE), len(MATURITY)).tolist()
    return {place: dict(zip(MATURITY.values(), row, strict=True)) for place, row in zip(SMILE, table, strict=True)}


def calibrating_days(told: pd.DataFrame) -> int:
    """How many days the widths of `next_half_widths` rest on: the last 50 at most."""
    return min(MOST_DAYS, int(_scored(told)["date"].nunique()))


def served_intervals(quotes: pd.DataFrame, half_widths: dict[str, dict[str, float]]) -> pd.DataFrame:
    """`interval_ends` as a table on the index of `quotes`."""
    return pd.DataFrame(interval_ends(quotes, half_widths), index=quotes.index)


def interval_ends(quotes: Table, half_widths: dict[str, dict[str, float]]) -> dict[str, Array]:
    """The interval that each priced option has on the next day, its forward being what it is now.

    Parameters
    ----------
    quotes : DataFrame or Columns
        ``strike``, ``forward``, ``year_fraction``, ``discount_factor``, ``option_type``, ``predicted_implied_vol`` and
        ``predicted_price``.
    half_widths : dict
        As `next_half_widths` gives it.

    Returns
    -------
    dict of ndarray
        ``vol_low``, ``vol_high``, ``price_low`` and ``price_high`` of each row; NaN without a vol.
    """
    vols = numbers(quotes, "predicted_implied_vol")
    widths = [half_widths[place][time] for place in SMILE for time in MATURITY.values()]
    return _ends(quotes, np.array([*widths, np.nan])[_bucket(*bucket_codes(quotes, vols))])


def _with_interval(day: pd.DataFrame, half_width: Array) -> pd.DataFrame:
    inside = day["score"].to_numpy(dtype=float) <= half_width
    return day.assign(inside=inside, **_ends(day, half_width))


def _ends(rows: Table, half_width: Array) -> dict[str, Array]:
    """Vols and prices at both ends; what early exercise is worth at the predicted vol is left as it is."""
    vol, price = (numbers(rows, name) for name in ("predicted_implied_vol", "predicted_price"))
    forward, strike, years, discount = (
        numbers(rows, name) for name in ("forward", "strike", "year_fraction", "discount_factor")
    )
    call = np.asarray(rows["option_type"] == "C", dtype=bool)
    low, high = vol * np.maximum(1 - half_width, 0.0), vol * (1 + half_width)
    middle, least, most = black_price(forward, strike, years, discount, np.stack([vol, low, high]), call)
    return {
        "vol_low": low,
        "vol_high": high,
        "price_low": price + least - middle,
        "price_high": price + most - middle,
    }


def interval_report(told: pd.DataFrame) -> dict[str, Any]:
    """How often the intervals of one model held the market's vol, and how wide they were.

    Parameters
    ----------
    told : DataFrame
        As for `calibrated`.

    Returns
    -------
    dict
        ``nominal``, ``days`` that had intervals, ``quotes``; ``coverage``, the least covered day's
        ``lowest_day_coverage``, ``mean_width_vol_points``, ``mean_width_half_spreads`` and
        ``median_width_half_spreads``; ``by_bucket`` with the quotes, coverage and mean widths of each. Null where no
        day has three before it.
    """
    rows = calibrated(told)
    by_day = rows.groupby("date")["inside"].mean()
    table = [
        {**dict(zip(BUCKET, names, strict=True)), "quotes": len(quotes), **_widths(quotes)}
        for names, quotes in rows.groupby(BUCKET, observed=True)
    ]
    return {
        "nominal": NOMINAL,
        "days": len(by_day),
        "quotes": len(rows),
        **_widths(rows),
        "lowest_day_coverage": finite_or_none(by_day.min()),
        "median_width_half_spreads": finite_or_none(_in_half_spreads(rows).median()),
        "by_bucket": nested(pd.DataFrame(table, columns=[*BUCKET, "quotes", *_widths(rows)])),
    }


def _widths(rows: pd.DataFrame) -> dict[str, float | None]:
    return {
        "coverage": finite_or_none(rows["inside"].mean()) if len(rows) else None,
        "mean_width_vol_points": finite_or_none(VOL_POINTS * (rows["vol_high"] - rows["vol_low"]).mean()),
        "mean_width_half_spreads": finite_or_none(_in_half_spreads(rows).mean()),
    }


def _in_half_spreads(rows: pd.DataFrame) -> pd.Series:
    half_spread = ((rows["ask"] - rows["bid"]) / 2).clip(lower=SMALLEST_HALF_SPREAD)
    return (rows["price_high"] - rows["price_low"]) / half_spread
