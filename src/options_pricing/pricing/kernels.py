"""The formulas compiled: loops over a block of options. Who imports this waits for the compiler's run time.

A block is one flat array of options whose rows (price, forward, ...) lie its size apart: with a single array
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
# A block for one option, or a handful: a long one takes as long whether it is full or not.
FEW = 16
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


def _kernels(version: str, size: int) -> dict[str, Any]:
    """The compiled loops. The compiler caches a function by its own file and what it encloses, hence `version`."""

    @njit(error_model="numpy", cache=True)
    def prices(block: Any) -> None:
        """Rows: forward, strike, year fraction, discount factor, vol, whether a call; then the price."""
        version  # noqa: B018
        for i in range(size):
            f, k, years = block[i], block[i + size], block[i + 2 * size]
            discount, vol, call = block[i + 3 * size], block[i + 4 * size], block[i + 5 * size]
            block[i + 6 * size] = price_of(f, k, years, discount, vol, call)

    @njit(error_model="numpy", cache=True)
    def greeks(block: Any) -> None:
        """Rows: those of `prices` up to the call, and spot; then price and the seven greeks."""
        version  # noqa: B018
        for i in range(size):
            f, k, years = block[i], block[i + size], block[i + 2 * size]
            discount, vol, call = block[i + 3 * size], block[i + 4 * size], block[i + 5 * size]
            price, delta, gamma, vega, theta, rho, vanna, volga = greeks_of(
                f, k, years, discount, vol, call, block[i + 6 * size]
            )
            block[i + 7 * size] = price
            block[i + 8 * size] = delta
            block[i + 9 * size] = gamma
            block[i + 10 * size] = vega
            block[i + 11 * size] = theta
            block[i + 12 * size] = rho
            block[i + 13 * size] = vanna
            block[i + 14 * size] = volga

    @njit(error_model="numpy", cache=True)
    def vols(block: Any, table: Any) -> None:
        """Rows: price, forward, strike, year fraction, discount factor, whether a call; then vol, and scratch.

        What looks a number up in the table can't be a vector instruction; what comes before and after it can.
        """
        version  # noqa: B018
        for i in range(size):
            price, f, k = block[i], block[i + size], block[i + 2 * size]
            years, discount, call = block[i + 3 * size], block[i + 4 * size], block[i + 5 * size]
            down, along, w, x, log_price = started(price, f, k, years, discount, call)
            block[i + 6 * size] = down
            block[i + 7 * size] = along
            block[i + 8 * size] = w
            block[i + 9 * size] = x
            block[i + 10 * size] = log_price
        for i in range(size):
            down, along = block[i + 6 * size], block[i + 7 * size]
            row, column = int(down), int(along)
            block[i + 6 * size] = tabulated(table, row, column, down - row, along - column)
        for i in range(size):
            block[i + 6 * size] = settled(
                block[i + 8 * size],
                block[i + 6 * size],
                block[i + 9 * size],
                block[i + 10 * size],
                block[i + 3 * size],
            )

    return {"prices": prices, "greeks": greeks, "vols": vols}


VERSION = sha256(Path(formulas.__file__).read_bytes()).hexdigest()
LOOPS = {size: _kernels(VERSION, size) for size in (FEW, BLOCK)}
