"""What a model card says of days that the model had not seen, found while it is trained."""

from typing import Any, NamedTuple

import pandas as pd

from options_pricing.evaluation.bootstrap import figures_with_intervals
from options_pricing.evaluation.intervals import calibrating_days, interval_report, next_half_widths
from options_pricing.evaluation.metrics import DaySums
from options_pricing.evaluation.protocols import NotPossibleError, Setting, next_day
from options_pricing.models.random_walk import RandomWalk
from options_pricing.run.params import Evaluate, Train
from options_pricing.run.threads import one_thread


class Unseen(NamedTuple):
    """PREDICTIONS of the days that the model had not seen, None where there are none, and what the card says of them.

    The card says ``protocol``, ``days``, ``quotes``, ``confidence``, ``figures`` (each as `figures_with_intervals`
    gives it) and ``price_intervals``: ``nominal``, the ``half_widths`` that `next_half_widths` finds for the day after
    the last with the ``days`` that they rest on, and the ``coverage`` of earlier intervals of the same making, on
    ``covered_days``; or ``protocol`` and ``not_possible``, which says why.
    """

    told: pd.DataFrame | None
    metrics: dict[str, Any]


def unseen_days(features: pd.DataFrame, train: Train) -> Unseen:
    """Each day of the window priced by ``train.model`` from the days before it: the protocol `next_day`.

    Parameters
    ----------
    features : DataFrame
        FEATURES of the days that the model is trained on.
    train : Train
        The section of the parameters.
    """
    judged = Evaluate()
    setting = Setting(train, judged.held_out, judged.seed, names=(RandomWalk.name, train.model))
    try:
        with one_thread():
            told = next_day(features, setting)
    except NotPossibleError as reason:
        return Unseen(None, {"protocol": "next_day", "not_possible": str(reason)})
    told = told[told["model"] == train.model]
    return Unseen(told, _metrics(told, judged))


def _metrics(told: pd.DataFrame, judged: Evaluate) -> dict[str, Any]:
    days = sorted(told["date"].unique().tolist())
    covered = interval_report(told)
    return {
        "protocol": "next_day",
        "days": days,
        "quotes": len(told),
        "confidence": judged.confidence,
        "figures": figures_with_intervals(DaySums.of(told, days), judged),
        "price_intervals": {
            "nominal": covered["nominal"],
            "days": calibrating_days(told),
            "half_widths": next_half_widths(told),
            "coverage": covered["coverage"],
            "covered_days": covered["days"],
            "covered_quotes": covered["quotes"],
        },
    }
