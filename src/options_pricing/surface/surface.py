"""A surface of option prices of one underlying on one day, fitted to its quotes."""

from functools import cached_property
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from options_pricing.pricing.black import black_price, is_call
from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.run.threads import one_thread
from options_pricing.surface.arbitrage import find_violations
from options_pricing.surface.constrained import fit_constrained
from options_pricing.surface.convex import Curve, Stacked
from options_pricing.surface.essvi import Essvi, essvi_vols, fit_essvi
from options_pricing.surface.quoted import Quoted, read_quotes
from options_pricing.surface.svi import Svi, fit_svi, svi_variances_at

Array = NDArray[np.float64]
Method = Literal["constrained", "essvi", "svi"]

SAME_TIME = 1e-9
# Smaller prices do not tell a vol.
LEAST_PRICE = 1e-290
CHECKED_STEPS = 201


class Surface:
    r"""European option prices at any maturity and strike, from `Surface.fit`.

    =============== ===========================================================================================
    `constrained`   convex curves through the quotes' bid and ask; free of arbitrage at every strike
    `essvi`         three parameters an expiration; free of arbitrage by construction, but far from many quotes
    `svi`           five parameters an expiration; closer, and not free of arbitrage
    =============== ===========================================================================================

    All work on ``c = C / (D F)`` and ``k = K / F``. Between expirations `constrained` weighs prices at one k,
    :math:`c = \alpha c_1 + (1 - \alpha) c_2`, :math:`\alpha = (\sqrt{\theta_2} - \sqrt\theta) /
    (\sqrt{\theta_2} - \sqrt{\theta_1})` with the total variance at the money theta linear in time (Gatheral and
    Jacquier 2014, lemma 5.1), which is free of arbitrage too. Before the first expiration and after the last the vol
    is theirs at the same standardised moneyness, without that promise.

    What it says of one option does not depend on which others are asked at the same time. Its pickle holds arrays of
    numbers only: the same quotes give the same bytes.
    """

    def __init__(self, method: Method, essvi: Essvi, svi: Svi | None, curves: list[Curve], quoted: Quoted) -> None:
        self.method: Method = method
        self.essvi, self._svi, self._curves = essvi, svi, curves
        self.forward = quoted.forward
        self._quoted_start, self._quoted_k = quoted.start, quoted.k
        self._root_theta = np.sqrt(essvi.theta)
        if curves:
            middle = self._stacked.greatest(np.arange(len(curves)), np.ones(len(curves)))
            self._root_theta = implied_vol(middle, 1.0, 1.0, 1.0, 1.0, True)

    @classmethod
    def fit(cls, quotes: pd.DataFrame, method: Method = "constrained") -> Self:
        """Fit a surface to the quotes of one underlying on one day.

        Parameters
        ----------
        quotes : DataFrame
            Rows of FEATURES, in any order; which of them count, `read_quotes` says.
        method : {"constrained", "essvi", "svi"}
            See the class.

        Raises
        ------
        BadDataError
            No quote can be used, or a column is missing.
        ValueError
            There is no such method.
        """
        if method not in get_args(Method):
            raise ValueError(f"method must be one of {', '.join(get_args(Method))}, not {method!r}")
        quoted = read_quotes(quotes)
        # The order in which threads add up would show in the last bits.
        with one_thread():
            essvi = fit_essvi(quoted)
            svi = fit_svi(quoted, essvi) if method == "svi" else None
            curves = fit_constrained(quoted, essvi) if method == "constrained" else []
        return cls(method, essvi, svi, curves, quoted)

    @property
    def year_fraction(self) -> Array:
        """Years to the expirations that were fitted, ascending."""
        return self.essvi.year_fraction

    def call_prices(
        self, year_fraction: ArrayLike, strike: ArrayLike, forward: ArrayLike, discount_factor: ArrayLike
    ) -> Array:
        """Prices of calls, in the currency of the strike; see `prices`."""
        return self.prices(year_fraction, strike, forward, discount_factor, True)

    def prices(
        self,
        year_fraction: ArrayLike,
        strike: ArrayLike,
        forward: ArrayLike,
        discount_factor: ArrayLike,
        option_type: ArrayLike,
    ) -> Array:
        """Prices of European options.

        Parameters
        ----------
        year_fraction, strike, forward, discount_factor : array_like
            Years, currency, currency, present value of 1; all positive.
        option_type : array_like
            ``C`` or ``P``, or booleans (true is a call). All arguments broadcast.

        Returns
        -------
        ndarray
            NaN where an argument is NaN or not positive.
        """
        numbers = (np.asarray(value, dtype=float) for value in (year_fraction, strike, forward, discount_factor))
        t, k, f, d, call = np.broadcast_arrays(*numbers, is_call(option_type))
        known = (t > 0) & (k > 0) & (f > 0) & (d > 0) & np.isfinite(t + k + f + d)
        price = np.full(t.shape, np.nan)
        ratio = k[known] / f[known]
        out = self._out_of_the_money(t[known], ratio)
        parity = np.where(call[known], 1 - ratio, ratio - 1)
        price[known] = d[known] * f[known] * (out + np.maximum(parity, 0.0))
        return price

    def vols_at(self, year_fraction: ArrayLike, moneyness: ArrayLike) -> Array:
        """Implied vols by maturity and standardised moneyness ``log(K / F) / sqrt(T)``, arrays of one shape.

        NaN where an argument is NaN or the maturity is not positive. So far out that a price says nothing, it is
        eSSVI's.
        """
        t, x = np.asarray(year_fraction, dtype=float), np.asarray(moneyness, dtype=float)
        known = (t > 0) & np.isfinite(t + x)
        vols = np.full(t.shape, np.nan)
        vols[known] = self._vols(t[known], x[known])
        return vols

    def covers(self, year_fraction: ArrayLike, moneyness: ArrayLike) -> NDArray[np.bool_]:
        """Whether options lie among the quotes; elsewhere an answer is extrapolated.

        Among the maturities of the quotes, and their moneyness around there: between two expirations its range is
        interpolated from theirs, in ``sqrt(T)``.
        """
        t, x = np.asarray(year_fraction, dtype=float), np.asarray(moneyness, dtype=float)
        known = np.sqrt(self.year_fraction)
        ends = np.log(self._quoted_k[[self._quoted_start[:-1], self._quoted_start[1:] - 1]]) / known
        with np.errstate(invalid="ignore"):
            at, slack = np.sqrt(t), SAME_TIME * (1 + np.abs(x))
            inside = (t >= self.year_fraction[0] - SAME_TIME) & (t <= self.year_fraction[-1] + SAME_TIME)
            low, high = (np.interp(at, known, end) for end in ends)
            return np.asarray(inside & (x >= low - slack) & (x <= high + slack))

    def violations(self, *, tolerance: float = 1e-12) -> pd.DataFrame:
        """Violated constraints (`find_violations`) at the expirations, on the quoted strikes and on 201 others.

        The others are common to all expirations, from the lowest quoted strike over forward to the highest.
        """
        common = np.geomspace(self._quoted_k.min(), self._quoted_k.max(), CHECKED_STEPS)
        per = np.split(self._quoted_k, self._quoted_start[1:-1])
        k = [np.union1d(common, own) for own in per]
        number = np.repeat(np.arange(len(k)), [len(own) for own in k])
        years, forward = self.year_fraction[number], self.forward[number]
        table = pd.DataFrame({"year_fraction": years, "forward": forward, "strike": np.concatenate(k) * forward})
        table["price"] = self.call_prices(years, table["strike"], forward, 1.0)
        return find_violations(table.assign(discount_factor=1.0, option_type="C"), price="price", tolerance=tolerance)

    def __getstate__(self) -> dict[str, Any]:
        made = {"_curves", "_svi", "_stacked"}
        flat: dict[str, Any] = {name: value for name, value in self.__dict__.items() if name not in made}
        flat["essvi"] = [np.ascontiguousarray(values) for values in self.essvi]
        flat["_svi"] = None if self._svi is None else [np.ascontiguousarray(values) for values in self._svi]
        flat["_curves"] = [[np.ascontiguousarray(values) for values in curve] for curve in self._curves]
        return flat

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.essvi = Essvi(*state["essvi"])
        self._svi = None if state["_svi"] is None else Svi(*state["_svi"])
        self._curves = [Curve(*values) for values in state["_curves"]]

    def _vols(self, t: Array, x: Array) -> Array:
        y = x * np.sqrt(t)
        if self.method != "constrained":
            return self._smooth_vols(t, y)
        inside = np.minimum(np.maximum(t, self.year_fraction[0]), self.year_fraction[-1])
        with np.errstate(over="ignore", under="ignore"):
            k = np.exp(x * np.sqrt(inside))
            usable = (k > 0) & np.isfinite(k)
            price = np.zeros(len(t))
            price[usable] = self._among_curves(inside[usable], k[usable])
        vols = np.full(len(t), np.nan)
        told = price > LEAST_PRICE
        vols[told] = implied_vol(price[told], 1.0, k[told], inside[told], 1.0, k[told] >= 1)
        untold = ~np.isfinite(vols)
        if untold.any():
            vols[untold] = essvi_vols(self.essvi, t[untold], y[untold])
        return vols

    def _smooth_vols(self, t: Array, y: Array) -> Array:
        if self._svi is None:
            return essvi_vols(self.essvi, t, y)
        return np.sqrt(svi_variances_at(self._svi, t, y) / t)

    def _out_of_the_money(self, t: Array, k: Array) -> Array:
        """Undiscounted prices per unit of forward, of puts where ``k < 1``, else of calls."""
        within = (t >= self.year_fraction[0] - SAME_TIME) & (t <= self.year_fraction[-1] + SAME_TIME)
        within &= self.method == "constrained"
        price = np.empty(len(t))
        if within.any():
            price[within] = self._among_curves(t[within], k[within])
        y = np.log(k[~within])
        vols = self._vols(t[~within], y / np.sqrt(t[~within]))
        price[~within] = black_price(1.0, k[~within], t[~within], 1.0, vols, k[~within] >= 1)
        return price

    def _among_curves(self, t: Array, k: Array) -> Array:
        """The prices of the curves, weighed between expirations."""
        known, root = self.year_fraction, self._root_theta
        later = np.minimum(known.searchsorted(t - SAME_TIME), len(known) - 1)
        price = self._stacked.greatest(later, k)
        between = np.abs(known[later] - t) > SAME_TIME
        if between.any():
            later = later[between]
            earlier = np.maximum(later - 1, 0)
            start, end = root[earlier], root[later]
            width, gap = end - start, known[later] - known[earlier]
            theta = start**2 + (end**2 - start**2) * (t[between] - known[earlier]) / gap
            share = np.where(width > 0, (end - np.sqrt(theta)) / np.where(width > 0, width, 1.0), 0.5)
            price[between] *= 1 - share
            price[between] += share * self._stacked.greatest(earlier, k[between])
        return price

    @cached_property
    def _stacked(self) -> Stacked:
        return Stacked(self._curves)
