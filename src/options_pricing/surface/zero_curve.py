"""Discount factors of one day, as its European options, Treasury yields or a given rate imply them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_pricing.surface.pairs import weighted_medians
from options_pricing.surface.robust import weighted_means

Array = NDArray[np.float64]

HALF_YEAR = 0.5
NEWTON_ROUNDS = 50
# How far a zero rate strays from the fallback's, standard deviations: as a whole, and on the way from one maturity to
# one e times as long. US Treasury par yields from a month to five years stray by 0.26 to 0.44 % (2021-2025).
FALLBACK_ERROR, BEND, ANY_LEVEL = 0.02, 0.004, 1.0
FARTHEST_RATE = 0.03
NEAREST_MATURITIES, LEAST_RATE_ERROR = 1e-6, 1e-8
NODES_FOR_A_SCALE, SCALES = 6, np.geomspace(1, 10, 21).tolist()


class ZeroCurve:
    """``-log D`` as a piecewise linear function of time, straight from the origin to its first node.

    Between nodes the forward rate is therefore constant; past the last node its zero rate goes on.

    Parameters
    ----------
    year_fraction, interest : array_like
        Nodes: years, ascending and positive, and ``-log D`` there. At least one.
    error : array_like, optional
        Standard errors of `interest`; unknown by default.

    Raises
    ------
    ValueError
        There is no node, one is not finite, or the years do not ascend from above zero.
    """

    def __init__(self, year_fraction: ArrayLike, interest: ArrayLike, error: ArrayLike = np.nan) -> None:
        years, owed = np.asarray(year_fraction, dtype=float), np.asarray(interest, dtype=float)
        if not years.size or not np.isfinite(np.r_[years, owed]).all() or not (np.diff(years, prepend=0.0) > 0).all():
            raise ValueError("a zero curve needs finite nodes at ascending times above zero")
        self._years, self._interest = np.r_[0.0, years], np.r_[0.0, owed]
        self._error = np.r_[0.0, np.broadcast_to(np.asarray(error, dtype=float), years.shape)]

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
    def from_options(
        cls, year_fraction: ArrayLike, discount_factor: ArrayLike, error: ArrayLike, fallback: "ZeroCurve"
    ) -> "ZeroCurve":
        r"""The curve that the discount factors of a day's expirations bear out, each by its own precision.

        Zero rates are the fallback's plus a Brownian motion in the logarithm of time, whose deviation is
        `FALLBACK_ERROR` at the first expiration and grows by `BEND`\ :sup:`2` of variance per unit; given the rates
        of the expirations with their errors, the curve is its mean (Kimeldorf and Wahba 1970). Days of noise bend it
        little, precise expirations are left as they are. Where expirations differ from what the others say by more
        than their errors allow, all errors are scaled up (Birge 1932). A rate over 3 % and three errors away from
        their median is left out.

        Parameters
        ----------
        year_fraction, discount_factor, error : array_like
            Of expirations, in any order: years, discount factors and their standard errors.
        fallback : ZeroCurve
            Holds where there is no expiration.
        """
        years, discount = np.asarray(year_fraction, dtype=float), np.asarray(discount_factor, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate, rate_error = -np.log(discount) / years, np.asarray(error, dtype=float) / discount / years
        known = np.isfinite(rate) & np.isfinite(rate_error) & (years > 0)
        if not known.any():
            return fallback
        years, rate, precision = _agreed(years[known], rate[known], rate_error[known])
        usual = fallback.interest(years) / years
        stray, stray_error = _smoothed(np.log(years), rate - usual, precision)
        return cls(years, (usual + stray) * years, stray_error * years)

    def interest(self, year_fraction: ArrayLike) -> Array:
        """``-log D`` after `year_fraction` years; NaN in, NaN out."""
        return self._at(year_fraction, self._interest)

    def interest_error(self, year_fraction: ArrayLike) -> Array:
        """Standard error of `interest`, which is the relative one of the discount factor; NaN where it is unknown."""
        return self._at(year_fraction, self._error)

    def discount_factor(self, year_fraction: ArrayLike) -> Array:
        """Present value of 1 paid after `year_fraction` years; past the last node at its zero rate."""
        return np.exp(-self.interest(year_fraction))

    def _at(self, year_fraction: ArrayLike, values: Array) -> Array:
        years = np.asarray(year_fraction, dtype=float)
        beyond = years * (values[-1] / self._years[-1])
        return np.where(years > self._years[-1], beyond, np.interp(years, self._years, values))

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


def _agreed(years: Array, rate: Array, error: Array) -> tuple[Array, Array, Array]:
    """Ascending years, rates and their precisions without absurd rates, expirations of one instant taken together."""
    error = np.maximum(error, LEAST_RATE_ERROR)
    middle = weighted_medians(rate, 1 / error, np.zeros(rate.size, dtype=np.intp), 1)
    sane = np.abs(rate - middle) <= FARTHEST_RATE + 3 * error
    years, node = np.unique(years[sane], return_inverse=True)
    precision = np.zeros(years.size)
    np.add.at(precision, node, error[sane] ** -2)
    return years, weighted_means(rate[sane], error[sane] ** -2, node, years.size), precision


def _smoothed(log_years: Array, stray: Array, precision: Array) -> tuple[Array, Array]:
    """Mean and standard error of the strayed rates, given what was seen of them with a precision."""
    apart = BEND**2 * np.maximum(np.diff(log_years), NEAREST_MATURITIES)
    walk = np.r_[0.0, np.cumsum(apart)]
    shape = np.minimum(walk[:, None], walk)
    if stray.size >= NODES_FOR_A_SCALE:
        # Judged by the shape alone: a wrong level of the fallback says nothing of the options' errors.
        anywhere = shape + ANY_LEVEL**2
        precision = max(
            (precision / times**2 for times in SCALES), key=lambda p: _log_likelihood(stray, anywhere + np.diag(1 / p))
        )
    prior = shape + FALLBACK_ERROR**2
    gain = np.linalg.solve(prior + np.diag(1 / precision), prior).T
    return gain @ stray, np.sqrt(np.diag(prior - gain @ prior))


def _log_likelihood(values: Array, covariance: Array) -> float:
    root = np.linalg.cholesky(covariance)
    return -float((np.linalg.solve(root, values) ** 2).sum() / 2 + np.log(np.diag(root)).sum())
