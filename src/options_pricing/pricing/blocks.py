"""Running the formulas over arrays of any shape: by NumPy while there is little to do, compiled once there is much.

Both give the same bits, so that which of them ran is a matter of time alone: the compiler's run time takes half a
second to load, and then does in a millisecond what takes NumPy ten.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from options_pricing.pricing.formulas import Array

# So many options, all calls of a process together, take NumPy as long as the compiled code takes to load.
MUCH = 1_500_000
NUMPY_BLOCK = 8192


class _Work:
    """How many options the process has asked for."""

    def __init__(self) -> None:
        self.options = 0

    def is_much(self, more: int) -> bool:
        """Whether it is time for the compiled code, with `more` options to do."""
        self.options += more
        return self.options > MUCH


_WORK = _Work()


def expect_much() -> None:
    """Use the compiled code from now on: a process that serves for days, one option at a time, is faster with it."""
    _WORK.options = MUCH


def in_blocks(
    kernel: Literal["prices", "greeks", "vols"],
    formula: Callable[..., Any],
    arguments: Sequence[NDArray[Any]],
    table: Array | None = None,
    *,
    made: int = 1,
) -> Array:
    """Run a formula over flat arrays of one length.

    Parameters
    ----------
    kernel : {"prices", "greeks", "vols"}
        What the formula is called in `kernels`.
    formula : callable
        Takes arrays, and the table last where there is one.
    arguments : sequence of ndarray
        Flat, of one length; booleans or numbers.
    table : ndarray, optional
    made : int
        How many numbers there are for each option.

    Returns
    -------
    ndarray
        Of shape (made, options).
    """
    tables = () if table is None else (table,)
    run = _compiled if _WORK.is_much(arguments[0].size) else _by_numpy
    return run(kernel, formula, arguments, tables, np.empty((made, arguments[0].size)))


def _by_numpy(
    kernel: str, formula: Callable[..., Any], arguments: Sequence[NDArray[Any]], tables: Sequence[Array], out: Array
) -> Array:
    with np.errstate(all="ignore"):
        for start in range(0, out.shape[1], NUMPY_BLOCK):
            rows = slice(start, start + NUMPY_BLOCK)
            out[:, rows] = formula(*(values[rows] for values in arguments), *tables)
    return out


def _compiled(
    kernel: str, formula: Callable[..., Any], arguments: Sequence[NDArray[Any]], tables: Sequence[Array], out: Array
) -> Array:
    # Here and not above: only who has much to do waits for the compiler's run time.
    from options_pricing.pricing import kernels

    size = kernels.FEW if out.shape[1] <= kernels.FEW else kernels.BLOCK
    loop, given, made = kernels.LOOPS[size][kernel], len(arguments), len(out)
    block = np.ones((given + made + kernels.SCRATCH, size))
    for start in range(0, out.shape[1], size):
        count = min(size, out.shape[1] - start)
        for row, values in zip(block, arguments, strict=False):
            row[:count] = values[start : start + count]
        loop(block.reshape(-1), *tables)
        out[:, start : start + count] = block[given : given + made, :count]
    return out


def flat_together(*arguments: NDArray[Any]) -> tuple[list[NDArray[Any]], tuple[int, ...]]:
    """Arguments as flat arrays of one length, and the shape they broadcast to."""
    if all(values.shape == arguments[0].shape for values in arguments) and arguments[0].ndim == 1:
        return list(arguments), arguments[0].shape
    shape = np.broadcast(*arguments).shape
    return [_spread(values, shape) for values in arguments], shape


def _spread(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Values broadcast to a shape, flat; `numpy.broadcast_arrays` takes as long as the formula on one option does."""
    if values.shape != shape:
        given, values = values, np.empty(shape, dtype=values.dtype)
        values[...] = given
    return values.reshape(-1)
