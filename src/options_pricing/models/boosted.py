"""Yesterday's surface, moved by what the forward has done since, as far as held-out days bear it out."""

from typing import Any

import numpy as np
import pandas as pd

from options_pricing.models.base import Array, Model, by_underlying, last_days
from options_pricing.models.correction import SMALLEST_SHOCK, Correction, learn
from options_pricing.models.moves import Moves, Yesterday
from options_pricing.models.vol_surface import Interpolations
from options_pricing.run.params import Train
from options_pricing.run.threads import one_thread

MOST_QUOTES = 12_000
# With weights, each bin's edge costs scikit-learn a sort; sensitivities are too smooth for 255 of them.
MOST_BINS = 63


class Boosted(Model):
    """The random walk, corrected by gradient boosting of the answer of vols to the forward's return.

    ``log(vol / yesterdays_vol) = sensitivity * shock``, where the shock is the return of the option's own forward
    since yesterday over yesterday's level of vol, and the boosted `sensitivity` depends on moneyness, maturity and
    height in the smile, not on the shock: all quotes of a day share nearly one shock, and trees that could split
    by it would learn days by heart. Without a return there is no correction.

    The correction is then multiplied by a factor per underlying (see `shrink_factor`); with fewer than
    ``min_moves`` moves from day to day it is 0.
    """

    name = "boosted"

    def __init__(self, train: Train, *, interpolations: Interpolations | None = None) -> None:
        super().__init__(train, interpolations=interpolations)
        settings = train.boosted.model_dump()
        self.min_moves = int(settings.pop("min_moves"))
        self.settings = {**settings, "max_bins": MOST_BINS, "random_state": train.seed, "early_stopping": False}

    def _fit(self, quotes: pd.DataFrame) -> None:
        newest = last_days(quotes)
        self.yesterdays_ = {u: Yesterday(newest.iloc[rows]) for u, rows in by_underlying(newest)}
        self._known = quotes
        self._correction: Correction | None = None

    @property
    def correction_(self) -> Correction:
        """What was learnt from the moves; learnt when it is first asked for, as many days need none of it."""
        if self._correction is None:
            with one_thread():
                moves = Moves.of(self._known, self._interpolated, most_quotes=MOST_QUOTES)
                self._correction = learn(moves, self.settings, self.min_moves)
            self._known = self._known.iloc[:0]
        return self._correction

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_correction": self.correction_, "_known": None}

    def predict(self, quotes: pd.DataFrame) -> Array:
        """Yesterday's vol, corrected; NaN where there is no forward or no surface."""
        vols = np.full(len(quotes), np.nan)
        for underlying, rows in by_underlying(quotes):
            if underlying in self.yesterdays_:
                vols[rows] = self._corrected(underlying, quotes.iloc[rows])
        return vols

    def _corrected(self, underlying: str, quotes: pd.DataFrame) -> Array:
        yesterday = self.yesterdays_[underlying]
        vols = self._interpolated(yesterday.surface, quotes)
        shock = yesterday.shocks(quotes)
        moved = np.isfinite(vols) & (np.abs(shock) > SMALLEST_SHOCK)
        if moved.any():
            regressors = yesterday.regressors(quotes[moved], vols[moved])
            vols[moved] += self.correction_.of(underlying, regressors, shock[moved], vols[moved])
        return vols

    def diagnostics(self) -> dict[str, Any]:
        """Days moved to, and per underlying the factor with the gain that leaving days out gave it."""
        return self.correction_.summary()
