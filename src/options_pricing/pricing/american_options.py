"""American options as flat arrays of one length, and what of their arguments is usable."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.pricing.black import Array, Reason, black_price, is_call

CashDividends = Sequence[tuple[float, float]]


class Options(NamedTuple):
    """Options as flat arrays of one length, all of floats but `call`, which is of booleans.

    `escrowed` is the spot less the present value of the cash dividends that go ex until the expiry.
    """

    spot: NDArray[Any]
    strike: NDArray[Any]
    year_fraction: NDArray[Any]
    rate: NDArray[Any]
    dividend_yield: NDArray[Any]
    vol: NDArray[Any]
    call: NDArray[Any]
    escrowed: NDArray[Any]

    def take(self, rows: NDArray[np.intp]) -> "Options":
        """Those of some rows."""
        return Options(*(values[rows] for values in self))

    def contract(self) -> tuple[Array, Array, Array, Array]:
        """Forward, strike, year fraction and discount factor."""
        discount_factor = np.exp(-self.rate * self.year_fraction)
        forward = self.escrowed * np.exp((self.rate - self.dividend_yield) * self.year_fraction)
        return forward, self.strike, self.year_fraction, discount_factor

    def european(self) -> Array:
        """Black's price."""
        return black_price(*self.contract(), self.vol, self.call)

    def exercised(self) -> Array:
        """What immediate exercise is worth."""
        return np.maximum(np.where(self.call, self.spot - self.strike, self.strike - self.spot), 0.0)

    def ceiling(self) -> Array:
        """What no option is worth: the underlying for a call, the strike for a put, now or at the expiry."""
        worth = np.where(self.call, self.spot, self.strike)
        lost = np.where(self.call, self.dividend_yield, self.rate)
        return worth * np.exp(np.maximum(-lost * self.year_fraction, 0.0))

    def usable(self) -> NDArray[np.bool_]:
        """Where every argument is a number in its range."""
        return self._sound() & (self.year_fraction >= 0)

    def reasons(self) -> NDArray[np.int8]:
        """Why an option has no price: `OK` where it has one, `EXPIRED`, else `BAD_ARGUMENT`."""
        without = np.where(self._sound(), Reason.EXPIRED, Reason.BAD_ARGUMENT)
        return np.where(self.usable(), Reason.OK, without).astype(np.int8)

    def _sound(self) -> NDArray[np.bool_]:
        finite = np.isfinite(sum(self[:6]))
        return (self.spot > 0) & (self.escrowed > 0) & (self.strike > 0) & (self.vol >= 0) & finite

    def moved(
        self, *, spot: Array | float = 0.0, rate: Array | float = 0.0, dividends: CashDividends = ()
    ) -> "Options":
        """The same options under another spot and rate, which is also what their dividends are discounted with."""
        to = self._replace(spot=self.spot + spot, rate=self.rate + rate)
        return to._replace(escrowed=to.spot - _owed(to.year_fraction, to.rate, dividends))

    def as_puts(self) -> tuple[Array, Array, Array, Array]:
        """Spot, strike, rate and yield of the put each option is or mirrors (McDonald and Schroder 1998)."""
        put = ~self.call
        return (
            np.where(put, self.spot, self.strike),
            np.where(put, self.strike, self.spot),
            np.where(put, self.rate, self.dividend_yield),
            np.where(put, self.dividend_yield, self.rate),
        )


def flat_options(*arguments: ArrayLike, cash_dividends: CashDividends = ()) -> tuple[Options, tuple[int, ...]]:
    """Arguments of `american_price` as flat arrays of one length, and the shape they broadcast to."""
    numbers = [np.asarray(value, dtype=float) for value in arguments[:-1]]
    together = np.broadcast_arrays(*numbers, is_call(arguments[-1]))
    spot, strike, years, rate, dividends, vol, call = (values.ravel() for values in together)
    for until, amount in cash_dividends:
        if not (until >= 0 and np.isfinite(amount)):
            raise ValueError(f"a cash dividend is (years until it goes ex, amount), not ({until}, {amount})")
    escrowed = spot - _owed(years, rate, cash_dividends)
    return Options(spot, strike, years, rate, dividends, vol, call, escrowed), together[0].shape


def _owed(years: Array, rate: Array, cash_dividends: CashDividends) -> Array:
    """Present value of the cash dividends until each expiry."""
    owed = np.zeros_like(years)
    for until, amount in cash_dividends:
        # One that goes ex at this moment is no longer in the spot.
        owed += np.where((until > 0) & (until <= years), amount * np.exp(-rate * until), 0.0)
    return owed
