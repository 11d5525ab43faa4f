"""The usable quotes of a chain as European options out of the money: what rules on vols and on arbitrage compare."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from options_pricing.pricing.black import black_price, price_and_greeks
from options_pricing.pricing.formulas import INV_SQRT_2PI, mills
from options_pricing.pricing.implied_vol import implied_vol
from options_pricing.quotes.osi import describe_roots
from options_pricing.validation.carry import Carry, carry_of
from options_pricing.validation.chain import Chain, Codes, Floats, Mask

# An early-exercise premium that is surely under this share of a tick is not looked for.
PREMIUM_IN_TICKS = 0.1


class Points(NamedTuple):
    """One quote for each strike of each expiration, sorted by underlying, time and strike; arrays of shape (points,).

    Prices are undiscounted calls per unit of forward, ``c = C / (D F)`` at ``k = K / F``, in which all expirations
    compare; a put's is ``p + 1 - k``. `unit` is ``D F``, which takes them to the currency. `expiry` counts expirations
    in this order and `last_expiry` is that of the underlying's last one. `noise` is what the quotes leave open of the
    forward, over it.
    """

    row: Codes
    expiry: Codes
    last_expiry: Codes
    years: Floats
    forward: Floats
    unit: Floats
    k: Floats
    call: Mask
    low: Floats
    high: Floats
    tick: Floats
    noise: Floats

    def take(self, points: Codes | Mask) -> "Points":
        """Some of the points."""
        return Points(**{name: values[points] for name, values in self._asdict().items()})


class Market:
    """Points of a chain and their vols.

    Only quotes out of the money are taken: in the money an error of the discount factor, or of the early-exercise
    premium, is worth more than what is compared here (parity, B05, is about them). From American options the premium
    at the vol of their mid is taken off bid and ask.

    Parameters
    ----------
    points : Points
    vol : ndarray
        Black's vol of the mid, per year; NaN where there is none.
    """

    def __init__(self, points: Points, vol: Floats) -> None:
        self.points, self.vol = points, vol
        self.verdicts: dict[float, Any] = {}  # of the rules on arbitrage, by their tolerance

    def part(self, start: int, end: int) -> "Market":
        """The points from `start` to before `end`, of whole underlyings."""
        return Market(self.points.take(np.arange(start, end)), self.vol[start:end])

    @cached_property
    def vega(self) -> Floats:
        """Change of price in the currency per 1.00 of vol."""
        points = self.points
        greeks = price_and_greeks(1.0, points.k, points.years, 1.0, self.vol, points.call)
        return np.asarray(greeks.vega * points.unit)

    @cached_property
    def vol_error(self) -> Floats:
        """By how much half the spread and a tick move the vol, per year; infinite without vega."""
        half = (self.points.high - self.points.low) / 2 * self.points.unit
        with np.errstate(divide="ignore", invalid="ignore"):
            error = (half + self.points.tick) / self.vega
        return np.where(np.isfinite(error), error, np.inf)


class _Contracts(NamedTuple):
    """What prices some options, one array a column."""

    mid: Floats
    forward: Floats
    strike: Floats
    years: Floats
    discount: Floats
    dividend_yield: Floats
    call: Mask
    tick: Floats

    def take(self, rows: Codes) -> "_Contracts":
        return _Contracts(**{name: values[rows] for name, values in self._asdict().items()})


def build_market(chain: Chain) -> Market:
    """The market of a chain's usable rows."""
    carry = carry_of(chain)
    rows = _one_a_strike(chain, _rows(chain, carry))
    options = _contracts(chain, carry, rows)
    vol, premium = _vols_and_premia(options, ~chain.european[rows])
    unit, k = options.forward * options.discount, options.strike / options.forward
    parity = np.where(options.call, 0.0, 1 - k)
    low, high = ((price[rows] - premium) / unit + parity for price in (chain.bid, chain.ask))
    number, last = _numbers(chain, rows)
    noise = carry.noise[chain.expiry[rows]] / options.forward
    forms = options.years, options.forward, unit, k, options.call, low, high, options.tick, noise
    return Market(Points(rows, number, last, *forms), vol)


def _contracts(chain: Chain, carry: Carry, rows: Codes) -> _Contracts:
    expiry = chain.expiry[rows]
    return _Contracts(
        mid=chain.mid[rows],
        forward=carry.forward[expiry],
        strike=chain.strike[rows],
        years=chain.year_fraction[rows],
        discount=carry.discount_factor[expiry],
        dividend_yield=carry.dividend_yield[expiry],
        call=chain.call[rows],
        tick=chain.tick_at(chain.mid)[rows],
    )


