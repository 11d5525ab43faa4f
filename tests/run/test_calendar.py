import os
import subprocess
import sys

import pandas as pd
import pytest

from options_pricing.run.calendar import (
    ANNOUNCED_UNTIL,
    exchange,
    expiry_instants,
    horizon_warning,
    is_session,
    session_close,
    sessions_between,
    sessions_ending,
    why_no_session,
    year_fractions,
)
from options_pricing.run.errors import BadParamsError


@pytest.mark.parametrize(
    ("day", "session"),
    [
        ("20261120", True),
        ("20261121", False),  # Saturday
        ("20261126", False),  # Thanksgiving
        ("20261127", True),  # the half day after it
        ("20250109", False),  # closed for a day of mourning
        ("19700101", False),  # outside the calendar
    ],
)
def test_sessions(day, session):
    assert is_session(day) is session


# NYSE Group, holidays and early closings of 2026 to 2028, announced on 2025-12-23.
HOLIDAYS = (
    "20260101 20260119 20260216 20260403 20260525 20260619 20260703 20260907 20261126 20261225 "
    "20270101 20270118 20270215 20270326 20270531 20270618 20270705 20270906 20271125 20271224 "
    "20280117 20280221 20280414 20280529 20280619 20280704 20280904 20281123 20281225"
)
HALF_DAYS = "20261127 20261224 20271126 20280703 20281124"


def test_the_calendar_is_what_the_exchange_has_announced():
    weekdays = pd.bdate_range("2026-01-01", "2028-12-31")
    sessions = sessions_between(weekdays[0], weekdays[-1])
    assert [f"{day:%Y%m%d}" for day in weekdays.difference(sessions)] == HOLIDAYS.split()
    closes = exchange().closes.loc[sessions].dt.tz_convert("America/New_York")
    early = closes[closes.dt.strftime("%H:%M") != "16:00"]
    assert [f"{day:%Y%m%d}" for day in early.index] == HALF_DAYS.split()
    assert set(early.dt.strftime("%H:%M")) == {"13:00"}


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("20010911", "the attacks"),
        ("20040611", "mourning of Reagan"),
        ("20070102", "mourning of Ford"),
        ("20121029", "Sandy"),
        ("20181205", "mourning of Bush"),
        ("20250109", "mourning of Carter"),
    ],
)
def test_unscheduled_closures_are_known(day, why):
    assert not is_session(day)


@pytest.mark.parametrize(
    ("day", "said"),
    [("20281031", None), ("20281101", "ends in 60 days"), ("20281229", "in 2 days"), ("20290102", "ended on 20281231")],
)
def test_a_warning_60_days_before_the_end_of_what_is_announced(day, said):
    assert ANNOUNCED_UNTIL == "20281231"
    found = horizon_warning(day)
    assert found is None if said is None else said in found


@pytest.mark.parametrize("day", ["2026-11-20", "20261301", "", "00000000", "../../etc", "２０２６１１２０"])
def test_what_is_no_date_is_refused(day):
    with pytest.raises(BadParamsError, match="is not a date"):
        is_session(day)


def test_a_weekend_is_explained():
    assert why_no_session("20261121") == "20261121 is no trading day of XNYS (Saturday); the one before it is 20261120"


def test_a_window_skips_weekends_and_holidays():
    assert sessions_ending("20261127", 3) == ["20261124", "20261125", "20261127"]


def test_closes_in_utc_on_both_sides_of_the_clock_change_and_on_a_half_day():
    assert session_close("20261030") == pd.Timestamp("2026-10-30T20:00Z")
    assert session_close("20261102") == pd.Timestamp("2026-11-02T21:00Z")
    assert session_close("20261127") == pd.Timestamp("2026-11-27T18:00Z")


def test_expiry_am_pm_half_day_and_null():
    expirations = pd.Series(pd.to_datetime(["2026-12-18", "2026-12-18", "2026-11-27", None]))
    found = expiry_instants(expirations, pd.Series(["am", "pm", "pm", "pm"]))
    assert list(found[:3]) == [pd.Timestamp(t) for t in ("2026-12-18T14:30Z", "2026-12-18T21:00Z", "2026-11-27T18:00Z")]
    assert pd.isna(found[3])


