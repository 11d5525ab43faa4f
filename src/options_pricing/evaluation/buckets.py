"""Results by bucket: how far out of the money, put or call, and how long to live.

A bucket is a place in the smile (``put 5-15``: a put whose delta lies between 5 and 15 hundredths) and a range of days
to expiry. A value on an edge belongs above it.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from options_pricing.evaluation.metrics import Array, figures_of
from options_pricing.models.columns import Table, numbers
from options_pricing.run.calendar import DAYS_A_YEAR

FIGURES_BY_BUCKET = (
    "iv_rmse_vol_points",
    "iv_bias_vol_points",
    "median_error_half_spreads",
    "inside_bid_ask",
    "r2_implied_vol_vs_random_walk",
)
SIZES = {0.0: "0-5", 0.05: "5-15", 0.15: "15-35", 0.35: "35-65", 0.65: "65-100"}
MATURITY = {0.0: "under 30 days", 30.0: "30-90 days", 90.0: "90-180 days", 180.0: "180 days and over"}
SIZE_EDGES, MATURITY_EDGES = np.array(list(SIZES)), np.array(list(MATURITY))
# From the far puts over the money to the far calls, as a smile is drawn; then what is in the money.
SMILE = [
    *(f"put {size}" for size in SIZES.values()),
    *(f"call {size}" for size in reversed(SIZES.values())),
]
BUCKET = ["delta_bucket", "maturity_bucket"]


def forward_delta(quotes: Table, vols: Array) -> Array:
    r"""Black's delta per unit of the forward: :math:`N(d_1)` for a call and :math:`N(d_1) - 1` for a put.

    Parameters
    ----------
    quotes : DataFrame
        ``strike``, ``forward``, ``year_fraction`` and ``option_type``.
    vols : ndarray of shape (quotes,)
        Decimal per year; NaN gives NaN.
    """
    strike, forward, years = (numbers(quotes, name) for name in ("strike", "forward", "year_fraction"))
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = vols * np.sqrt(years)
        d1 = np.log(forward / strike) / deviation + deviation / 2
    return np.asarray(ndtr(d1) - np.asarray(quotes["option_type"] == "P", dtype=float))


def with_buckets(quotes: pd.DataFrame, vols: Array) -> pd.DataFrame:
    """Rows with ``delta_bucket`` and ``maturity_bucket``, both ordered; null where the delta at `vols` is unknown."""
    place, maturity = bucket_codes(quotes, vols)
    return quotes.assign(
        delta_bucket=_ordered(place, SMILE), maturity_bucket=_ordered(maturity, list(MATURITY.values()))
    )


def bucket_codes(quotes: Table, vols: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The number of each row's place in `SMILE`, -1 where the delta at `vols` is unknown, and in `MATURITY`."""
    delta = forward_delta(quotes, vols)
    size = SIZE_EDGES.searchsorted(np.abs(delta), side="right") - 1
    maturity = MATURITY_EDGES.searchsorted(numbers(quotes, "year_fraction") * DAYS_A_YEAR, side="right") - 1
    place = np.where(np.asarray(quotes["option_type"] == "C", dtype=bool), len(SMILE) - 1 - size, size)
    return np.where(np.isfinite(delta), place, -1), maturity


def _ordered(codes: NDArray[np.intp], names: list[str]) -> pd.Categorical:
    return pd.Categorical(np.array([*names, None], dtype=object)[codes], categories=names, ordered=True)


def bucket_table(told: pd.DataFrame) -> pd.DataFrame:
    """The figures of one model in every bucket that has quotes.

    Parameters
    ----------
    told : DataFrame
        PREDICTIONS of one model under one protocol. The delta of a bucket is at the market's own vol, so that all
        models have the same quotes in it.

    Returns
    -------
    DataFrame
        ``delta_bucket``, ``maturity_bucket``, ``quotes`` and `FIGURES_BY_BUCKET`, along the smile.
    """
    placed = with_buckets(told, told["implied_vol"].to_numpy(dtype=float))
    rows = []
    for names, quotes in placed.groupby(BUCKET, observed=True):
        figures = figures_of(quotes)
        place = dict(zip(BUCKET, names, strict=True))
        rows.append({**place, "quotes": len(quotes), **{name: figures[name] for name in FIGURES_BY_BUCKET}})
    return pd.DataFrame(rows, columns=[*BUCKET, "quotes", *FIGURES_BY_BUCKET])


def nested(table: pd.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """A table by bucket as place in the smile -> maturity -> what the other columns say, null where they are NaN."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        place, maturity = (str(row.pop(name)) for name in BUCKET)
        values = {str(name): None if pd.isna(value) else value for name, value in row.items()}
        found.setdefault(place, {})[maturity] = values
    return found