def _rows(chain: Chain, carry: Carry) -> Codes:
    """Usable sound quotes, out of the money, of living standard contracts whose expiration has a forward."""
    forward = carry.forward[chain.expiry]
    with np.errstate(invalid="ignore"):
        fit = chain.usable & chain.sound & (chain.year_fraction > 0) & (chain.strike > 0) & (forward > 0)
        out = np.where(chain.call, chain.strike >= forward, chain.strike < forward)
    fit &= np.isfinite(chain.strike) & (chain.call | chain.put) & out
    return np.flatnonzero(fit & ~describe_roots(chain.table["root"])["adjusted"].to_numpy(dtype=bool))


def _one_a_strike(chain: Chain, rows: Codes) -> Codes:
    """Sorted by underlying, time and strike; of several quotes of a contract the narrowest."""
    expiry, strike = chain.expiry[rows], chain.strike[rows]
    width, underlying = (chain.ask - chain.bid)[rows], _underlying(chain)[rows]
    order = np.lexsort((rows, width, strike, expiry, chain.year_fraction[rows], underlying))
    expiry, strike = expiry[order], strike[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (expiry[1:] != expiry[:-1]) | (strike[1:] != strike[:-1])
    return rows[order[new]]


def _underlying(chain: Chain) -> Codes:
    return np.asarray(pd.factorize(chain.table["underlying"], use_na_sentinel=False)[0], dtype=np.int64)


def _numbers(chain: Chain, rows: Codes) -> tuple[Codes, Codes]:
    """Of sorted rows the number of the expiration, and that of the underlying's last expiration."""
    if not len(rows):
        return rows, rows
    number = np.cumsum(np.diff(chain.expiry[rows], prepend=chain.expiry[rows[0]]) != 0)
    underlying = _underlying(chain)[rows]
    ends = np.flatnonzero(np.append(np.diff(underlying) != 0, True))
    block = np.cumsum(np.diff(underlying, prepend=underlying[0]) != 0)
    return number, number[ends][block]


def _vols_and_premia(options: _Contracts, american: Mask) -> tuple[Floats, Floats]:
    """Black's vol of each option without its early-exercise premium, and that premium."""
    mid, forward, strike, years, discount, _, call, _ = options
    vol, premium = implied_vol(mid, forward, strike, years, discount, call), np.zeros(len(strike))
    rows = np.flatnonzero(american)
    if len(rows):
        of_rows = options.take(rows)
        seen = rows[~(_most_premium(of_rows, vol[rows]) < PREMIUM_IN_TICKS * of_rows.tick)]
        vol[seen], premium[seen] = _american(options.take(seen))
    return vol, premium


def _american(options: _Contracts) -> tuple[Floats, Floats]:
    from options_pricing.pricing.american import spot_and_rate
    from options_pricing.pricing.american_vol import american_implied_vol

    mid, forward, strike, years, discount, dividend, call, _ = options
    spot, rate = spot_and_rate(forward, years, discount, dividend)
    vol = american_implied_vol(mid, spot, strike, years, rate, dividend, call)
    premium = mid - black_price(forward, strike, years, discount, vol, call)
    return vol, np.maximum(np.nan_to_num(premium), 0.0)


def _normal(deviations: Floats) -> Floats:
    """The normal distribution function, without the third of a second that SciPy takes to load."""
    tail = INV_SQRT_2PI * np.exp(-(deviations**2) / 2) * mills(np.abs(deviations))
    return np.where(deviations < 0, tail, 1 - tail)


def _most_premium(options: _Contracts, vol: Floats) -> Floats:
    """More than the early-exercise premium of an option out of the money.

    It is the interest on the strike (the yield on the spot, of a call) for as long as exercise is due (Kim 1990): less
    than all of it times the chance to end in the money.
    """
    _, forward, strike, years, discount, dividend, call, _ = options
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = vol * np.sqrt(years)
        d1 = np.log(forward / strike) / deviation + deviation / 2
        gone = forward * discount * np.expm1(np.maximum(dividend, 0.0) * years) * _normal(d1)
        return np.where(call, gone, strike * np.maximum(1 - discount, 0.0) * _normal(deviation - d1))
