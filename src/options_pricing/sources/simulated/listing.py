"""What the exchange lists: expirations by rule, strikes by price and distance; once listed, listed until it expires."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from options_pricing.run.calendar import exchange
from options_pricing.sources.simulated.draws import Array
from options_pricing.sources.simulated.instruments import Density, Instrument, Rule

Days = NDArray[np.datetime64]

ONE_DAY = np.timedelta64(1, "D")
FRIDAY = 4
SHORTEST_YEARS = 2 / 365
HIGHEST_UP = 0.9


class Expiration(NamedTuple):
    """One listed expiration; `listed` is the day on which the first strikes appeared."""

    root: str
    settlement: str
    date: np.datetime64
    listed: np.datetime64


class Thinning(NamedTuple):
    """How dense a strike grid is.

    A step of the ladder is used once it is at least `fineness` deviations wide, and no further than `steps` steps
    from the price; the grid reaches `down` and `up` deviations (of the underlying's mean vol over the time left).
    """

    fineness: float
    steps: int
    down: float
    up: float


THINNING: dict[Density, Thinning] = {
    "tiny": Thinning(1 / 12, 7, 1.3, 0.8),
    "normal": Thinning(1 / 20, 14, 4.5, 3.0),
    "full": Thinning(1 / 60, 40, 9.0, 5.0),
}


def all_sessions() -> Days:
    """Every trading day that the calendar covers, ``datetime64[D]``."""
    return exchange().sessions.to_numpy().astype("datetime64[D]")


def session_on_or_before(date: np.datetime64, sessions: Days) -> np.datetime64:
    """`date` if it is a session, else the one before it."""
    return sessions[np.searchsorted(sessions, date, side="right") - 1]


def third_friday(month: np.datetime64, sessions: Days) -> np.datetime64:
    """The monthly expiration of a ``datetime64[M]``: the third Friday, or the session before it on a holiday."""
    first = month.astype("datetime64[D]")
    weekday = (first - np.datetime64("1970-01-05")).astype(int) % 7
    friday = first + ((FRIDAY - weekday) % 7 + 14) * ONE_DAY
    return session_on_or_before(friday, sessions)


def expirations(rules: tuple[Rule, ...], day: np.datetime64, sessions: Days) -> list[Expiration]:
    """What is listed at the close of `day` and still trades after it, by root and date.

    An expiration that several rules list counts once, from the earliest of their listing days.
    """
    found: dict[tuple[str, str, np.datetime64], np.datetime64] = {}
    for rule in rules:
        for date in _dates(rule, day, sessions):
            key = (rule.root, rule.settlement, date)
            listed = date - rule.ahead * ONE_DAY
            found[key] = min(found.get(key, listed), listed)
    return [Expiration(*key, listed) for key, listed in sorted(found.items(), key=lambda item: item[0])]


def strike_grid(instrument: Instrument, density: Density, spots: Array, years: Array) -> Array:
    """Strikes listed on an expiration, given the price and the time left on each day since it was listed.

    Each day adds what the rules list around that day's price and nothing is ever withdrawn: fine steps near the
    price, coarser ones further out, all coarser for far expirations.

    Parameters
    ----------
    spots, years : arrays of one length
        Closing price and years to the expiration, from the listing day to today.
    """
    thinning = THINNING[density]
    mean_vol = (instrument.smile.calm + instrument.smile.distant) / 2
    deviation = mean_vol * np.sqrt(np.maximum(years, SHORTEST_YEARS))
    down = spots * -np.expm1(-thinning.down * deviation)
    up = spots * np.minimum(np.expm1(thinning.up * deviation), HIGHEST_UP)
    strikes: set[float] = set()
    for step in instrument.ladder:
        coarsest = step == instrument.ladder[-1]
        used = (step >= thinning.fineness * spots * deviation) | coarsest
        if not used.any():
            continue
        width = np.inf if coarsest else thinning.steps * step
        low = (spots - np.minimum(down, width))[used].min()
        high = (spots + np.minimum(up, width))[used].max()
        multiples = np.arange(max(np.ceil(low / step), 1), np.floor(high / step) + 1)
        strikes.update((multiples * step).tolist())
    return np.array(sorted(strikes))


def _dates(rule: Rule, day: np.datetime64, sessions: Days) -> list[np.datetime64]:
    last = day + rule.ahead * ONE_DAY
    return [date for date in _candidates(rule, day, last, sessions) if day < date <= last]


def _candidates(rule: Rule, day: np.datetime64, last: np.datetime64, sessions: Days) -> Iterator[np.datetime64]:
    if rule.kind == "daily":
        yield from sessions[(sessions > day) & (sessions <= last)]
    elif rule.kind == "weekly":
        yield from _weekly(day, last, sessions)
    else:
        for month in np.arange(day.astype("datetime64[M]"), last.astype("datetime64[M]") + 1):
            if month.astype(int) % 12 + 1 not in rule.months:
                continue
            if rule.kind == "month_end":
                yield session_on_or_before((month + 1).astype("datetime64[D]") - ONE_DAY, sessions)
            else:
                yield third_friday(month, sessions)


def _weekly(day: np.datetime64, last: np.datetime64, sessions: Days) -> Iterator[np.datetime64]:
    """Fridays, or the last session of the week where the Friday is a holiday."""
    days = np.arange(day, last + 5 * ONE_DAY)
    for friday in days[np.is_busday(days, weekmask="Fri")]:
        yield session_on_or_before(friday, sessions)
