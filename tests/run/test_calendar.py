import pandas as pd
import pytest

from options_pricing.run.calendar import (
    expiry_instants,
    is_session,
    session_close,
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
