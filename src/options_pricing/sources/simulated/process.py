"""How spot, surface factors and the short rate move from session to session, as one path over all sessions.

Every innovation is a hash of (seed, underlying, factor, date) and the path always runs over the calendar's whole
range, so that the state of a day is the same whichever days are asked for, and in whatever order.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from options_pricing.sources.simulated.carry import ex_days
from options_pricing.sources.simulated.draws import Array, normals, tail_scales
from options_pricing.sources.simulated.instruments import INSTRUMENTS, Instrument
from options_pricing.sources.simulated.listing import Days, all_sessions
from options_pricing.sources.simulated.surface import BOUNDS, Factors, at_the_money_vol, bounded

SESSIONS_A_YEAR = 252
TAIL_DEGREES = 8
INDEX, FUND = "XIDX", "XETF"
FUND_SHARE = 0.1
FUND_BASIS = 0.00015
WEEK = np.array(7 / 365)
# Returns are calmer than the options expect: the variance risk premium.
REALISED = 0.88
# Daily standard deviation of each factor's innovation and the yearly rate of its mean reversion.
STEP = Factors(*np.array((0.11, 0.024, 0.022, 0.03, 0.06, 0.045)))
REVERSION = Factors(*np.array((8.0, 1.2, 5.0, 6.0, 60.0, 50.0)))
# Share of the leverage that each factor has: levels move against the price, the smile's shape less so, bumps not.
LEVERED = Factors(*np.array((1.0, 1.0, 0.4, 0.4, 0.0, 0.0)))
# The leverage itself wanders for weeks: what a few days taught need not hold the next.
LEVERAGE_STEP, LEVERAGE_REVERSION, LEVERAGE_BOUND = 0.09, 15.0, 0.4
MEAN_RATE, RATE_STEP, RATE_REVERSION = 0.0415, 0.0003, 1.5


@dataclass(frozen=True)
class Path:
    """One underlying over all sessions; every array has one value per session, as of its close."""

    sessions: Days
    spot: Array
    factors: Factors
    short_rate: Array
    ex_days: Days

    def at(self, day: np.datetime64) -> int:
        """Position of a session."""
        return int(np.searchsorted(self.sessions, day))

    def factors_at(self, position: int) -> Factors:
        """The factors of one session, as numbers."""
        return Factors(*(values[position] for values in self.factors))


@lru_cache(maxsize=16)
def market_path(name: str, seed: int) -> Path:
    """The path of one underlying in the market that `seed` makes."""
    instrument, sessions = INSTRUMENTS[name], all_sessions()
    shock, factors = _shocks(instrument, seed, sessions)
    days = ex_days(instrument.dividends, sessions)
    if name == FUND:
        spot = _fund_spot(instrument, seed, sessions, days)
    else:
        spot = _spot(instrument, shock, factors, np.isin(sessions, days))
    rate = MEAN_RATE + _reverting(RATE_STEP * normals(f"{seed}/rate", sessions.astype(np.int64)), RATE_REVERSION)
    return Path(sessions, np.round(spot, 2), factors, rate, days)


def _shocks(instrument: Instrument, seed: int, sessions: Days) -> tuple[Array, Factors]:
    """Standardised return of each session and the factors it leaves behind.

    Return and factor innovations of a day share one Student-t scale: large moves come together.
    """
    moves, dates = instrument.moves, sessions.astype(np.int64)

    def mixed(share: float, stream: str) -> Array:
        """The index's part of a stream and the name's own, each with its own tails."""
        common = _tailed(INDEX, seed, stream, dates)
        return share * common + np.sqrt(1 - share**2) * _tailed(instrument.name, seed, stream, dates)

    shock = mixed(moves.market, "return")
    wandering = _reverting(LEVERAGE_STEP * normals(f"{seed}/leverage", dates), LEVERAGE_REVERSION)
    wandering = bounded(wandering, LEVERAGE_BOUND)
    factors = []
    for factor, step, reversion, levered, bound in zip(Factors._fields, STEP, REVERSION, LEVERED, BOUNDS, strict=True):
        leverage = moves.leverage * levered * (1 + wandering)
        innovation = leverage * shock + np.sqrt(1 - leverage**2) * mixed(moves.shared_vol, factor)
        moved = _reverting(moves.vol_of_vol * step * innovation, float(reversion))
        factors.append(bounded(moved, float(bound)))
    return shock, Factors(*factors)


def _tailed(name: str, seed: int, stream: str, dates: NDArray[np.int64]) -> Array:
    return tail_scales(f"{seed}/{name}/tail", dates, TAIL_DEGREES) * normals(f"{seed}/{name}/{stream}", dates)


def _spot(instrument: Instrument, shock: Array, factors: Factors, goes_ex: NDArray[np.bool_]) -> Array:
    """Prices whose vol is the front of yesterday's surface, pulled back to the long-run level over years."""
    vol = REALISED * at_the_money_vol(instrument.smile, factors, WEEK)
    yesterday = np.concatenate([vol[:1], vol[:-1]])
    moves = yesterday / np.sqrt(SESSIONS_A_YEAR) * shock
    moves -= goes_ex * instrument.dividends.amount / instrument.level
    return instrument.level * np.exp(_reverting(moves, instrument.moves.pull))


def _fund_spot(instrument: Instrument, seed: int, sessions: Days, days: Days) -> Array:
    """The fund holds the index and gathers its dividends until they are paid out."""
    index = market_path(INDEX, seed).spot
    dates = sessions.astype(np.int64)
    last_paid = np.concatenate([sessions[:1], days])[np.searchsorted(days, sessions, side="right")]
    gathered = instrument.dividends.rate * (sessions - last_paid).astype(np.int64) / 365
    basis = FUND_BASIS * normals(f"{seed}/{instrument.name}/basis", dates)
    return FUND_SHARE * index * np.exp(gathered + basis)


def _reverting(innovations: Array, reversion: float) -> Array:
    """A first-order autoregression that falls back by `reversion` per year, started at zero."""
    keep = float(np.exp(-reversion / SESSIONS_A_YEAR))
    return np.array(list(accumulate(innovations.tolist(), lambda state, move: keep * state + move)))
