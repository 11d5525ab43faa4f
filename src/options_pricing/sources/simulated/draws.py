"""Random numbers that belong to a name and an integer code, not to the order in which they are drawn.

A draw is a hash of (name, code): the innovation of one date, the quote noise of one contract on one day. Whoever
asks for it, alone or among thousands, in whatever order, gets the same number.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Codes = NDArray[np.uint64]
Array = NDArray[np.float64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
UNUSED_BITS = np.uint64(11)


def uniforms(name: str, codes: NDArray[np.integer]) -> Array:
    """One number in (0, 1) for each code, from the stream called `name`.

    Parameters
    ----------
    name : str
        Anything; another name is an independent stream.
    codes : array of integers, any shape
        Whatever the draws belong to: dates as days, contracts as numbers.
    """
    key = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=8).digest(), dtype="<u8")[0]
    codes = np.asarray(codes).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = _mixed(_mixed(codes * GOLDEN + key) ^ key)
    return ((mixed >> UNUSED_BITS).astype(np.float64) + 0.5) * 2.0**-53


def normals(name: str, codes: NDArray[np.integer]) -> Array:
    """One standard normal number for each code (see `uniforms`)."""
    return ndtri(uniforms(name, codes))


def tail_scales(name: str, codes: NDArray[np.integer], degrees: int) -> Array:
    """Factors that turn standard normals into Student-t numbers of unit variance.

    ``sqrt((degrees - 2) / chi2)`` with ``chi2 = -2 sum(log u)`` over ``degrees / 2`` uniforms: exact for even degrees.
    """
    if degrees % 2 or degrees < 4:
        raise ValueError(f"degrees must be even and 4 or more, not {degrees}")
    chi2 = -2 * sum(np.log(uniforms(f"{name}/{i}", codes)) for i in range(degrees // 2))
    return np.sqrt((degrees - 2) / chi2)


def _mixed(values: Codes) -> Codes:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every input bit reaches every output bit."""
    values = (values ^ (values >> SHIFTS[0])) * MULTIPLIERS[0]
    values = (values ^ (values >> SHIFTS[1])) * MULTIPLIERS[1]
    return values ^ (values >> SHIFTS[2])
