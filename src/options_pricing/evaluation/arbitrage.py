"""How often a model's own prices of one expiration contradict each other."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.evaluation.metrics import Array
from options_pricing.pricing.black import black_price

TOLERANCE = 1e-9
CHECKED = ("vertical", "vertical_checked", "butterfly", "butterfly_checked")


def arbitrage_count(told: pd.DataFrame) -> dict[str, int]:
    r"""Violations among the prices of one model, the quotes that it was fitted on and those held out together.

    Over the strikes of each expiration, with the call prices :math:`c` over discount factor and forward, strikes
    :math:`k` over the forward, and :math:`c(0) = 1`:

    - vertical: :math:`0 \le c(k_1) - c(k_2) \le k_2 - k_1` of neighbouring strikes;
    - butterfly: :math:`c(k_2)` is not above the chord of its neighbours.

    The prices are Black's at the model's vols, which are its own prices where exercise is European: early exercise
    has no such bounds.

    Parameters
    ----------
    told : DataFrame
        PREDICTIONS of one model under one protocol.

    Returns
    -------
    dict
        How many violations there are by more than 1e-9 of the forward's value, and how many neighbours were checked.
    """
    found = dict.fromkeys(CHECKED, 0)
    rows = told[np.isfinite(told["predicted_implied_vol"]) & np.isfinite(told["forward"])]
    root = rows["contract_symbol"].str[:-15]
    for _, one in rows.groupby(["date", "underlying", root, "expiration"]):
        strikes, calls = _normalised_calls(one)
        for name, violated in zip(CHECKED[::2], _violations(strikes, calls), strict=True):
            found[name] += int(violated.sum())
            found[f"{name}_checked"] += len(violated)
    return found


def _normalised_calls(rows: pd.DataFrame) -> tuple[Array, Array]:
    """Strikes over the forward, each once and ascending from 0, and what calls on them cost in units of ``D F``."""
    order = np.argsort(rows["strike"].to_numpy(dtype=float), kind="stable")
    forward, strike, years, vol = (
        rows[name].to_numpy(dtype=float)[order]
        for name in ("forward", "strike", "year_fraction", "predicted_implied_vol")
    )
    k, first = np.unique(strike / forward, return_index=True)
    calls = black_price(1.0, k, years[first], 1.0, vol[first], np.ones(len(k), dtype=bool))
    return np.append(0.0, k), np.append(1.0, calls)


def _violations(k: Array, calls: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    fall, gap = -np.diff(calls), np.diff(k)
    share = gap[:-1] / (gap[:-1] + gap[1:])
    chord = calls[:-2] + share * (calls[2:] - calls[:-2])
    return (fall < -TOLERANCE) | (fall > gap + TOLERANCE), calls[1:-1] > chord + TOLERANCE
