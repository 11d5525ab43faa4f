"""American options: price, early-exercise premium and greeks, with a dividend yield or with cash dividends."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.pricing.american_options import CashDividends, Options, flat_options
from options_pricing.pricing.black import Array

if TYPE_CHECKING:
    from options_pricing.pricing.exercise_tree import TreeExercise

# Under this vol sqrt(T) the best exercise without vol is the price, to 4e-7 of the spot.
SMALLEST_DEVIATION = 1e-6
# |r - q| sqrt(T) / vol over which the equation of the slope may not converge and that of the value does.
STEEPEST_DRIFT = 0.6
# Of a tree.
STEPS = 201


class Early(NamedTuple):
    """What the right to exercise early adds to price, delta and gamma, and where exercise is due `now`.

    NaN where an argument is bad. Where exercise is due, the price is what it pays; `premium` goes on smoothly there,
    so that differences across the boundary have no jump.
    """

    premium: Array
    delta: Array
    gamma: Array
    now: NDArray[np.bool_]

    def take(self, rows: NDArray[np.intp]) -> "Early":
        """Those of some rows."""
        return Early(self.premium[rows], self.delta[rows], self.gamma[rows], self.now[rows])


class PriceAndReason(NamedTuple):
    """Prices and, for each option, a `Reason` as int8."""

    price: Array
    reason: NDArray[np.int8]


def american_price(
    spot: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    option_type: ArrayLike,
    *,
    cash_dividends: CashDividends = (),
) -> Array:
    """Price of American options: Black's European price plus the early-exercise premium.

    The premium is the integral over the exercise boundary (`premia_of_puts`), calls being priced as the puts that
    mirror them. Two cases are left to a tree (`tree_exercise`): cash dividends, and rates with two boundaries
    (``q < r < 0`` of a put, ``r < q < 0`` of a call).

    Parameters
    ----------
    spot, strike : array_like
        Both positive, in the currency of the price.
    year_fraction : array_like
        Years to the expiry, zero or more.
    rate, dividend_yield : array_like
        Continuous, decimal per year, of either sign.
    vol : array_like
        Per year, decimal, zero or more.
    option_type : array_like
        ``C`` or ``P``, or booleans (true is a call). All arguments broadcast.
    cash_dividends : sequence of (float, float)
        Of the one underlying of all these options: years until a dividend goes ex, and its amount. The spot less
        their present value is then what is lognormal (the escrowed model).

    Returns
    -------
    ndarray
        Prices, never under the European price nor under immediate exercise; NaN where an argument is NaN or
        outside its range. Against QuantLib's high-precision scheme, on a spot of 100: up to two years and 10 to 100 %
        vol the error is 4e-6 (root mean square; 3e-5 at most), up to three years with rates and yields of -1 to 12 %
        and 5 to 90 % vol 1.3e-5 (4e-4), from three to ten years 1.7e-4 (2e-3). That of the tree stands at
        `tree_exercise`.
    """
    given = spot, strike, year_fraction, rate, dividend_yield, vol, option_type
    return american_price_with_reason(*given, cash_dividends=cash_dividends).price


def american_price_with_reason(
    spot: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    option_type: ArrayLike,
    *,
    cash_dividends: CashDividends = (),
) -> PriceAndReason:
    """`american_price`, and for each option why it has none: `OK`, `EXPIRED` or `BAD_ARGUMENT`.

    The last is also said of a spot that is not worth more than the present value of the cash dividends.
    """
    given = spot, strike, year_fraction, rate, dividend_yield, vol, option_type
    options, shape = flat_options(*given, cash_dividends=cash_dividends)
    return PriceAndReason(prices(options, cash_dividends).reshape(shape), options.reasons().reshape(shape))


def early_exercise_premium(
    spot: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    vol: ArrayLike,
    option_type: ArrayLike,
    *,
    cash_dividends: CashDividends = (),
) -> Array:
    """American less European price; arguments and NaN as for `american_price`."""
    given = spot, strike, year_fraction, rate, dividend_yield, vol, option_type
    options, shape = flat_options(*given, cash_dividends=cash_dividends)
    return np.maximum(prices(options, cash_dividends) - options.european(), 0.0).reshape(shape)


def prices(options: Options, cash_dividends: CashDividends = ()) -> Array:
    """Prices of flat options; NaN where an argument is bad."""
    if len(cash_dividends):
        premium, now = _tree_where_usable(options, cash_dividends)
    else:
        premium, _, _, now = early_exercise(options)
    return np.where(now, options.exercised(), np.maximum(options.european() + premium, options.exercised()))


def early_exercise(
    options: Options,
    *,
    points: int | None = None,
    matching: NDArray[np.bool_] | None = None,
    cash_dividends: CashDividends = (),
    steps: int = STEPS,
) -> Early:
    """What early exercise adds.

    Parameters
    ----------
    options : Options
        With `escrowed` after these cash dividends.
    points : int, optional
        Of the premium's integral, crowded to the present as derivatives near the boundary need; default
        `PREMIUM_POINTS`, which the price is content with.
    matching : ndarray, optional
        Which boundaries are found by the equation of the value; by default where the drift is steep.
    cash_dividends : sequence of (float, float)
        As for `american_price`; all is then done on a tree.
    steps : int
        Of that tree.
    """
    size = len(options.spot)
    usable = options.usable()
    found = Early(np.where(usable, 0.0, np.nan), np.zeros(size), np.zeros(size), np.zeros(size, dtype=bool))
    if len(cash_dividends):
        _fill_by_tree(found, options, np.flatnonzero(usable & (options.year_fraction > 0)), cash_dividends, steps)
        return found
    _, _, rate, dividends = options.as_puts()
    with np.errstate(invalid="ignore"):
        deviation = options.vol * np.sqrt(np.maximum(options.year_fraction, 0.0))
    # A put is never exercised early without interest, nor a call without dividends.
    tempting = usable & (options.year_fraction > 0) & (rate > np.minimum(dividends, 0))
    still = tempting & (deviation < SMALLEST_DEVIATION)
    _fill_still(found, options, np.flatnonzero(still))
    _fill_by_tree(found, options, np.flatnonzero(tempting & ~still & (rate < 0)))
    _fill_by_boundary(found, options, np.flatnonzero(tempting & ~still & (rate >= 0)), points, matching)
    return found


def steep_drift(options: Options) -> NDArray[np.bool_]:
    """Where drift outweighs diffusion until the expiry."""
    with np.errstate(invalid="ignore"):
        carry = np.abs(options.rate - options.dividend_yield) * np.sqrt(options.year_fraction)
        return np.asarray(carry > STEEPEST_DRIFT * options.vol)


def two_boundaries(options: Options) -> NDArray[np.bool_]:
    """Where an option is exercised early between two boundaries: ``q < r < 0`` of a put, ``r < q < 0`` of a call."""
    _, _, rate, dividends = options.as_puts()
    return np.asarray((dividends < rate) & (rate < 0))


def without_vol(options: Options) -> Array:
    """Price as the vol goes to zero: exercise at the best moment of a path that is known."""
    spot, strike, years, rate, dividends = options[:5]
    sign = np.where(options.call, 1.0, -1.0)
    with np.errstate(all="ignore"):
        level = np.log(rate * strike / (dividends * spot)) / (rate - dividends)
    best = np.zeros(len(spot))
    for moment in (np.zeros_like(years), years, np.clip(np.nan_to_num(level, posinf=0, neginf=0), 0.0, years)):
        best = np.maximum(best, sign * (spot * np.exp(-dividends * moment) - strike * np.exp(-rate * moment)))
    return best


def spot_and_rate(
    forward: ArrayLike, year_fraction: ArrayLike, discount_factor: ArrayLike, dividend_yield: ArrayLike
) -> tuple[Array, Array]:
    """Spot and continuous rate behind a forward: ``S = F D exp(q T)`` and ``r = -log(D) / T``; NaN without time."""
    years = np.where(np.asarray(year_fraction) > 0, year_fraction, np.nan)
    discount = np.asarray(discount_factor, dtype=float)
    spot = np.asarray(forward, dtype=float) * discount * np.exp(np.asarray(dividend_yield, dtype=float) * years)
    return spot, -np.log(discount) / years


def _tree_where_usable(options: Options, cash_dividends: CashDividends) -> "TreeExercise":
    from options_pricing.pricing.exercise_tree import TreeExercise

    usable = options.usable()
    found = TreeExercise(np.where(usable, 0.0, np.nan), np.zeros(usable.size, dtype=bool))
    rows = np.flatnonzero(usable & (options.year_fraction > 0))
    found.premium[rows], found.due[rows] = _tree(options.take(rows), cash_dividends)
    return found


def _tree(options: Options, cash_dividends: CashDividends = (), steps: int = STEPS) -> "TreeExercise":
    from options_pricing.pricing.exercise_tree import tree_exercise

    _, strike, years, rate, dividends, vol, call, escrowed = options
    return tree_exercise(
        np.array([escrowed, strike, years, rate, dividends, vol, np.where(call, 1.0, -1.0)]),
        np.array(cash_dividends, dtype=float).reshape(-1, 2),
        steps=steps,
    )


def _fill_still(found: Early, options: Options, rows: NDArray[np.intp]) -> None:
    """Next to no vol: the best of a known path."""
    some = options.take(rows)
    best = without_vol(some)
    found.now[rows] = (best > 0) & (best == some.exercised())
    found.premium[rows] = np.maximum(best - some.european(), 0.0)


def _fill_by_tree(
    found: Early,
    options: Options,
    rows: NDArray[np.intp],
    cash_dividends: CashDividends = (),
    steps: int = STEPS,
) -> None:
    """Premium on a tree, its derivatives by differences over a quarter of a deviation."""
    if not rows.size:
        return
    some = options.take(rows)
    width = some.spot * np.clip(some.vol * np.sqrt(some.year_fraction) / 4, 1e-4, 0.1)
    below, at, above = (
        _tree(some.moved(spot=by, dividends=cash_dividends), cash_dividends, steps) for by in (-width, 0 * width, width)
    )
    found.premium[rows], found.now[rows] = at
    found.delta[rows] = (above.premium - below.premium) / (2 * width)
    found.gamma[rows] = (above.premium - 2 * at.premium + below.premium) / width**2


def _fill_by_boundary(
    found: Early,
    options: Options,
    rows: NDArray[np.intp],
    points: int | None,
    matching: NDArray[np.bool_] | None,
) -> None:
    """The integral over the boundary, of the put that each option is or mirrors."""
    if not rows.size:
        return
    from options_pricing.pricing.exercise_boundary import premia_of_puts, premium_grid

    some = options.take(rows)
    spot, strike, rate, dividends = some.as_puts()
    matched = (steep_drift(options) if matching is None else matching)[rows]
    grid = premium_grid() if points is None else premium_grid(points, crowding=2)
    premium, delta, gamma, log_boundary = premia_of_puts(
        np.array([spot / strike, some.year_fraction, rate, dividends, some.vol]), matched, grid
    )
    found.now[rows] = np.log(spot / strike) <= log_boundary
    found.premium[rows] = np.maximum(strike * premium, 0.0)
    # A call's strike is the spot of the put, so that its premium is `spot * premium(strike / spot)`.
    moneyness = spot / strike
    found.delta[rows] = np.where(some.call, premium - moneyness * delta, delta)
    found.gamma[rows] = np.where(some.call, moneyness**2 * gamma, gamma) / strike
