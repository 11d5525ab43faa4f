"""Implied vol of American options, with a reason where there is none."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.pricing.american import prices, without_vol
from options_pricing.pricing.american_options import CashDividends, Options, flat_options
from options_pricing.pricing.black import Array, price_and_greeks
from options_pricing.pricing.implied_vol import Reason, VolAndReason, implied_vol

LEAST_VOL, MOST_VOL = 1e-6, 50.0
# The secant's error is about the product of its last two: a step this small leaves one of about 1e-9.
SETTLED = 1e-6
ROUNDS = 60


def american_implied_vol(
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    option_type: ArrayLike,
    *,
    cash_dividends: CashDividends = (),
) -> Array:
    """Vol at which `american_price` gives the price of each American option; NaN where there is none.

    Arguments as for `american_implied_vol_with_reason`, which also says why.
    """
    given = price, spot, strike, year_fraction, rate, dividend_yield, option_type
    return american_implied_vol_with_reason(*given, cash_dividends=cash_dividends).implied_vol


def american_implied_vol_with_reason(
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    year_fraction: ArrayLike,
    rate: ArrayLike,
    dividend_yield: ArrayLike,
    option_type: ArrayLike,
    *,
    cash_dividends: CashDividends = (),
) -> VolAndReason:
    """Vol of American options, with the reason where there is none.

    A secant iteration kept inside a bracket, on all options at once; those that have settled leave it. It starts
    at the European vol of the same price, which is never less.

    Parameters
    ----------
    price : array_like
        Of the option, in the currency of the strike.
    spot, strike, year_fraction, rate, dividend_yield, option_type, cash_dividends
        As for `american_price`.

    Returns
    -------
    VolAndReason
        Vols per year; NaN where an argument is NaN or out of its range, and where the price is not above that of
        immediate exercise and of an option without vol (`Reason.AT_LOWER_BOUND` within a rounding of it), or not
        under its upper bound; and the reasons.
    """
    columns = spot, strike, year_fraction, rate, dividend_yield, price, option_type
    given, shape = flat_options(*columns, cash_dividends=cash_dividends)
    wanted, options = given.vol, given._replace(vol=np.zeros(given.vol.shape))
    reasons = _reasons(wanted, options, cash_dividends)
    vols = np.full(wanted.shape, np.nan)
    rows = np.flatnonzero(reasons == Reason.OK)
    vols[rows] = _solve(wanted[rows], options.take(rows), cash_dividends)
    stuck = rows[~(vols[rows] > LEAST_VOL)]
    vols[stuck], reasons[stuck] = np.nan, Reason.AT_LOWER_BOUND
    return VolAndReason(vols.reshape(shape), reasons.reshape(shape))


def _reasons(price: Array, options: Options, cash_dividends: CashDividends) -> NDArray[np.int8]:
    floor = np.maximum(options.european(), options.exercised())
    floor = np.maximum(floor, prices(options, cash_dividends) if len(cash_dividends) else without_vol(options))
    rounding = 1e-14 * np.maximum(options.spot, options.strike)
    with np.errstate(invalid="ignore"):
        cases = [
            (options.reasons() == Reason.BAD_ARGUMENT) | ~np.isfinite(price),
            options.year_fraction <= 0,
            price < floor - rounding,
            price <= floor + rounding,
            price >= options.ceiling(),
        ]
    codes = [Reason.BAD_ARGUMENT, Reason.EXPIRED, Reason.BELOW_LOWER_BOUND, Reason.AT_LOWER_BOUND]
    return np.select(cases, [*codes, Reason.ABOVE_UPPER_BOUND], Reason.OK).astype(np.int8)


def _solve(price: Array, options: Options, cash_dividends: CashDividends) -> Array:
    high = implied_vol(price, *options.contract(), options.call)
    high = np.where(np.isnan(high), MOST_VOL, high)
    low = np.zeros_like(high)
    vol = np.minimum(high, 1.0)
    slope = price_and_greeks(*options.contract(), vol, options.call).vega
    excess = prices(options._replace(vol=vol), cash_dividends) - price
    todo = np.arange(price.size)
    for _ in range(ROUNDS):
        at, over = vol[todo], excess[todo]
        low[todo] = np.where(over < 0, at, low[todo])
        high[todo] = np.where(over > 0, at, high[todo])
        with np.errstate(all="ignore"):
            step = -over / slope[todo]
        inside = (at + step > low[todo]) & (at + step < high[todo])
        vol[todo] = np.where(inside, at + step, (low[todo] + high[todo]) / 2)
        vol[todo] = np.where(over == 0, at, vol[todo])
        going = (over != 0) & ~(inside & (np.abs(step) <= SETTLED * at)) & (high[todo] > low[todo] + SETTLED**2)
        todo, at, over = todo[going], at[going], over[going]
        if not todo.size:
            break
        excess[todo] = prices(options.take(todo)._replace(vol=vol[todo]), cash_dividends) - price[todo]
        slope[todo] = (excess[todo] - over) / (vol[todo] - at)
    return vol
