"""European options for the benchmarks, with prices that are right to the last digit (mpmath, 50 digits)."""

from typing import NamedTuple

import numpy as np
from frame import ROOT  # noqa: F401  (this checkout's src/ first)
from mpmath import mp, mpf

from options_pricing.pricing.black import Array, black_price

SPOT, RATE = 100.0, 0.04
# A hundredth of a cent on an underlying of 100: less than any quote.
LEAST_QUOTE, LEAST_PRICE = 1e-4, 1e-250


class Options(NamedTuple):
    """Options on an underlying of 100 at 4 % interest and no yield; arrays of one length."""

    price: Array
    forward: Array
    strike: Array
    year_fraction: Array
    discount_factor: Array
    vol: Array
    call: np.ndarray

    def take(self, rows: np.ndarray) -> "Options":
        """Some of them."""
        return Options(*(np.ascontiguousarray(values[rows]) for values in self))

    @property
    def terms(self) -> tuple[Array, Array, Array, Array]:
        """Forward, strike, year fraction and discount factor."""
        return self.forward, self.strike, self.year_fraction, self.discount_factor

    @property
    def spot(self) -> Array:
        """The underlying's price behind the forward."""
        return self.forward * self.discount_factor


def options(count: int, seed: int, *, deep: bool = False, in_the_money: bool = False) -> Options:
    """Options of a day to three years, vols of 5 to 200 %, strikes of half to twice the forward.

    Out of the money unless asked otherwise. Their out-of-the-money price is at least `LEAST_QUOTE`; if `deep`, it
    is between `LEAST_PRICE` and that.
    """
    random = np.random.default_rng(seed)
    drawn = (20 if deep else 3) * count
    strike_share = np.exp(random.uniform(np.log(0.5), np.log(2), drawn))
    years = np.exp(random.uniform(np.log(1 / 365), np.log(3), drawn))
    vol = np.exp(random.uniform(np.log(0.05), np.log(2), drawn))
    discount = np.exp(-RATE * years)
    forward = SPOT / discount
    strike = forward * strike_share
    call = strike >= forward
    value = black_price(forward, strike, years, discount, vol, call)
    wanted = (value >= LEAST_PRICE) & (value < LEAST_QUOTE) if deep else value >= LEAST_QUOTE
    rows = np.flatnonzero(wanted)[:count]
    assert rows.size == count, "draw more"
    call = call ^ in_the_money
    price = black_price(forward, strike, years, discount, vol, call)
    return Options(price, forward, strike, years, discount, vol, call).take(rows)


def with_exact_prices(given: Options) -> Options:
    """The same options with each price the double nearest to the exact one (slow: some 10,000 a second)."""
    rows = zip(*(values.tolist() for values in (*given.terms, given.vol, given.call)), strict=True)
    return given._replace(price=np.array([_exact_price(*row) for row in rows]))


def _exact_price(forward: float, strike: float, years: float, discount: float, vol: float, call: bool) -> float:
    with mp.workdps(50):
        f, k = mpf(forward), mpf(strike)
        s = mpf(vol) * mp.sqrt(mpf(years))
        d1 = mp.log(f / k) / s + s / 2
        sign = 1 if call else -1
        return float(mpf(discount) * sign * (f * mp.ncdf(sign * d1) - k * mp.ncdf(sign * (d1 - s))))
