"""How often a model's own prices of one expiration contradict each other."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.evaluation.metrics import Array
from options_pricing.pricing.black import black_price

TOLERANCE = 1e-9
CHECKED = ("vertical", "vertical_checked", "butterfly", "butterfly_checked")


def arbitrage_count(told: pd.DataFrame, tick: float = 0.0) -> dict[str, int]:
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
    tick : float, optional
        Leave out violations that are worth less than this, in currency at expiration: nobody can trade them.

    Returns
    -------
    dict
        How many violations there are by more than 1e-9 of the forward's value, and how many neighbours were checked.
    """
    rows = told[np.isfinite(told["predicted_implied_vol"]) & np.isfinite(told["forward"])]
    root = rows["contract_symbol"].str[:-15]
    expiration = rows.groupby(["date", "underlying", root, "expiration"]).ngroup().to_numpy()
    own, k, calls = _normalised_calls(rows, expiration)
    # One expiration has one forward.
    forward = rows["forward"].to_numpy(dtype=float)[np.unique(expiration, return_index=True)[1]]
    tolerance = np.maximum(TOLERANCE, tick / forward)[own]
    return dict(zip(CHECKED, _violations(own, k, calls, tolerance), strict=True))


def _normalised_calls(rows: pd.DataFrame, expiration: NDArray[np.intp]) -> tuple[NDArray[np.intp], Array, Array]:
    """Number of the expiration, strike over the forward and call over ``D F``, by expiration and strike, each once.

    Every expiration begins with the strike 0, whose call is the forward itself.
    """
    strike, forward, years, vol = (
        rows[name].to_numpy(dtype=float) for name in ("strike", "forward", "year_fraction", "predicted_implied_vol")
    )
    k = strike / forward
    calls = black_price(1.0, k, years, 1.0, vol, np.ones(len(k), dtype=bool))
    known = np.unique(expiration)
    expiration, k = np.append(expiration, known), np.append(k, np.zeros(len(known)))
    calls = np.append(calls, np.ones(len(known)))
    order = np.lexsort((k, expiration))
    expiration, k, calls = expiration[order], k[order], calls[order]
    first = (np.diff(expiration, prepend=-1) != 0) | (np.diff(k, prepend=-1.0) != 0)
    return expiration[first], k[first], calls[first]


def _violations(expiration: NDArray[np.intp], k: Array, calls: Array, tolerance: Array) -> tuple[int, int, int, int]:
    """Violated and checked verticals, violated and checked butterflies."""
    fall, gap, neighbours = -np.diff(calls), np.diff(k), np.diff(expiration) == 0
    vertical = (fall < -tolerance[1:]) | (fall > gap + tolerance[1:])
    three = neighbours[:-1] & neighbours[1:]
    # Between two expirations the gap means nothing, and `three` leaves it out.
    share = gap[:-1] / np.where(three, gap[:-1] + gap[1:], 1.0)
    butterfly = calls[1:-1] > calls[:-2] + share * (calls[2:] - calls[:-2]) + tolerance[1:-1]
    return int((vertical & neighbours).sum()), int(neighbours.sum()), int((butterfly & three).sum()), int(three.sum())
