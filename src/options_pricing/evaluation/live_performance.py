"""How a released model does on a new day: it prices the day's quotes before anything is learnt from them.

It is told of the day what the protocol `next_day` tells: the options' terms and the day's own forwards. Two surfaces
stand beside it. Yesterday's, the random walk, is the benchmark of every evaluation and is renewed each day; that of
the release's own last day is as old as the release. A release that falls behind the first and not behind the second
is old; one that falls behind both is bad.
"""

from typing import Any

import numpy as np
import pandas as pd

from options_pricing.evaluation.buckets import BUCKET, bucket_table, nested, with_buckets
from options_pricing.evaluation.intervals import served_intervals
from options_pricing.evaluation.metrics import figures_of, finite_or_none
from options_pricing.evaluation.protocols import predictions_of
from options_pricing.models.base import QUOTED, Array, asked, eligible_quotes
from options_pricing.models.bundle import PricingModel
from options_pricing.models.random_walk import RandomWalk
from options_pricing.run.params import Train
from options_pricing.run.threads import one_thread

PROTOCOL = "live"
AGAINST_RANDOM_WALK = "r2_implied_vol_vs_random_walk"
# What was not known when the release was made, as told by the two surfaces.
QUALITY, AGE = "r2_implied_vol_vs_own_last_day", "r2_own_last_day_vs_random_walk"
PRICED = "share_priced"


def live_predictions(release: PricingModel, today: pd.DataFrame, yesterday: pd.DataFrame) -> pd.DataFrame:
    """Price the quotes of a day with a released model.

    Parameters
    ----------
    release : PricingModel
        Of a day before today.
    today, yesterday : DataFrame
        FEATURES of one day each.

    Returns
    -------
    DataFrame
        PREDICTIONS of the quotes that are eligible under the release's own params, `random_walk_implied_vol` being of
        yesterday's surface; besides ``own_last_day_implied_vol``, of the surface of the release's last day, and
        ``known_residual``, the log of yesterday's market vol over the release's vol at the same place, both
        interpolated: what today's residual would be if nothing had happened since. It is 0 on the day after the
        release's last, when nothing but that day is known.
    """
    train = Train.model_validate(release.train)
    quotes, before = (eligible_quotes(day, *release.model.days_to_expiry)[list(QUOTED)] for day in (today, yesterday))
    with one_thread():
        told = release.model.predict_with_prices(asked(quotes))
        random_walk = _surface_vols(before, quotes, train)
        own = _surface_vols(release.quotes(), quotes, train)
        fresh = before.empty or f"{before['trade_date'].max():%Y%m%d}" <= release.as_of
        known = np.zeros(len(quotes)) if fresh else _known_residual(release, before, quotes, random_walk, train)
    made = predictions_of(PROTOCOL, train.model, quotes, told, random_walk)
    return made.assign(own_last_day_implied_vol=own, known_residual=known)


def _surface_vols(known: pd.DataFrame, quotes: pd.DataFrame, train: Train) -> Array:
    if known.empty or quotes.empty:
        return np.full(len(quotes), np.nan)
    return RandomWalk(train).fit(known).predict(asked(quotes))


def _known_residual(
    release: PricingModel, before: pd.DataFrame, quotes: pd.DataFrame, random_walk: Array, train: Train
) -> Array:
    said = before.assign(implied_vol=release.model.predict(asked(before)))
    return np.asarray(np.log(random_walk / _surface_vols(said[said["implied_vol"].notna()], quotes, train)))


def live_figures(told: pd.DataFrame, card: dict[str, Any]) -> dict[str, Any]:
    """What is said of a day's `live_predictions`.

    Parameters
    ----------
    told : DataFrame
        As `live_predictions` gives it.
    card : dict
        The release's model card, for the half-widths of its price intervals.

    Returns
    -------
    dict
        ``quotes``; ``figures``, as in every evaluation with ``share_priced`` for ``coverage``, and with the R2 of
        implied vol against the surface of the release's own last day (the quality of the model, age aside) and that of
        this surface against yesterday's (what age costs a model that says nothing new); ``intervals`` (None where the
        card has none) and ``by_bucket``. The two put quotes into buckets by other vols: intervals by the model's, as
        they are served, errors by the market's.
    """
    own = told["own_last_day_implied_vol"]
    figures = figures_of(told)
    figures[QUALITY] = figures_of(told.assign(random_walk_implied_vol=own))[AGAINST_RANDOM_WALK]
    figures[AGE] = figures_of(told.assign(predicted_implied_vol=own))[AGAINST_RANDOM_WALK]
    # How often intervals hold the market is called coverage in the same record.
    figures[PRICED] = figures.pop("coverage")
    return {
        "quotes": len(told),
        "figures": figures,
        "intervals": _coverage(told, card.get("out_of_sample", {}).get("price_intervals") or {}),
        "by_bucket": nested(bucket_table(told)),
    }


def _coverage(told: pd.DataFrame, calibrated: dict[str, Any]) -> dict[str, Any] | None:
    """How often the intervals that were served with the prices hold the market, by bucket of the predicted vol."""
    if not calibrated.get("half_widths"):
        return None
    rows = with_buckets(told, told["predicted_implied_vol"].to_numpy(dtype=float))
    ends = served_intervals(told, calibrated["half_widths"])
    known = np.isfinite(ends["vol_low"]) & np.isfinite(told["implied_vol"])
    inside = told["implied_vol"].between(ends["vol_low"], ends["vol_high"])
    rows = rows.assign(inside=inside)[known]
    table = rows.groupby(BUCKET, observed=True)["inside"].agg(quotes="size", coverage="mean").reset_index()
    return {
        "nominal": calibrated["nominal"],
        "quotes": len(rows),
        "coverage": finite_or_none(rows["inside"].mean()) if len(rows) else None,
        "by_bucket": nested(table),
    }
