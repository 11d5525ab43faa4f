"""Trading days of the exchange: which dates are sessions, when they close, when an option expires."""

from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from options_pricing.run.errors import BadParamsError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

EXCHANGE = "XNYS"
NEW_YORK = ZoneInfo("America/New_York")
FIRST_YEAR, LAST_YEAR = 2000, 2036
# NYSE Group announced its holidays and early closes up to this day on 2025-12-23. What comes later is computed by rule:
# good enough for the expiration of an option, too little to let a scheduler skip a day by it.
ANNOUNCED_UNTIL = "20281231"
HORIZON_WARNING_DAYS = 60
# What lies outside is the expiration of no option; differences of such instants do not fit into nanoseconds.
FIRST_EXPIRATION, LAST_EXPIRATION = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
AM_SETTLEMENT_TIME = "09:30"
PM_SETTLEMENT_TIME = "16:00"
UTC_SETTLEMENT_TIME = "08:00"
DAYS_A_YEAR = 365
SECONDS_A_YEAR = DAYS_A_YEAR * 24 * 3600


@cache
def exchange() -> "ExchangeCalendar":
    """The exchange's calendar over fixed years, so that an answer never depends on the day it is asked."""
    import exchange_calendars

    return exchange_calendars.get_calendar(EXCHANGE, start=f"{FIRST_YEAR}-01-01", end=f"{LAST_YEAR}-12-31")


def parse_day(day: str) -> pd.Timestamp:
    """Turn ``YYYYMMDD`` into a timestamp at midnight (no zone); anything else is a `BadParamsError`."""
    try:
        if len(day) != 8 or not (day.isascii() and day.isdigit()):
            raise ValueError("eight digits are needed")
        return pd.Timestamp(datetime.strptime(day, "%Y%m%d"))
    except ValueError as error:
        raise BadParamsError(
            f"{day!r} is not a date", why="no day of any month is written so", fix="write it as YYYYMMDD"
        ) from error


def require_day(day: str) -> None:
    """Raise a `BadParamsError` unless ``YYYYMMDD`` is a date of the years that the calendar covers."""
    if not FIRST_YEAR <= parse_day(day).year <= LAST_YEAR:
        raise BadParamsError(
            f"{day} cannot be worked on", why=why_no_session(day), fix="name a day between those years"
        )


def is_session(day: str) -> bool:
    """Whether the exchange trades on ``YYYYMMDD``."""
    at = parse_day(day)
    return _is_covered(at) and bool(exchange().is_session(at))


def _is_covered(at: pd.Timestamp) -> bool:
    """Whether the calendar knows a day: it begins with the first session of its first year, not with New Year's Day."""
    return FIRST_YEAR <= at.year <= LAST_YEAR and bool(exchange().first_session <= at <= exchange().last_session)


def why_no_session(day: str) -> str:
    """One clause that says why `day` is not a trading day, with the trading day before it."""
    at = parse_day(day)
    if not _is_covered(at):
        return f"{day} lies outside the years {FIRST_YEAR} to {LAST_YEAR} that the calendar covers"
    kind = at.day_name() if at.day_of_week >= 5 else "holiday or closure"
    before = exchange().date_to_session(at, direction="previous")
    return f"{day} is no trading day of {EXCHANGE} ({kind}); the one before it is {before:%Y%m%d}"


def horizon_warning(day: str) -> str | None:
    """One clause from 60 days before the last day for which the exchange has announced its holidays; None before."""
    left = (parse_day(ANNOUNCED_UNTIL) - parse_day(day)).days
    if left > HORIZON_WARNING_DAYS:
        return None
    ends = f"ends in {left} days, on {ANNOUNCED_UNTIL}" if left >= 0 else f"ended on {ANNOUNCED_UNTIL}"
    return f"what is known of the holidays of {EXCHANGE} {ends}; later sessions are computed by rule"


def sessions_ending(day: str, count: int) -> list[str]:
    """The `count` sessions up to and including `day`, oldest first, as ``YYYYMMDD``."""
    if not is_session(day):
        raise BadParamsError(why_no_session(day), why="a window ends on a trading day", fix="name a trading day")
    return [f"{session:%Y%m%d}" for session in exchange().sessions_window(parse_day(day), -count)]


def sessions_between(first: date | pd.Timestamp, last: date | pd.Timestamp) -> pd.DatetimeIndex:
    """All sessions from `first` to `last`, both included (dates without a zone)."""
    return exchange().sessions_in_range(pd.Timestamp(first), pd.Timestamp(last))


def session_close(day: str) -> pd.Timestamp:
    """When the session closes, in UTC (18:00 UTC on a half day in winter, for example)."""
    return exchange().session_close(parse_day(day))


def expiry_instants(expirations: pd.Series, settlements: pd.Series) -> pd.Series:
    """The moment each option stops, in UTC.

    PM-settled options stop at the close of their expiration's session (16:00 New York, 13:00 on a half day),
    AM-settled ones at its open, 09:30. An expiration that is not a session keeps the plain time of day. Those on
    coins, which trade around the clock, stop at 08:00 UTC.

    Parameters
    ----------
    expirations : Series of datetime64, dates without a zone
    settlements : Series of str, ``am``, ``pm`` or ``utc08``

    Returns
    -------
    Series of datetime64[ns, UTC], on the same index; NaT where the expiration is null or centuries away
    """
    expirations = expirations.where(expirations.between(FIRST_EXPIRATION, LAST_EXPIRATION))
    # A chain has tens of thousands of rows and tens of expirations: ask the calendar once for each.
    found = {
        (expiration, settlement): _expiry_instant(expiration, settlement)
        for expiration, settlement in set(zip(expirations, settlements, strict=True))
    }
    instants = [found[key] for key in zip(expirations, settlements, strict=True)]
    return pd.Series(pd.to_datetime(instants, utc=True), index=expirations.index)


def _expiry_instant(expiration: pd.Timestamp, settlement: str) -> pd.Timestamp:
    if pd.isna(expiration):
        return pd.NaT
    if settlement == "utc08":
        return pd.Timestamp(f"{expiration:%Y-%m-%d} {UTC_SETTLEMENT_TIME}", tz="UTC")
    if settlement != "am" and is_session(f"{expiration:%Y%m%d}"):
        return exchange().session_close(expiration)
    time_of_day = AM_SETTLEMENT_TIME if settlement == "am" else PM_SETTLEMENT_TIME
    return pd.Timestamp(f"{expiration:%Y-%m-%d} {time_of_day}", tz=NEW_YORK).tz_convert("UTC")


def year_fractions(expirations: pd.Series, settlements: pd.Series, as_of: pd.Timestamp | pd.Series) -> pd.Series:
    """Time from `as_of` (UTC; one instant, or one for each option) to each expiry in years of 365 days.

    Zero or negative once the expiry has passed; NaN where the expiration is null.
    """
    # In nanoseconds a day after 2262, which a spoilt file may well hold, is no instant at all.
    as_of = as_of.as_unit("us") if isinstance(as_of, pd.Timestamp) else as_of.dt.as_unit("us")
    instants = expiry_instants(expirations, settlements).dt.as_unit("us")
    return (instants - as_of).dt.total_seconds() / SECONDS_A_YEAR
