"""What is learnt from moves of vol, and how much of it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from sklearn.ensemble import HistGradientBoostingRegressor

from options_pricing.models.moves import Moves
from options_pricing.models.vol_surface import Array
from options_pricing.run.threads import one_thread

MOST_FOLDS = 5
SMALLEST_SHOCK = 1e-6
LARGEST_LOG_MOVE = 1.0
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Evidence:
    """What days left out of the learning say of one underlying: how much is believed, and what it gains."""

    factor: float
    days: int
    r2: float | None


@dataclass(frozen=True)
class Correction:
    """A boosted sensitivity of vols to shocks, with its factor per underlying; without a booster it is 0."""

    booster: HistGradientBoostingRegressor | None
    largest_shock: float
    evidence: Mapping[str, Evidence]
    days: int

    def of(self, underlying: str, regressors: Array, shock: Array, vols: Array) -> Array:
        """Change of `vols` after shocks, arrays of one length; `regressors` as `Yesterday.regressors` gives them."""
        evidence = self.evidence.get(underlying)
        if self.booster is None or evidence is None or evidence.factor == 0:
            return np.zeros(len(vols))
        return evidence.factor * raw_change(self.booster, self.largest_shock, regressors, shock, vols)

    def summary(self) -> dict[str, Any]:
        """For the model card."""
        return {
            "moves": self.days,
            "shrink_factor": {u: e.factor for u, e in self.evidence.items()},
            "leave_one_day_out_r2": {u: e.r2 for u, e in self.evidence.items()},
        }


def learn(moves: Moves, settings: Mapping[str, Any], min_moves: int) -> Correction:
    """Fit the sensitivity to all moves, and weigh it by how it does on days left out.

    Parameters
    ----------
    moves : Moves
    settings : mapping
        Of `HistGradientBoostingRegressor`.
    min_moves : int
        Days moved to that are needed, in all and per underlying.
    """
    moves = moves.take(np.isfinite(moves.regressors).all(axis=1) & (np.abs(moves.shock) > SMALLEST_SHOCK))
    days = moves.days
    if len(days) < min_moves:
        return Correction(None, 0.0, {}, len(days))
    unseen = _change_unseen(moves, days, settings)
    evidence = {
        str(underlying): _evidence(moves.take(rows), unseen[rows], min_moves)
        for underlying in np.unique(moves.underlying)
        for rows in [moves.underlying == underlying]
    }
    return Correction(fitted(moves, settings), float(np.abs(moves.shock).max()), evidence, len(days))


def fitted(moves: Moves, settings: Mapping[str, Any]) -> HistGradientBoostingRegressor:
    """Boosted least squares of ``log(vol / yesterdays_vol) - sensitivity * shock``."""
    # (y - s z)^2 = z^2 (y / z - s)^2: a plain regression of y / z with weights z^2.
    target = np.log(moves.vol / moves.yesterdays_vol) / moves.shock
    return HistGradientBoostingRegressor(**settings).fit(moves.regressors, target, sample_weight=moves.shock**2)


def raw_change(
    booster: HistGradientBoostingRegressor, largest_shock: float, regressors: Array, shock: Array, vols: Array
) -> Array:
    """Change of vols as boosted; a shock beyond any that was learnt from counts as the largest that was."""
    known = np.clip(shock, -largest_shock, largest_shock)
    with one_thread():
        sensitivity = booster.predict(regressors)
    log_move = np.clip(sensitivity * known, -LARGEST_LOG_MOVE, LARGEST_LOG_MOVE)
    return np.asarray(vols * np.expm1(log_move))


def shrink_factor(explained: Array, squared: Array) -> float:
    """How much of a correction is believed, 0 to 1, from days that it had not seen.

    The factor with the least squared error over the days is ``sum(explained) / sum(squared)``. Believed is the lower
    end of its one-sided 95 % interval (Student's t with the jackknife's standard error over whole days): a handful
    of days that favour a correction are weak evidence, however many quotes each has.

    Parameters
    ----------
    explained, squared : ndarray of shape (days,)
        Per day the sum of correction times true change, and that of the squared correction.
    """
    days, total = len(squared), squared.sum()
    rest = total - squared
    if days < 2 or total <= 0 or (rest <= 0).any():
        return 0.0
    without = (explained.sum() - explained) / rest
    error = np.sqrt((days - 1) / days * ((without - without.mean()) ** 2).sum())
    return float(np.clip(explained.sum() / total - stdtrit(days - 1, CONFIDENCE) * error, 0.0, 1.0))


def _change_unseen(moves: Moves, days: list[str], settings: Mapping[str, Any]) -> Array:
    """The change that a fit without its day (one of at most five blocks of days) gives each quote."""
    change = np.zeros(len(moves.shock))
    for block in np.array_split(np.array(days), min(len(days), MOST_FOLDS)):
        left_out = np.isin(moves.day, block)
        seen, unseen = moves.take(~left_out), moves.take(left_out)
        largest = float(np.abs(seen.shock).max())
        booster = fitted(seen, settings)
        change[left_out] = raw_change(booster, largest, unseen.regressors, unseen.shock, unseen.yesterdays_vol)
    return change


def _evidence(moves: Moves, change: Array, min_moves: int) -> Evidence:
    true_change = moves.vol - moves.yesterdays_vol
    days, place = np.unique(moves.day, return_inverse=True)
    explained, squared = _sum_by(place, change * true_change), _sum_by(place, change**2)
    if len(days) < min_moves:
        return Evidence(0.0, len(days), 0.0)
    # A day that had a say in its own factor would flatter it.
    others = [np.arange(len(days)) != day for day in range(len(days))]
    factors = np.array([shrink_factor(explained[rest], squared[rest]) for rest in others])
    left = ((true_change - factors[place] * change) ** 2).sum()
    whole = (true_change**2).sum()
    return Evidence(shrink_factor(explained, squared), len(days), float(1 - left / whole) if whole > 0 else None)


def _sum_by(place: NDArray[np.intp], values: Array) -> Array:
    return np.bincount(place, weights=values).astype(float)
