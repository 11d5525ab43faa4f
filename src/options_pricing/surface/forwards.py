"""Forward, discount factor and dividend yield of every expiration of a day, from put-call parity."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.pricing.american import early_exercise_premium, spot_and_rate
from options_pricing.pricing.american_vol import american_implied_vol
from options_pricing.surface.carry import dividend_yields, exercise_bounds, plausible, spot_and_mean_yield, steadied
from options_pricing.surface.pairs import Numbers, Pairs, call_put_pairs, nearest_pairs, smallest_gaps
from options_pricing.surface.robust import (
    Estimates,
    levels,
    slopes,
    weighted_means,
    weights_about_levels,
    weights_about_lines,
)
from options_pricing.surface.zero_curve import ZeroCurve

Array = NDArray[np.float64]

EXPIRATION = ["underlying", "root", "expiration"]
LOWEST_DISCOUNT, HIGHEST_DISCOUNT, HIGHEST_RATE = 0.85, 1.02, 0.08
MOST_PAIRS = 40
# Rounds end when no forward lacks more than this share of itself.
ROUNDS, SETTLED = 10, 1e-6
LARGEST_STEP = 0.05
# Standard deviation of an error that may lie anywhere within a width of one.
UNIFORM = 12**-0.5
TICK = 0.01


def expiration_numbers(chain: pd.DataFrame) -> Numbers:
    """For each row the number of its (underlying, root, expiration) in sorted order; a null root counts as one."""
    return chain.groupby(EXPIRATION, dropna=False, sort=True).ngroup().to_numpy()


def chain_forwards(chain: pd.DataFrame, *, curve: ZeroCurve, min_pairs: int, near_share: float) -> pd.DataFrame:
    r"""Forward and discount factor of each (underlying, root, expiration) of one day, with their standard errors.

    European options: the line :math:`C - P = D (F - K)` over the pairs with the smallest :math:`|C - P|`, weighted by
    1 / spread^2 and deaf to outliers (`weights_about_lines`: up to a quarter of the pairs may be wrong). An expiration
    is refused whose D does not lie between the lower of 0.85 and exp(-0.08 T), and 1.02. The slopes of all
    expirations, each by its own error, make one curve (`ZeroCurve.from_options`), for that of a few days is mostly
    noise; D comes from it, and F is the mean of :math:`K + (C - P) / D` over the same pairs with the same weights.

    American options, whose parity is an inequality: D comes from the same curve, else from `curve`. Early-exercise
    premia are taken off calls and puts at the vol of the out-of-the-money one, and F is the mean of
    :math:`K + (C - P) / D` over the nearest pairs, weighted by 1 / spread^2 without its outliers (up to half of the
    pairs may be wrong). Premia need spot and yield, which need forwards: a fixed point, found by secant steps until
    no forward moves by more than a hundredth of a basis point.

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
        year_fraction, pairs (their number), forward, forward_error, discount_factor, discount_factor_error (NaN
        where it is of `curve`), dividend_yield, spot, and method: ``parity_line``, ``american_parity``, or why there
        is none (``expired``, ``too_few_pairs``, ``no_sensible_line``). Numbers are NaN where there is no forward.
        Errors are standard errors, from how blocks of neighbouring strikes differ (`slopes`, `levels`); what all
        quotes of an expiration have in common, as a late capture, is not in them.
    """
    numbers = expiration_numbers(chain)
    pairs = call_put_pairs(chain, numbers)
    day = _Day(chain, numbers, pairs, min_pairs)
    european, american = (pairs.take(np.flatnonzero(of_it[pairs.expiration])) for of_it in (day.european, day.american))
    day.find_european(smallest_gaps(european, len(day.names), min_pairs, near_share), curve)
    day.find_american(nearest_pairs(american, day.discount, min_pairs, near_share, MOST_PAIRS))
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
        self.forward, self.forward_error, self.spot, self.yields = np.full((4, len(first)), np.nan)
        self.discount, self.discount_error = np.full((2, len(first)), np.nan)
        self.spot_bounds = _spot_bounds(chain, self.underlying[numbers])

    def find_european(self, near: Pairs, fallback: ZeroCurve) -> None:
        """Forwards of European expirations, and from their slopes the discount factors of all."""
        at, count = near.expiration, len(self.years)
        gap, noise = near.call - near.put, near.spread * UNIFORM
        strike = near.strike - near.strike[np.searchsorted(at, at)]  # Counted from the lowest: squares stay small.
        weights = weights_about_lines(strike, gap, noise, TICK * UNIFORM, at, count)
        slope = slopes(strike, gap, weights, noise, TICK * UNIFORM, at, count)
        lowest = np.minimum(LOWEST_DISCOUNT, np.exp(-HIGHEST_RATE * self.years))
        sound = self.european & (lowest < -slope.value) & (-slope.value < HIGHEST_DISCOUNT)
        curve = ZeroCurve.from_options(self.years[sound], -slope.value[sound], slope.error[sound], fallback)
        self.discount = curve.discount_factor(self.years)
        self.discount_error = self.discount * curve.interest_error(self.years)
        level = self._levels(near, weights, np.zeros(at.size))
        sound &= level.value > 0
        self.forward[sound], self.forward_error[sound] = level.value[sound], level.error[sound]

    def _levels(self, near: Pairs, weights: Array, premia: Array) -> Estimates:
        """Weighted means of ``K + (C - P) / D``, given the call's less the put's premium of each pair."""
        at, count = near.expiration, len(self.years)
        discount = self.discount[at]
        forwards = near.strike + (near.call - near.put - premia) / discount
        noise = near.spread * UNIFORM / discount
        level = levels(forwards, weights, noise, TICK * UNIFORM, at, count)
        # An error of D moves the forward as far as the pairs' middle is from it.
        middle = weighted_means(near.strike, weights, at, count)
        by_discount = np.nan_to_num((level.value - middle) * self.discount_error / self.discount)
        return Estimates(level.value, np.hypot(level.error, by_discount))

    def find_american(self, near: Pairs) -> None:
        """Forwards of American expirations, and with them spots and yields of all: a fixed point."""
        found = self._american_levels(near, np.zeros(near.strike.size))
        forward = found.value
        self._settle(found._replace(error=np.zeros(len(forward))))
        # One expiration of stale quotes must not spoil the spot of the others.
        self._refuse(self.american & ~plausible(self.years, self.yields))
        lack, relaxation = np.full(len(forward), np.nan), np.ones(len(forward))
        for _ in range(ROUNDS):
            self._settle(found._replace(value=forward))
            if not near.strike.size:
                return
            found = self._american_levels(near, self._premia(near))
            earlier, lack = lack, found.value - forward
            # The secant of two rounds: the circle alone comes three times closer a round, far out in time.
            with np.errstate(divide="ignore", invalid="ignore"):
                secant = relaxation * earlier / (earlier - lack)
            relaxation = np.where((secant > 0.5) & (secant < 5), secant, 1.0)
            forward = forward + np.clip(relaxation * lack, -LARGEST_STEP * forward, LARGEST_STEP * forward)
            if not (np.abs(lack) > SETTLED * forward)[self.american].any():
                break
        self._settle(found._replace(value=forward))

    def _refuse(self, refused: NDArray[np.bool_]) -> None:
        self.american &= ~refused
        self.forward[refused] = np.nan

    def _american_levels(self, near: Pairs, premia: Array) -> Estimates:
        at = near.expiration
        forwards = near.strike + (near.call - near.put - premia) / self.discount[at]
        noise = near.spread * UNIFORM / self.discount[at]
        weights = weights_about_levels(forwards, noise, TICK * UNIFORM, at, len(self.years))
        found = self._levels(near, weights, premia)
        # Where the strikes below say another forward than those above, the premia of one side are at fault.
        above = near.strike >= found.value[at]
        high, low = (weighted_means(forwards, weights * side, at, len(self.years)) for side in (above, ~above))
        return found._replace(error=np.hypot(found.error, np.nan_to_num(high - low) / 2))

    def _settle(self, american: Estimates) -> None:
        """Take these forwards for the American expirations, and find spots and yields with them."""
        of_american = self.american
        self.forward[of_american] = np.where(american.value > 0, american.value, np.nan)[of_american]
        self.forward_error[of_american] = american.error[of_american]
        prepaid = self.forward * self.discount
        yield_error = np.where(of_american, self.forward_error * self.discount, 0.0)
        for i, (low, high) in enumerate(self.spot_bounds):
            of_it = self.underlying == i
            spot, mean_yield = spot_and_mean_yield(self.years[of_it], prepaid[of_it])
            spot = float(np.clip(spot, low, high))
            yields = dividend_yields(self.years[of_it], prepaid[of_it], spot)
            with np.errstate(divide="ignore", invalid="ignore"):
                error = yield_error[of_it] / (spot * self.years[of_it])
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
            "forward_error": self.forward_error,
            "discount_factor": self.discount,
            "discount_factor_error": self.discount_error,
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
