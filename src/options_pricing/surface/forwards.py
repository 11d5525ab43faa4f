"""Forward, discount factor and dividend yield of every expiration of a day, from put-call parity."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.pricing.american import early_exercise_premium, spot_and_rate
from options_pricing.pricing.american_vol import american_implied_vol
from options_pricing.surface.carry import dividend_yields, exercise_bounds, plausible, spot_and_mean_yield, steadied
from options_pricing.surface.pairs import (
    Numbers,
    Pairs,
    call_put_pairs,
    nearest_pairs,
    parity_forward,
    parity_line,
    smallest_gaps,
    weighted_medians,
)
from options_pricing.surface.zero_curve import SHORTEST_NODE, ZeroCurve

Array = NDArray[np.float64]

EXPIRATION = ["underlying", "root", "expiration"]
LOWEST_DISCOUNT, HIGHEST_DISCOUNT, HIGHEST_RATE = 0.85, 1.02, 0.08
MOST_PAIRS = 40
ROUNDS = 5
LARGEST_STEP = 0.05


def expiration_numbers(chain: pd.DataFrame) -> Numbers:
    """For each row the number of its (underlying, root, expiration) in sorted order; a null root counts as one."""
    return chain.groupby(EXPIRATION, dropna=False, sort=True).ngroup().to_numpy()


def chain_forwards(chain: pd.DataFrame, *, curve: ZeroCurve, min_pairs: int, near_share: float) -> pd.DataFrame:
    r"""Forward and discount factor of each (underlying, root, expiration) of one day.

    European options: ordinary least squares of :math:`C - P = D (F - K)` on the strike, over the pairs with the
    smallest :math:`|C - P|`; refused unless D lies between the lower of 0.85 and exp(-0.08 T), and 1.02. Over less
    than `SHORTEST_NODE` years the slope of that line is mostly noise: D then comes from the curve through the
    longer expirations (`ZeroCurve`), and F is the mean of :math:`K + (C - P) / D` over the same pairs.

    American options, whose parity is an inequality: D comes from the same curve, else
    from `curve`. Early-exercise premia are taken off calls and puts at the vol of the out-of-the-money
    one, and F is the median of :math:`K + (C - P) / D` over the nearest pairs, weighted by 1 / spread^2. Premia
    need spot and yield, which need forwards: a fixed point, found by secant steps.

    Spot is inferred (`spot_and_mean_yield`), since the underlying's price in the table is seldom of the same
    second as the quotes; of an American underlying it is kept where no option can be exercised at a profit.

    Parameters
    ----------
    chain : DataFrame
        One day's quotes: underlying, root, expiration, strike, option_type, exercise_style, bid, ask and
        year_fraction.
    curve : ZeroCurve
        Discounts where the day has no European options that tell: flat, or of Treasury par yields. Neither is what
        the market finances American options at, which is some 30 to 60 basis points above Treasuries; no fudge
        stands for that here, and the dividend yields found take it up.
    min_pairs : int
        Two-sided pairs that an expiration needs.
    near_share : float
        Share of the pairs, nearest to the forward, that is used.

    Returns
    -------
    DataFrame
        One row per expiration, in the order of `expiration_numbers`: its three names, exercise_style,
        year_fraction, pairs (their number), forward, discount_factor, dividend_yield, spot, and method:
        ``parity_line``, ``american_parity``, or why there is none (``expired``, ``too_few_pairs``,
        ``no_sensible_line``). Numbers are NaN where there is no forward.
    """
    numbers = expiration_numbers(chain)
    pairs = call_put_pairs(chain, numbers)
    day = _Day(chain, numbers, pairs, min_pairs)
    day.find_european(pairs, near_share, curve)
    of_american = np.flatnonzero(day.american[pairs.expiration])
    near = nearest_pairs(pairs.take(of_american), day.discount, min_pairs, near_share, MOST_PAIRS)
    day.find_american(near)
    return day.table()


class _Day:
    """The expirations of a day while their forwards are being found: arrays with one value for each."""

    def __init__(self, chain: pd.DataFrame, numbers: Numbers, pairs: Pairs, min_pairs: int) -> None:
        first = chain.iloc[np.unique(numbers, return_index=True)[1]]
        self.names = first[[*EXPIRATION, "exercise_style"]].reset_index(drop=True)
        self.underlying = pd.factorize(first["underlying"], sort=True)[0]
        # Quotes of one expiration may be of different seconds; its forward is of one time.
        self.years = chain["year_fraction"].groupby(numbers).median().to_numpy()
        self.pairs = np.bincount(pairs.expiration, minlength=len(first))
        self.enough = self.pairs >= min_pairs
        style = first["exercise_style"].to_numpy(dtype=object)
        self.european = self.enough & (self.years > 0) & (style == "european")
        self.american = self.enough & (self.years > 0) & (style == "american")
        self.forward, self.discount, self.curve, self.spot, self.yields = np.full((5, len(first)), np.nan)
        self.spot_bounds = _spot_bounds(chain, self.underlying[numbers])

    def find_european(self, pairs: Pairs, near_share: float, fallback: ZeroCurve) -> None:
        """Forward and discount factor of European expirations, and from these the discount factors of all others."""
        ends = np.cumsum(self.pairs)
        lowest = np.minimum(LOWEST_DISCOUNT, np.exp(-HIGHEST_RATE * self.years))
        near = {
            i: smallest_gaps(pairs.take(np.arange(ends[i] - self.pairs[i], ends[i])), near_share)
            for i in np.flatnonzero(self.european).tolist()
        }
        for i, pairs_of_it in near.items():
            line = parity_line(pairs_of_it)
            if lowest[i] < line.discount_factor < HIGHEST_DISCOUNT and line.forward > 0:
                self.forward[i], self.discount[i] = line
        known = np.isfinite(self.discount)
        found = ZeroCurve.from_options(self.years[known], self.discount[known], fallback)
        self.curve = found.discount_factor(self.years)
        for i in np.flatnonzero(known & (self.years < SHORTEST_NODE)).tolist():
            self.forward[i], self.discount[i] = parity_forward(near[i], self.curve[i]), self.curve[i]
        self.discount[self.american] = self.curve[self.american]

    def find_american(self, near: Pairs) -> None:
        """Forwards of American expirations, and with them spots and yields of all: a fixed point."""
        precision = np.bincount(near.expiration, near.spread**-2.0, minlength=len(self.years))
        with np.errstate(divide="ignore"):
            price_error = np.where(self.american, 0.5 / np.sqrt(precision), 0.0)
        forward = self._parity_forwards(near, np.zeros(near.strike.size))
        self._settle(forward, np.zeros(len(forward)))
        # One expiration of stale quotes must not spoil the spot of the others.
        self._refuse(self.american & ~plausible(self.years, self.yields))
        lack, relaxation = np.full(len(forward), np.nan), np.ones(len(forward))
        for _ in range(ROUNDS):
            self._settle(forward, price_error)
            if not near.strike.size:
                return
            earlier, lack = lack, self._parity_forwards(near, self._premia(near)) - forward
            # The secant of two rounds: the circle alone comes three times closer a round, far out in time.
            with np.errstate(divide="ignore", invalid="ignore"):
                secant = relaxation * earlier / (earlier - lack)
            relaxation = np.where((secant > 0.5) & (secant < 5), secant, 1.0)
            forward = forward + np.clip(relaxation * lack, -LARGEST_STEP * forward, LARGEST_STEP * forward)
        self._settle(forward, price_error)

    def _refuse(self, refused: NDArray[np.bool_]) -> None:
        self.american &= ~refused
        self.forward[refused] = np.nan

    def _parity_forwards(self, near: Pairs, premia: Array) -> Array:
        """Weighted median of ``K + (C - P) / D``, given the call's less the put's premium of each pair."""
        forwards = near.strike + (near.call - near.put - premia) / self.discount[near.expiration]
        return weighted_medians(forwards, near.spread**-2.0, near.expiration, len(self.years))

    def _settle(self, american_forward: Array, price_error: Array) -> None:
        """Take these forwards for the American expirations, and find spots and yields with them."""
        self.forward[self.american] = np.where(american_forward > 0, american_forward, np.nan)[self.american]
        # A single expiration's own discount factor is too noisy to tell the spot.
        prepaid = self.forward * self.curve
        for i, (low, high) in enumerate(self.spot_bounds):
            of_it = self.underlying == i
            spot, mean_yield = spot_and_mean_yield(self.years[of_it], prepaid[of_it])
            spot = float(np.clip(spot, low, high))
            yields = dividend_yields(self.years[of_it], self.forward[of_it] * self.discount[of_it], spot)
            with np.errstate(divide="ignore", invalid="ignore"):
                error = price_error[of_it] / (spot * self.years[of_it])
            self.spot[of_it] = spot
            self.yields[of_it] = steadied(yields, mean_yield, error)

    def _premia(self, near: Pairs) -> Array:
        """Early-exercise premium of the call less that of the put, at the vol of the one out of the money."""
        at = near.expiration
        forward, years = self.forward[at], self.years[at]
        spot, rate = spot_and_rate(forward, years, self.discount[at], self.yields[at])
        contract = spot, near.strike, years, rate, self.yields[at]
        call = near.strike >= forward
        vol = american_implied_vol(np.where(call, near.call, near.put), *contract, call)
        of_call = early_exercise_premium(*contract, vol, np.ones(call.shape, dtype=bool))
        return of_call - early_exercise_premium(*contract, vol, np.zeros(call.shape, dtype=bool))

    def table(self) -> pd.DataFrame:
        """What has been found."""
        known = np.isfinite(self.forward)
        numbers = {
            "forward": self.forward,
            "discount_factor": self.discount,
            "dividend_yield": self.yields,
            "spot": self.spot,
        }
        cases = [known & self.european, known, ~(self.years > 0), ~self.enough]
        methods = ["parity_line", "american_parity", "expired", "too_few_pairs"]
        return self.names.assign(
            year_fraction=self.years,
            pairs=self.pairs,
            **{name: np.where(known, values, np.nan) for name, values in numbers.items()},
            method=np.select(cases, methods, "no_sensible_line"),
        )


def _spot_bounds(chain: pd.DataFrame, underlying: Numbers) -> list[tuple[float, float]]:
    american = (chain["exercise_style"] == "american").to_numpy()
    strike, ask = chain["strike"].to_numpy(dtype=float), chain["ask"].to_numpy(dtype=float)
    call = (chain["option_type"] == "C").to_numpy()
    rows = [american & (ask > 0) & (underlying == i) for i in range(int(underlying.max()) + 1)]
    return [exercise_bounds(strike[row], ask[row], call[row]) for row in rows]
