"""Running the compiled kernels over arrays of any shape. Who imports this waits for the compiler's run time."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from options_pricing.pricing.black import Array
from options_pricing.pricing.kernels import BLOCK, WIDTH_NODES, WING_NODES, fill_table


@cache
def start_table() -> Array:
    """What `fill_table` makes, once in a process."""
    table = np.empty(WING_NODES * WIDTH_NODES)
    fill_table(table)
    return table


def in_blocks(
    kernel: Callable[..., None], arguments: Sequence[NDArray[Any]], *tables: Array, made: int, scratch: int = 0
) -> Array:
    """Run a kernel over arrays that broadcast.

    Returns
    -------
    ndarray
        The `made` rows that follow the arguments in the kernel's block, each of the shape of the arguments.
    """
    together = np.broadcast_arrays(*arguments)
    flat = [values.reshape(-1) for values in together]
    out = np.empty((made, flat[0].size))
    block = np.ones((len(flat) + made + scratch, BLOCK))
    for start in range(0, out.shape[1], BLOCK):
        count = min(BLOCK, out.shape[1] - start)
        for row, values in zip(block, flat, strict=False):
            row[:count] = values[start : start + count]
        kernel(block.reshape(-1), *tables)
        out[:, start : start + count] = block[len(flat) : len(flat) + made, :count]
    return out.reshape(made, *together[0].shape)
