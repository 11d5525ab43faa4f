"""Carry out the protocols that are asked for, and sum up what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from options_pricing.evaluation.arbitrage import arbitrage_count
from options_pricing.evaluation.bootstrap import figures_with_intervals
from options_pricing.evaluation.buckets import bucket_table, nested
from options_pricing.evaluation.comparison import comparison
from options_pricing.evaluation.intervals import interval_report
from options_pricing.evaluation.metrics import DaySums, figures_of
from options_pricing.evaluation.protocols import PROTOCOLS, NotPossibleError, Setting
from options_pricing.models.base import day_names
from options_pricing.models.registry import MODELS
from options_pricing.quotes.schema import PREDICTIONS
from options_pricing.quotes.tables import conform
from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Evaluate
from options_pricing.run.threads import one_thread


@dataclass(frozen=True)
class Judged:
    """What the protocols gave: PREDICTIONS of all of them, and why others could not be carried out."""

    predictions: pd.DataFrame
    skipped: dict[str, str]

    def of(self, protocol: str, model: str) -> pd.DataFrame:
        """What counts: the predictions of quotes that the model had not seen."""
        told = self.all_of(protocol, model)
        return told[told["held_out"]]

    def all_of(self, protocol: str, model: str) -> pd.DataFrame:
        """All predictions, those of fitted quotes among them."""
        told = self.predictions
        return told[(told["protocol"] == protocol) & (told["model"] == model)]

    @property
    def protocols(self) -> list[str]:
        """Those that were carried out."""
        return [str(name) for name in self.predictions["protocol"].unique()]


def judge(features: pd.DataFrame, protocols: Sequence[str], setting: Setting) -> Judged:
    """Carry out protocols on days of features.

    Raises
    ------
    BadDataError
        None of them can be.
    """
    parts, skipped = [], {}
    for name in protocols:
        try:
            with one_thread():
                parts.append(PROTOCOLS[name](features, setting))
        except NotPossibleError as reason:
            skipped[name] = str(reason)
    if not parts:
        raise BadDataError(
            "the models cannot be evaluated on these days",
            why="; ".join(f"{name}: {reason}" for name, reason in skipped.items()),
            fix="give more days (run.days), or choose other evaluate.protocols",
        )
    return Judged(conform(pd.concat(parts, ignore_index=True), PREDICTIONS), skipped)


def evaluation_metrics(
    judged: Judged,
    features: pd.DataFrame,
    evaluate: Evaluate,
    *,
    chosen_model: str,
    simulated: bool,
    model_sha256: str | None = None,
    hedging: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """``evaluation_metrics.json``: per protocol and model each figure with its interval, and by underlying.

    The figures are those of `DaySums`; null where one cannot be computed. Of the chosen model there are also the
    figures by bucket, what its price intervals covered and, as `hedge_report` gives it, what its delta left over, and
    the SHA-256 of its file: the evaluation is of how that very model was made.
    """
    # The order in which threads add up would show in the last digits.
    with one_thread():
        found = {name: _protocol(judged, name, evaluate, chosen_model) for name in judged.protocols}
    return {
        "simulated": simulated,
        "chosen_model": chosen_model,
        "model_sha256": model_sha256,
        "days": sorted(day_names(features).unique().tolist()),
        "underlyings": sorted(features["underlying"].unique().tolist()),
        "confidence": evaluate.confidence,
        "protocols": found,
        "hedging": hedging,
        "skipped": judged.skipped,
    }


def _protocol(judged: Judged, name: str, evaluate: Evaluate, chosen_model: str) -> dict[str, Any]:
    everything = {model: judged.all_of(name, model) for model in MODELS}
    told = {model: rows[rows["held_out"]] for model, rows in everything.items()}
    asked = told[next(iter(MODELS))]
    days = sorted(asked["date"].unique().tolist())
    return {
        "days": days,
        "quotes": len(asked),
        "models": {model: figures_with_intervals(DaySums.of(rows, days), evaluate) for model, rows in told.items()},
        "by_underlying": {
            underlying: {model: figures_of(rows[rows["underlying"] == underlying]) for model, rows in told.items()}
            for underlying in sorted(asked["underlying"].unique().tolist())
        },
        "by_bucket": nested(bucket_table(told[chosen_model])),
        "comparison": comparison(told, evaluate),
        "intervals": interval_report(told[chosen_model]),
        "arbitrage": {model: arbitrage_count(rows) for model, rows in everything.items()},
    }