def test_year_fraction_counts_to_the_exact_moment():
    expirations = pd.Series(pd.to_datetime(["2026-11-20", "2026-11-27", "2027-11-20"]))
    found = year_fractions(expirations, pd.Series(["pm"] * 3), session_close("20261120"))
    assert found.tolist() == pytest.approx([0, (7 - 3 / 24) / 365, 1], abs=1e-12)


def test_fault_50_a_leap_day_and_the_turn_of_a_year_count_by_their_seconds():
    """2028-02-29 is a session like another; a year has 365 days, so that a leap year is a day longer than 1."""
    assert is_session("20280229")
    expirations = pd.Series(pd.to_datetime(["2028-02-29", "2028-03-01", "2029-02-28"]))
    found = year_fractions(expirations, pd.Series(["pm"] * 3), session_close("20280228"))
    assert found.tolist() == pytest.approx([1 / 365, 2 / 365, 366 / 365], abs=1e-12)
    # Friday 2026-12-31 is a full day; the open of Monday is 65.5 hours and the weekend's clock later.
    found = year_fractions(pd.Series(pd.to_datetime(["2027-01-04"])), pd.Series(["am"]), session_close("20261231"))
    assert found[0] == pytest.approx((3 * 24 + 17.5) / 24 / 365, abs=1e-12)


def test_fault_49_a_day_on_which_clocks_change_has_23_or_25_hours():
    spring = year_fractions(pd.Series(pd.to_datetime(["2027-03-15"])), pd.Series(["pm"]), session_close("20270312"))
    autumn = year_fractions(pd.Series(pd.to_datetime(["2026-11-02"])), pd.Series(["pm"]), session_close("20261030"))
    assert spring[0] * 365 * 24 == pytest.approx(3 * 24 - 1, abs=1e-9)
    assert autumn[0] * 365 * 24 == pytest.approx(3 * 24 + 1, abs=1e-9)


def test_fault_19_a_half_day_ends_at_13():
    found = year_fractions(
        pd.Series(pd.to_datetime(["2026-11-27", "2026-11-30"])), pd.Series(["pm", "pm"]), session_close("20261127")
    )
    assert found.tolist() == pytest.approx([0, (3 * 24 + 3) / 24 / 365], abs=1e-12)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Pacific/Auckland", ""])
def test_fault_51_the_zone_of_the_machine_changes_nothing(zone):
    code = (
        "import pandas as pd; from options_pricing.run import calendar as c, clock;"
        "at = pd.Timestamp('2026-11-23T06:30Z');"
        "print(c.session_close('20261127'), clock.newest_closed_session(at), clock.moment('2026-11-20T18:00'),"
        "c.expiry_instants(pd.Series([pd.Timestamp('2026-12-18')]), pd.Series(['am']))[0])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"TZ": zone}, capture_output=True, text=True, check=True
    ).stdout
    assert said == ("2026-11-27 18:00:00+00:00 20261120 2026-11-20 23:00:00+00:00 2026-12-18 14:30:00+00:00\n")


def test_options_on_coins_stop_at_eight_utc_on_any_day():
    expirations = pd.Series(pd.to_datetime(["2026-11-21", "2026-07-03", "2027-03-14"]))
    found = expiry_instants(expirations, pd.Series(["utc08"] * 3))
    assert found.dt.strftime("%Y-%m-%d %H:%M %Z").tolist() == [f"{at:%Y-%m-%d} 08:00 UTC" for at in expirations]


@pytest.mark.parametrize("as_of", ["2262-04-12 20:00", "9999-12-31 21:00"])
def test_a_spoilt_day_centuries_away_is_only_a_negative_time(as_of):
    expirations, settlements = pd.Series(pd.to_datetime(["2026-12-18", None])), pd.Series(["pm", "pm"])
    years = year_fractions(expirations, settlements, pd.Timestamp(as_of, tz="UTC"))
    assert years.iloc[0] < -200 and pd.isna(years.iloc[1])


def test_the_days_before_the_first_session_of_all_are_none():
    assert not is_session("20000101")
    assert is_session("20000103")
    assert "outside the years" in why_no_session("20000102")
