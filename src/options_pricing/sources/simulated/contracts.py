"""The contracts of one underlying as arrays, and what they are truly worth at a close."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.pricing.american import early_exercise_premium
from options_pricing.pricing.black import black_price
from options_pricing.quotes.osi import STRIKE_SCALE
from options_pricing.run.calendar import DAYS_A_YEAR, session_close, year_fractions
from options_pricing.sources.simulated.carry import discount_factor, forwards
from options_pricing.sources.simulated.draws import Array
from options_pricing.sources.simulated.instruments import Density, Instrument
from options_pricing.sources.simulated.listing import Days, Expiration, expirations, strike_grid
from options_pricing.sources.simulated.process import Path
from options_pricing.sources.simulated.surface import Slice, slices, total_variance

EXPIRATION_BITS, STRIKE_BITS = np.int64(40), np.int64(2)


@dataclass(frozen=True)
class Contracts:
    """Options of one underlying, one entry each; `which` points into `expirations`."""

    expirations: list[Expiration]
    which: NDArray[np.intp]
    strike: Array
    call: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.which)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Contracts":
        """Some of them."""
        return Contracts(self.expirations, self.which[rows], self.strike[rows], self.call[rows])

    @cached_property
    def dates(self) -> Days:
        """Expiration dates."""
        return np.array([expiration.date for expiration in self.expirations], dtype="datetime64[D]")[self.which]

    @cached_property
    def listed(self) -> Days:
        """Days on which the expirations were listed."""
        return np.array([expiration.listed for expiration in self.expirations], dtype="datetime64[D]")[self.which]

    @cached_property
    def roots(self) -> NDArray[np.object_]:
        """Roots of the symbols."""
        return np.array([expiration.root for expiration in self.expirations], dtype=object)[self.which]

    @cached_property
    def settlements(self) -> NDArray[np.object_]:
        """``am`` or ``pm``."""
        return np.array([expiration.settlement for expiration in self.expirations], dtype=object)[self.which]

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """A number for each contract, the same on every day: what its draws belong to."""
        thousandths = np.round(self.strike * STRIKE_SCALE).astype(np.int64)
        side = 2 * self.call.astype(np.int64) + (self.settlements == "am")
        return (self.dates.astype(np.int64) << EXPIRATION_BITS) | (thousandths << STRIKE_BITS) | side


class Truth(NamedTuple):
    """What each contract is truly worth at a close; arrays of one length."""

    year_fraction: Array
    forward: Array
    discount_factor: Array
    implied_vol: Array
    price: Array

    @property
    def deviation(self) -> Array:
        """``vol * sqrt(year_fraction)``."""
        return self.implied_vol * np.sqrt(self.year_fraction)


def listed_contracts(instrument: Instrument, density: Density, path: Path, day: np.datetime64) -> Contracts:
    """Every contract that is listed at the close of `day` and trades on: by root, date, strike; calls before puts."""
    found = expirations(instrument.rules[density], day, path.sessions)
    today = path.at(day)
    grids = []
    for expiration in found:
        since = min(path.at(expiration.listed), today)
        left = (expiration.date - path.sessions[since : today + 1]).astype(np.int64) / DAYS_A_YEAR
        grids.append(strike_grid(instrument, density, path.spot[since : today + 1], left))
    which = np.repeat(np.arange(len(found)), [2 * len(grid) for grid in grids])
    strikes = np.concatenate([np.repeat(grid, 2) for grid in grids]) if grids else np.zeros(0)
    return Contracts(found, which, strikes, np.arange(len(which)) % 2 == 0)


def years_to(found: list[Expiration], day: np.datetime64) -> Array:
    """Time from the close of `day` to each expiry, years of 365 days."""
    dates = pd.Series(np.array([expiration.date for expiration in found], dtype="datetime64[s]"))
    settlements = pd.Series([expiration.settlement for expiration in found], dtype="object")
    return year_fractions(dates, settlements, session_close(yyyymmdd(day))).to_numpy(dtype=float)


def true_values(instrument: Instrument, path: Path, day: np.datetime64, contracts: Contracts) -> Truth:
    """Vol, forward, discount factor and price of each contract at the close of `day`."""
    at = path.at(day)
    spot, short_rate = float(path.spot[at]), float(path.short_rate[at])
    years = years_to(contracts.expirations, day)
    to_ex_days = (path.ex_days[path.ex_days > day] - day).astype(np.int64) / DAYS_A_YEAR
    forward = forwards(instrument.dividends, spot, short_rate, years, to_ex_days)[contracts.which]
    discount = discount_factor(short_rate, years)[contracts.which]
    parameters = slices(instrument.smile, path.factors_at(at), years)
    slice_ = Slice(*(values[contracts.which] for values in parameters))
    maturity = years[contracts.which]
    vol = np.sqrt(total_variance(slice_, np.log(contracts.strike / forward)) / maturity)
    price = black_price(forward, contracts.strike, maturity, discount, vol, contracts.call)
    truth = Truth(maturity, forward, discount, vol, price)
    if instrument.exercise_style == "european":
        return truth
    on_eves = _exercised_before_dividends(instrument, spot, short_rate, to_ex_days, contracts, truth)
    return truth._replace(price=np.maximum(_with_yield(spot, contracts, truth), on_eves))


def _with_yield(spot: float, contracts: Contracts, truth: Truth) -> Array:
    """American prices with the dividends spread evenly over each option's life.

    Black's price on the escrowed-dividend forward and the early-exercise premium at the continuous yield that gives
    that forward.
    """
    rate = -np.log(truth.discount_factor) / truth.year_fraction
    dividend_yield = rate - np.log(truth.forward / spot) / truth.year_fraction
    premium = early_exercise_premium(
        spot,
        contracts.strike,
        truth.year_fraction,
        rate,
        dividend_yield,
        truth.implied_vol,
        contracts.call,
    )
    exercised = np.where(contracts.call, spot - contracts.strike, contracts.strike - spot)
    return np.maximum(truth.price + premium, exercised)


def _exercised_before_dividends(
    instrument: Instrument, spot: float, short_rate: float, to_ex_days: Array, contracts: Contracts, truth: Truth
) -> Array:
    """What a call is worth to who exercises it on the eve of the best ex-day (Black 1975); 0 for puts.

    A yield knows no eves. The greater of the two lies within 1 % under a finite-difference price with discrete
    dividends; for a call near the money that expires within days after an ex-day, within 4 %.
    """
    best = np.zeros(len(contracts))
    eves = np.nextafter(to_ex_days, 0)
    discounts = discount_factor(short_rate, eves)
    before = forwards(instrument.dividends, spot, short_rate, eves, to_ex_days)
    for eve, forward, discount in zip(eves, before, discounts, strict=True):
        rows = np.flatnonzero(contracts.call & (truth.year_fraction >= eve))
        if not rows.size:
            break
        price = black_price(forward, contracts.strike[rows], eve, discount, truth.implied_vol[rows], True)
        best[rows] = np.maximum(best[rows], price)
    return best


def yyyymmdd(day: np.datetime64) -> str:
    """A date as the tasks write it."""
    return str(day).replace("-", "")
