"""The formulas compiled: loops over a block of options. Who imports this waits for the compiler's run time.

A block is one flat array of `BLOCK` options whose rows (price, forward, ...) lie `BLOCK` apart: with a single array
the compiler need not fear that one row overlaps another, and puts the loops into vector instructions.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import njit, types
from numba.extending import intrinsic, overload

from options_pricing.pricing import formulas
from options_pricing.pricing.formulas import greeks_of, price_of, settled, started, tabulated

BLOCK = 1024
# Rows that the vols need beyond what goes in and what comes out.
SCRATCH = 4
# Put into their callers whatever their size: a call would keep a loop from being vectorised.
INTO_THE_CALLER: Any = {"error_model": "numpy", "forceinline": True}
FORMULAS = (
    formulas.log,
    formulas.log1p,
    formulas.exp,
    formulas.mills,
    formulas.short_spread,
    formulas.log_moneyness,
    formulas.positive,
    formulas.usable,
    formulas.tails,
    formulas.time_value,
    formulas.forward_slope,
    formulas.priced,
    formulas.price_of,
    formulas.greeks_of,
    formulas.normalised,
    formulas.place,
    formulas.step,
    formulas.started,
    formulas.tabulated,
    formulas.settled,
)


def _cast(given: Any, wanted: Any) -> Any:
    """What reads the bits of one type as another."""

    def typed(context: Any, value: Any) -> Any:
        def cast(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(wanted))

        return wanted(given), cast

    return intrinsic(typed)


_bits, _double = _cast(types.float64, types.int64), _cast(types.int64, types.float64)


# What one number needs in another way than an array.
OF_ONE_NUMBER: dict[Any, Any] = {
    formulas.pick: lambda condition, this, other: this if condition else other,
    formulas.bits: lambda number: _bits(number),
    formulas.double: lambda integer: _double(integer),
}


def _take_over(formula: Callable[..., Any]) -> None:
    """Let compiled code call a formula."""
    found = OF_ONE_NUMBER.get(formula, formula)
    overload(formula, jit_options=INTO_THE_CALLER, strict=False)(lambda *arguments: found)


for formula in (*OF_ONE_NUMBER, *FORMULAS):
    _take_over(formula)


def _kernels(version: str) -> tuple[Any, Any, Any]:
    """The compiled loops. The compiler caches a function by its own file and what it encloses, hence `version`."""

    @njit(error_model="numpy", cache=True)
    def prices(block: Any) -> None:
        """Rows: forward, strike, year fraction, discount factor, vol, whether a call; then the price."""
        version  # noqa: B018
        for i in range(BLOCK):
            f, k, years = block[i], block[i + BLOCK], block[i + 2 * BLOCK]
            discount, vol, call = block[i + 3 * BLOCK], block[i + 4 * BLOCK], block[i + 5 * BLOCK]
            block[i + 6 * BLOCK] = price_of(f, k, years, discount, vol, call)

    @njit(error_model="numpy", cache=True)
    def greeks(block: Any) -> None:
        """Rows: those of `prices` up to the call, and spot; then price and the seven greeks."""
        version  # noqa: B018
        for i in range(BLOCK):
            f, k, years = block[i], block[i + BLOCK], block[i + 2 * BLOCK]
            discount, vol, call = block[i + 3 * BLOCK], block[i + 4 * BLOCK], block[i + 5 * BLOCK]
            price, delta, gamma, vega, theta, rho, vanna, volga = greeks_of(
                f, k, years, discount, vol, call, block[i + 6 * BLOCK]
            )
            block[i + 7 * BLOCK] = price
            block[i + 8 * BLOCK] = delta
            block[i + 9 * BLOCK] = gamma
            block[i + 10 * BLOCK] = vega
            block[i + 11 * BLOCK] = theta
            block[i + 12 * BLOCK] = rho
            block[i + 13 * BLOCK] = vanna
            block[i + 14 * BLOCK] = volga

    @njit(error_model="numpy", cache=True)
    def vols(block: Any, table: Any) -> None:
        """Rows: price, forward, strike, year fraction, discount factor, whether a call; then vol, and scratch.

        What looks a number up in the table can't be a vector instruction; what comes before and after it can.
        """
        version  # noqa: B018
        for i in range(BLOCK):
            price, f, k = block[i], block[i + BLOCK], block[i + 2 * BLOCK]
            years, discount, call = block[i + 3 * BLOCK], block[i + 4 * BLOCK], block[i + 5 * BLOCK]
            down, along, w, x, log_price = started(price, f, k, years, discount, call)
            block[i + 6 * BLOCK] = down
            block[i + 7 * BLOCK] = along
            block[i + 8 * BLOCK] = w
            block[i + 9 * BLOCK] = x
            block[i + 10 * BLOCK] = log_price
        for i in range(BLOCK):
            down, along = block[i + 6 * BLOCK], block[i + 7 * BLOCK]
            row, column = int(down), int(along)
            block[i + 6 * BLOCK] = tabulated(table, row, column, down - row, along - column)
        for i in range(BLOCK):
            block[i + 6 * BLOCK] = settled(
                block[i + 8 * BLOCK],
                block[i + 6 * BLOCK],
                block[i + 9 * BLOCK],
                block[i + 10 * BLOCK],
                block[i + 3 * BLOCK],
            )

    return prices, greeks, vols


prices, greeks, vols = _kernels(sha256(Path(formulas.__file__).read_bytes()).hexdigest())
