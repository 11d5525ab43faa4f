"""What the plots are drawn from: R2 day by day, and where a model errs."""

from typing import get_args

import pandas as pd

from options_pricing.evaluation.buckets import bucket_table
from options_pricing.evaluation.evaluate import Judged
from options_pricing.evaluation.metrics import figures_of
from options_pricing.models.registry import MODELS
from options_pricing.run.params import ProtocolName

DAY_FIGURES = ["r2_implied_vol_vs_random_walk", "r2_price"]


def main_protocol(judged: Judged) -> str:
    """The protocol that the plots are about: the next day where it was carried out."""
    return next(name for name in get_args(ProtocolName) if name in judged.protocols)


def r2_by_day(judged: Judged, model: str) -> pd.DataFrame:
    """The two R2 of one model on each day of the main protocol."""
    told = judged.of(main_protocol(judged), model)
    rows = [{"date": day, **_some(rows, DAY_FIGURES)} for day, rows in told.groupby("date")]
    return pd.DataFrame(rows, columns=["date", *DAY_FIGURES])


def error_by_bucket(judged: Judged) -> pd.DataFrame:
    """Errors of every model by delta, side and days to expiry, under the main protocol."""
    name = main_protocol(judged)
    parts = [bucket_table(judged.of(name, model)).assign(model=model) for model in MODELS]
    return pd.concat(parts, ignore_index=True)


def _some(rows: pd.DataFrame, figures: list[str]) -> dict[str, float | None]:
    found = figures_of(rows)
    return {name: found[name] for name in figures}
