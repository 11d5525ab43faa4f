"""Greeks of American options, right up to the exercise boundary."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.pricing.american import (
    Early,
    Options,
    early_exercise,
    flat_options,
    prices,
    steep_drift,
    two_boundaries,
)
from options_pricing.pricing.black import DAYS_A_YEAR, Array, PriceAndGreeks, price_and_greeks

POINTS = 64
# Of the vol, and of the rate, by boundary; on a tree, whose prices are less smooth.
VOL_BUMP, RATE_BUMP = 5e-4, 1e-6
TREE_VOL_BUMP, TREE_RATE_BUMP = 0.02, 5e-4


def american_price_and_greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    option_type: ArrayLike,
) -> PriceAndGreeks:
    r"""Price and greeks of American options; arguments as for `american_price`, units as `price_and_greeks` says.

    Delta and gamma are those of the integral. Theta comes of the Black-Scholes equation,
    :math:`\Theta = r V - (r - q) S \Delta - \sigma^2 S^2 \Gamma / 2`. Vega is a central difference over a
    two-thousandth of the vol and rho a difference over a millionth of rate, each with a boundary of its own. Where the
    option is due to be exercised, delta is 1 or -1 and every other greek is zero. With two boundaries (``q < r < 0``
    of a put) all are differences on a tree.
    """
    options, shape = flat_options(spot, strike, year_fraction, rate, dividend_yield, vol, option_type)
    european = price_and_greeks(*options.contract(), options.vol, options.call, spot=options.spot)._asdict()
    greeks: dict[str, Array] = {name: np.array(values) for name, values in european.items()}
    greeks["price"] = prices(options)
    matching = steep_drift(options)
    early = early_exercise(options, points=POINTS, matching=matching)
    rows = np.flatnonzero((early.premium > 0) & ~early.now)
    some = options.take(rows)
    for name, added in _added(some, early.take(rows), matching[rows]).items():
        if name in greeks:
            greeks[name][rows] += added
    greeks["theta"][rows] = _theta(some, *(greeks[name][rows] for name in ("price", "delta", "gamma")))
    return PriceAndGreeks(**{name: v.reshape(shape) for name, v in _where_due(greeks, options, early).items()})


def _added(options: Options, early: Early, matching: NDArray[np.bool_]) -> dict[str, Array]:
    """What early exercise adds to each greek but theta."""
    on_tree = two_boundaries(options)
    by_vol = options.vol * np.where(on_tree, TREE_VOL_BUMP, VOL_BUMP)
    by_rate = np.where(on_tree, TREE_RATE_BUMP, RATE_BUMP)

    def moved(name: str, to: Array) -> Early:
        return early_exercise(options._replace(**{name: to}), points=POINTS, matching=matching)

    less, more = moved("vol", options.vol - by_vol), moved("vol", options.vol + by_vol)
    # Upwards only: under a rate of zero another method may hold.
    dear = moved("rate", options.rate + by_rate)
    return {
        "delta": early.delta,
        "gamma": early.gamma,
        "vega": (more.premium - less.premium) / (2 * by_vol),
        "vanna": (more.delta - less.delta) / (2 * by_vol),
        "volga": (more.premium - 2 * early.premium + less.premium) / by_vol**2,
        "rho": (dear.premium - early.premium) / by_rate,
    }


def _theta(options: Options, price: Array, delta: Array, gamma: Array) -> Array:
    carried = (options.rate - options.dividend_yield) * options.spot * delta
    decay = options.rate * price - carried - (options.vol * options.spot) ** 2 * gamma / 2
    # A longer right is never worth less; at the very boundary half of gamma is missing from the integral.
    return np.minimum(decay, 0.0) / DAYS_A_YEAR


def _where_due(greeks: dict[str, Array], options: Options, early: Early) -> dict[str, Array]:
    """Exercised options move with the spot alone; bad arguments give NaN throughout."""
    due = {"price": options.exercised(), "delta": np.where(options.call, 1.0, -1.0)}
    bad = np.isnan(early.premium)
    return {
        name: np.where(bad, np.nan, np.where(early.now, due.get(name, 0.0), values)) for name, values in greeks.items()
    }
