"""The days that a release is held against later: kept with it when it is trained, so that nobody can choose them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.evaluation.metrics import Array, figures_of
from options_pricing.evaluation.sketches import Sketches

MOST_DAYS = 60
ERROR = "iv_rmse_vol_points"


class Reference(NamedTuple):
    """How the model's unseen days lay, and its error on each of them, in vol points."""

    sketches: Sketches
    errors: Array

    @property
    def days(self) -> list[str]:
        """The days, in order."""
        return self.sketches.days


def reference_of(told: pd.DataFrame | None) -> dict[str, NDArray[Any]]:
    """What a release keeps of its last `MOST_DAYS` unseen days.

    Parameters
    ----------
    told : DataFrame or None
        PREDICTIONS of its model, each day from the days before it.

    Returns
    -------
    dict
        Arrays by name, empty without `told`; `reference_in` reads them.
    """
    if told is None:
        return {}
    sketches = Sketches.of(told).last(MOST_DAYS)
    of_day = dict(list(told.groupby("date")))
    errors = [figures_of(of_day[day])[ERROR] for day in sketches.days]
    return {**sketches._asdict(), "errors": np.array(errors, dtype=float)}


def reference_in(kept: Mapping[str, NDArray[Any]]) -> Reference | None:
    """The reference that a release keeps; None where it keeps none."""
    if not kept:
        return None
    return Reference(Sketches(*(kept[name] for name in Sketches._fields)), kept["errors"])
