"""Discount factors of one day, as its European options, Treasury yields or a given rate imply them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Over a shorter time the noise of the quotes outweighs the interest.
SHORTEST_NODE = 0.2
SAME_MATURITY = 1 / 365
FARTHEST_RATE = 0.03
HALF_YEAR = 0.5
NEWTON_ROUNDS = 50


class ZeroCurve:
    """``-log D`` as a piecewise linear function of time, straight from the origin to its first node.

    Between nodes the forward rate is therefore constant; past the last node its zero rate goes on.

    Parameters
    ----------
    year_fraction, interest : array_like
        Nodes: years, ascending and positive, and ``-log D`` there. At least one.

    Raises
    ------
    ValueError
        There is no node, one is not finite, or the years do not ascend from above zero.
    """

    def __init__(self, year_fraction: ArrayLike, interest: ArrayLike) -> None:
        years, owed = np.asarray(year_fraction, dtype=float), np.asarray(interest, dtype=float)
        if not years.size or not np.isfinite(np.r_[years, owed]).all() or not (np.diff(years, prepend=0.0) > 0).all():
            raise ValueError("a zero curve needs finite nodes at ascending times above zero")
        self._years, self._interest = np.r_[0.0, years], np.r_[0.0, owed]

    @classmethod
    def flat(cls, rate: float) -> "ZeroCurve":
        """One continuous rate per year for all times."""
        return cls([1.0], [rate])

    @classmethod
    def from_par_yields(cls, maturity_years: ArrayLike, par_yields: ArrayLike) -> "ZeroCurve":
        r"""Bootstrap US Treasury par yields (semi-annual bond equivalent, as the Treasury publishes them).

        Under a year a yield y is a bill's: :math:`D = 1 / (1 + y T)` up to half a year and
        :math:`1 / [(1 + y / 2)(1 + y (T - 1/2))]` after it (31 CFR part 356, appendix B). From a year on it is the
        coupon, paid half-yearly up to the maturity, of a bond worth par: :math:`\frac{y}{2} \sum_i D(t_i) + D(T) = 1`,
        solved maturity by maturity for the constant forward rate since the one before.

        Parameters
        ----------
        maturity_years : array_like
            Years, in any order, none twice; from one year on whole half-years.
        par_yields : array_like
            Decimals per year (4.31 % is 0.0431), above -1; NaN where there is none.

        Raises
        ------
        ValueError
            No yield is known, a maturity is not positive, is given twice or, from a year on, is no whole number of
            half-years, or a yield leaves no positive discount factor.

        Notes
        -----
        Treasuries lie some 30 to 60 basis points under the financing that put-call parity of index options implies
        (van Binsbergen, Diamond and Grotteria 2022: about 40 on average). Nothing is added here for that.
        """
        years, yields = np.asarray(maturity_years, dtype=float), np.asarray(par_yields, dtype=float)
        known = np.isfinite(years) & np.isfinite(yields)
        order = np.argsort(years[known], kind="stable")
        years, yields = years[known][order], yields[known][order]
        _check_maturities(years, yields)
        curve: ZeroCurve | None = None
        for maturity, par_yield in zip(years.tolist(), yields.tolist(), strict=True):
            owed = _bill_interest(maturity, par_yield) if maturity < 1 else _bond_interest(curve, maturity, par_yield)
            curve = cls([maturity], [owed]) if curve is None else curve._longer(maturity, owed)
        assert curve is not None
        return curve

    @classmethod
    def from_options(cls, year_fraction: ArrayLike, discount_factor: ArrayLike, fallback: "ZeroCurve") -> "ZeroCurve":
        """The curve through the discount factors that options imply; `fallback` where there is none.

        Parameters
        ----------
        year_fraction, discount_factor : array_like
            Of expirations, in any order; those under `SHORTEST_NODE` years are used only where there is no other, all
            of them then for one rate (least squares through the origin). A rate over 3 % away from the median is left
            out, and expirations within a day of each other are averaged.
        """
        years, interest = np.asarray(year_fraction, dtype=float), -np.log(np.asarray(discount_factor, dtype=float))
        known = np.isfinite(years) & np.isfinite(interest) & (years > 0)
        years, interest = years[known], interest[known]
        if not years.size:
            return fallback
        if years.max() < SHORTEST_NODE:
            return cls.flat((years * interest).sum() / (years**2).sum())
        years, interest = years[years >= SHORTEST_NODE], interest[years >= SHORTEST_NODE]
        agreed = np.abs(interest / years - np.median(interest / years)) <= FARTHEST_RATE
        return cls(*_merged(years[agreed], interest[agreed]))

    def interest(self, year_fraction: ArrayLike) -> Array:
        """``-log D`` after `year_fraction` years; NaN in, NaN out."""
        years = np.asarray(year_fraction, dtype=float)
        inside = np.interp(years, self._years, self._interest)
        beyond = years * (self._interest[-1] / self._years[-1])
        return np.where(years > self._years[-1], beyond, inside)

    def discount_factor(self, year_fraction: ArrayLike) -> Array:
        """Present value of 1 paid after `year_fraction` years; past the last node at its zero rate."""
        return np.exp(-self.interest(year_fraction))

    def _longer(self, years: float, interest: float) -> "ZeroCurve":
        return ZeroCurve(np.r_[self._years[1:], years], np.r_[self._interest[1:], interest])


def _check_maturities(years: Array, yields: Array) -> None:
    if not years.size:
        raise ValueError("no par yield is known")
    if not (np.diff(years, prepend=0.0) > 0).all():
        raise ValueError("maturities of par yields must be positive, and none given twice")
    halves = years[years >= 1] / HALF_YEAR
    if (np.abs(halves - np.round(halves)) > 1e-9).any():
        raise ValueError("from one year on, maturities of par yields must be whole half-years")
    if not (yields > -1).all():
        raise ValueError("a par yield is a decimal per year, above -1")


def _bill_interest(maturity: float, bill_yield: float) -> float:
    first = min(maturity, HALF_YEAR)
    return float(np.log1p(bill_yield * first) + np.log1p(bill_yield * (maturity - first)))


def _bond_interest(curve: ZeroCurve | None, maturity: float, par_yield: float) -> float:
    """``-log D`` at the maturity of a bond worth par, by Newton's method."""
    last, owed = (0.0, 0.0) if curve is None else (float(curve._years[-1]), float(curve._interest[-1]))
    coupons = np.arange(1, round(maturity / HALF_YEAR) + 1) * HALF_YEAR
    paid = np.full(coupons.size, par_yield * HALF_YEAR)
    paid[-1] += 1.0
    early = coupons <= last
    known = 0.0 if curve is None else float((paid[early] * curve.discount_factor(coupons[early])).sum())
    since, paid = coupons[~early] - last, paid[~early]

    def price_and_slope(forward_rate: float) -> tuple[float, float]:
        worth = paid * np.exp(-owed - forward_rate * since)
        return known + float(worth.sum()) - 1.0, -float((worth * since).sum())

    return owed + _root(price_and_slope, par_yield) * (maturity - last)


def _root(value_and_slope: Callable[[float], tuple[float, float]], start: float) -> float:
    at = start
    for _ in range(NEWTON_ROUNDS):
        with np.errstate(all="ignore"):
            value, slope = value_and_slope(at)
            step = float(np.divide(-value, slope))
        at += step
        if np.isfinite(at) and abs(step) <= 1e-15 + 1e-14 * abs(at):
            return at
    raise ValueError("the par yields have no curve of positive discount factors")


def _merged(years: Array, interest: Array) -> tuple[Array, Array]:
    order = np.argsort(years, kind="stable")
    years, interest = years[order], interest[order]
    node = np.r_[0, np.cumsum(np.diff(years) > SAME_MATURITY)]
    count = np.bincount(node)
    return np.bincount(node, years) / count, np.bincount(node, interest) / count
