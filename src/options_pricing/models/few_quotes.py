"""What a few quotes of today say of a whole surface: the move of its shapes, and of the places near them."""

from dataclasses import dataclass

import numpy as np

from options_pricing.models.base import Array

# What a quote says beyond the shapes holds near it: standard deviation of that, and its reach in log(T) and in z.
LOCAL, REACH_IN_LOG_TIME, REACH_IN_Z = 0.01, 0.5, 1.0
# Error of a mid beyond its half-spread, in logs of vol.
NOISE, WIDEST = 0.006, 0.05
# Days are quiet or wild: the variance of today's move against a usual day's, as its quotes make it most likely.
SCALES = np.array([0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0])
LEAST_LOCAL, MOST_LOCAL = 0.2, 2.0


@dataclass(frozen=True)
class Places:
    """Where options lie on a surface: log time to expiry, ``z``, and the values of the shapes there."""

    log_time: Array
    z: Array
    shapes: Array


class Marks:
    """Today's move, given a few quotes of today (Gaussian conditioning).

    Parameters
    ----------
    places : Places
        Of the quotes.
    surprise : ndarray
        Logs of their vols, less what was expected of them.
    half_spread : ndarray
        In logs of vol.
    covariance : ndarray of shape (6, 6)
        Of a usual day's coefficients of the shapes.
    """

    def __init__(self, places: Places, surprise: Array, half_spread: Array, covariance: Array) -> None:
        self.places, self.covariance = places, covariance
        error = np.diag(np.minimum(half_spread, WIDEST) ** 2 + NOISE**2)
        found = [_explained(self._between(places, scale) + error, surprise) for scale in SCALES]
        # A scale is itself log-normal around 1.
        likelihood = [log_likelihood for log_likelihood, _ in found] - np.log(SCALES) ** 2 / 2
        self.scale = float(SCALES[int(np.argmax(likelihood))])
        self.weights = found[int(np.argmax(likelihood))][1]

    def move_at(self, places: Places) -> Array:
        """Expected change of log vol of any options."""
        # Not a matrix product: its last bits would depend on how many options are asked.
        between = self._between(places, self.scale)
        return np.asarray(sum(between[:, i] * weight for i, weight in enumerate(self.weights)))

    def _between(self, places: Places, scale: float) -> Array:
        """Covariance of the moves of some options (rows) with those of the quotes (columns)."""
        quoted = self.covariance @ self.places.shapes.T
        shared = sum(places.shapes[:, [k]] * quoted[k] for k in range(quoted.shape[0]))
        away = np.abs(places.log_time[:, None] - self.places.log_time) / REACH_IN_LOG_TIME
        away = away + np.abs(places.z[:, None] - self.places.z) / REACH_IN_Z
        local = LOCAL**2 * np.clip(scale, LEAST_LOCAL, MOST_LOCAL) * np.exp(-away)
        return np.asarray(scale * shared + local)


def _explained(covariance: Array, surprise: Array) -> tuple[float, Array]:
    """Log-likelihood of a surprise (but for a constant), and the covariance's inverse times it."""
    lower = np.linalg.cholesky(covariance)
    whitened = np.linalg.solve(lower, surprise)
    return -float(whitened @ whitened) / 2 - float(np.log(np.diag(lower)).sum()), np.linalg.solve(lower.T, whitened)
