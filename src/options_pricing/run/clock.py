"""What the clock says of the exchange: which session has closed, and which has not.

The clock decides whether a task runs and for which day, never what is written: all that a file says of time comes from
the data or from the run's date.
"""

from datetime import datetime

import pandas as pd

from options_pricing.run.calendar import NEW_YORK, exchange, is_session, parse_day, require_day, session_close
from options_pricing.run.errors import BadParamsError, UpstreamError

DAY = "%Y%m%d"


def utc_now() -> pd.Timestamp:
    """This moment, in UTC."""
    return pd.Timestamp.now("UTC")


def moment(text: str) -> pd.Timestamp:
    """An ISO time with its offset, in UTC; one without an offset is taken for New York's.

    Raises
    ------
    BadParamsError
        It is no time, or one that New York's clocks skip or show twice.
    """
    try:
        at = pd.Timestamp(datetime.fromisoformat(text))
        at = at.tz_localize(NEW_YORK, ambiguous="raise", nonexistent="raise") if at.tzinfo is None else at
        return at.tz_convert("UTC")
    except ValueError as error:
        raise BadParamsError(
            f"{text!r} is not a time", why=str(error), fix="write it as 2026-11-20T18:00 (New York) or with an offset"
        ) from error


def day_in_new_york(at: pd.Timestamp) -> str:
    """The date that a calendar on a wall in New York shows, ``YYYYMMDD``."""
    return f"{at.tz_convert(NEW_YORK):{DAY}}"


def newest_closed_session(at: pd.Timestamp) -> str:
    """The session that a run at `at` (UTC) is for: the newest one whose close has come.

    At 01:30 in New York that is the day before, at 13:00 of a half day the half day itself, on a weekend Friday.
    """
    day = day_in_new_york(at)
    require_day(day)
    session = exchange().date_to_session(parse_day(day), direction="previous")
    if exchange().session_close(session) > at:
        session = exchange().previous_session(session)
    return f"{session:{DAY}}"


def require_closed(day: str, at: pd.Timestamp) -> None:
    """Raise an `UpstreamError` where the session `day` has not closed at `at`: its quotes are not its last ones."""
    closes = session_close(day)
    if at >= closes:
        return
    raise UpstreamError(
        f"the session {day} has not closed yet",
        why=f"it closes at {closes.tz_convert(NEW_YORK):%H:%M} New York ({closes:%Y-%m-%d %H:%M} UTC), "
        f"and it is {at:%Y-%m-%d %H:%M} UTC",
        fix=f"run it after the close; the newest session that has closed is {newest_closed_session(at)}",
    )


def session_due(at: pd.Timestamp, time_of_day: str) -> str | None:
    """The session of this very day in New York, once it is ``HH:MM`` there; None before, and on other days."""
    day = day_in_new_york(at)
    return day if f"{at.tz_convert(NEW_YORK):%H:%M}" >= time_of_day and is_session(day) else None
