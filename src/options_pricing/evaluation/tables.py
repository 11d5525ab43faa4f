"""What the plots are drawn from: R2 day by day, and where a model errs."""

from typing import get_args

import numpy as np
import pandas as pd

from options_pricing.evaluation.evaluate import Judged
from options_pricing.evaluation.metrics import figures_of
from options_pricing.models.registry import MODELS
from options_pricing.run.calendar import DAYS_A_YEAR
from options_pricing.run.params import ProtocolName

DAY_FIGURES = ["r2_implied_vol_vs_random_walk", "r2_price"]
BUCKET_FIGURES = ["iv_rmse_vol_points", "median_error_half_spreads"]
# Edges of strike / forward and of days to expiry; a quote on an edge belongs above it.
MONEYNESS = {
    0.0: "below 0.80",
    0.8: "0.80-0.90",
    0.9: "0.90-0.97",
    0.97: "0.97-1.03",
    1.03: "1.03-1.10",
    1.1: "1.10 and above",
}
MATURITY = {0.0: "under 30 days", 30.0: "30-90 days", 90.0: "90-180 days", 180.0: "180 days and over"}


def main_protocol(judged: Judged) -> str:
    """The protocol that the plots are about: the next day where it was carried out."""
    return next(name for name in get_args(ProtocolName) if name in judged.protocols)


def r2_by_day(judged: Judged, model: str) -> pd.DataFrame:
    """The two R2 of one model on each day of the main protocol."""
    told = judged.of(main_protocol(judged), model)
    rows = [{"date": day, **_some(rows, DAY_FIGURES)} for day, rows in told.groupby("date")]
    return pd.DataFrame(rows, columns=["date", *DAY_FIGURES])


def error_by_bucket(judged: Judged) -> pd.DataFrame:
    """Errors of every model by moneyness (strike over forward) and days to expiry, under the main protocol."""
    name = main_protocol(judged)
    found = []
    for model in MODELS:
        told = judged.of(name, model)
        moneyness = _bucket(told["strike"] / told["forward"], MONEYNESS)
        maturity = _bucket(told["year_fraction"] * DAYS_A_YEAR, MATURITY)
        for (m, t), rows in told.groupby([moneyness, maturity], observed=True):
            place = {"model": model, "moneyness_bucket": m, "maturity_bucket": t, "quotes": len(rows)}
            found.append({**place, **_some(rows, BUCKET_FIGURES)})
    return pd.DataFrame(found)


def _bucket(values: pd.Series, edges: dict[float, str]) -> pd.Series:
    labels = pd.CategoricalDtype(list(edges.values()), ordered=True)
    return pd.cut(values, [*edges, np.inf], right=False, labels=labels.categories.tolist()).astype(labels)


def _some(rows: pd.DataFrame, figures: list[str]) -> dict[str, float | None]:
    found = figures_of(rows)
    return {name: found[name] for name in figures}
