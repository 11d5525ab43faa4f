"""The implied vols of one underlying on one day, joined by straight lines."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, KDTree, QhullError

from options_pricing.run.threads import one_thread

Array = NDArray[np.float64]
Found = TypeVar("Found")

TIME_SCALE = 4.0
ON_AN_EDGE = 1e-10
SAME_MATURITY = 1e-9


class VolSurface:
    """Vols between the quotes of a day: linear over ``(4 sqrt(T), x)``, that of the nearest quote outside.

    With ``x = log(K / F) / sqrt(T)``. The triangles are Delaunay's. What it says of one option does not depend,
    even in the last bit, on which others are asked at the same time.

    Parameters
    ----------
    year_fraction, moneyness, vol : ndarray of shape (quotes,)
        Years, standardised log-moneyness, decimal per year; all finite, at least one quote.
    """

    def __init__(self, year_fraction: Array, moneyness: Array, vol: Array) -> None:
        self.year_fraction = np.ascontiguousarray(year_fraction, dtype=float)
        self.moneyness = np.ascontiguousarray(moneyness, dtype=float)
        self.vol = np.ascontiguousarray(vol, dtype=float)
        self._between: Callable[[Array], Array] | None = None

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.__dict__.items() if name != "_ranges"}
        return {**kept, "_between": None}

    def vols_at(self, year_fraction: Array, moneyness: Array) -> Array:
        """Vols of options of any maturity and moneyness, arrays of one shape; NaN where either is."""
        if self._between is None:
            self._between = _line(self) if np.ptp(self.year_fraction) == 0 else _triangles(self)
        asked = _points(np.asarray(year_fraction, dtype=float), np.asarray(moneyness, dtype=float))
        known = np.isfinite(asked).all(axis=1)
        vols = np.full(len(asked), np.nan)
        if known.any():
            vols[known] = self._between(asked[known])
        return vols

    def covers(self, year_fraction: Array, moneyness: Array) -> NDArray[np.bool_]:
        """Whether options lie within the maturities of the quotes, and within their moneyness around there.

        The range of moneyness at a maturity between two expirations is interpolated from theirs, in ``sqrt(T)``.
        """
        maturities, lowest, highest = self._ranges
        t, x = np.asarray(year_fraction, dtype=float), np.asarray(moneyness, dtype=float)
        with np.errstate(invalid="ignore"):
            at, known = np.sqrt(t), np.sqrt(maturities)
            slack = SAME_MATURITY * (1 + np.abs(x))
            inside = (t >= maturities[0] - SAME_MATURITY) & (t <= maturities[-1] + SAME_MATURITY)
            low, high = np.interp(at, known, lowest), np.interp(at, known, highest)
            return np.asarray(inside & (x >= low - slack) & (x <= high + slack))

    @cached_property
    def _ranges(self) -> tuple[Array, Array, Array]:
        """The maturities of the quotes, and the lowest and highest moneyness of each."""
        maturities, place = np.unique(self.year_fraction, return_inverse=True)
        lowest, highest = np.full(len(maturities), np.inf), np.full(len(maturities), -np.inf)
        np.minimum.at(lowest, place, self.moneyness)
        np.maximum.at(highest, place, self.moneyness)
        return maturities, lowest, highest


class Interpolations:
    """What surfaces said and days taught before, so that models asking the same of the same days pay once.

    It is found by content, not by name or date: whatever changes in a quote makes another surface.
    """

    def __init__(self) -> None:
        self._said: dict[bytes, Any] = {}

    def remembered(self, key: bytes, find: Callable[[], Found]) -> Found:
        """What `find` gave when this key was first asked for."""
        if key not in self._said:
            self._said[key] = find()
        found: Found = self._said[key]
        return found

    def vols_at(self, surface: VolSurface, year_fraction: Array, moneyness: Array) -> Array:
        """`VolSurface.vols_at`, remembered."""
        key = digest(surface.year_fraction, surface.moneyness, surface.vol) + digest(year_fraction, moneyness)
        return self.remembered(key, lambda: surface.vols_at(year_fraction, moneyness)).copy()


def digest(*arrays: Array) -> bytes:
    """SHA-256 of the bytes of arrays of one length."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(values).tobytes() for values in arrays)).digest()


def _points(year_fraction: Array, moneyness: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.column_stack([TIME_SCALE * np.sqrt(year_fraction), moneyness])


def _line(surface: VolSurface) -> Callable[[Array], Array]:
    """Of one expiration only: linear in moneyness, flat outside."""
    moneyness, first = np.unique(surface.moneyness, return_index=True)
    vol = surface.vol[first]
    return lambda asked: np.interp(asked[:, 1], moneyness, vol)


def _triangles(surface: VolSurface) -> Callable[[Array], Array]:
    points, vol = _points(surface.year_fraction, surface.moneyness), surface.vol
    nearest = KDTree(points)
    try:
        mesh = Delaunay(points)
        with one_thread():  # Thousands of 2 x 2 systems: threads only get in each other's way.
            _ = mesh.transform
    except QhullError:  # All quotes on one line, or fewer than a triangle has corners.
        return lambda asked: vol[nearest.query(asked)[1]]

    def between(asked: Array) -> Array:
        vols = np.empty(len(asked))
        triangle = mesh.find_simplex(asked)
        inside = triangle >= 0
        vols[~inside] = vol[nearest.query(asked[~inside])[1]] if not inside.all() else 0.0
        vols[inside] = _within(mesh, vol, asked[inside], triangle[inside])
        return vols

    return between


def _within(mesh: Delaunay, vol: Array, asked: Array, triangle: NDArray[np.int32]) -> Array:
    """Linear in each triangle.

    Most options lie on an edge, because an expiration is a line of quotes. Which of the two triangles beside it
    is found depends on the options asked before, so an edge is given its own formula.
    """
    transform, corners = mesh.transform[triangle], mesh.simplices[triangle]
    two = np.einsum("nij,nj->ni", transform[:, :2], asked - transform[:, 2])
    weights = np.column_stack([two, 1 - two.sum(axis=1)])
    vols = (weights * vol[corners]).sum(axis=1)
    off = weights < ON_AN_EDGE
    edge, corner = off.sum(axis=1) == 1, off.sum(axis=1) == 2
    vols[corner] = vol[corners[corner][~off[corner]]]
    ends = np.sort(corners[edge][~off[edge]].reshape(-1, 2), axis=1)
    start, along = mesh.points[ends[:, 0]], mesh.points[ends[:, 1]] - mesh.points[ends[:, 0]]
    share = ((asked[edge] - start) * along).sum(axis=1) / (along**2).sum(axis=1)
    vols[edge] = vol[ends[:, 0]] + share * (vol[ends[:, 1]] - vol[ends[:, 0]])
    return vols
