import pandas as pd
import pytest

from options_pricing.run.calendar import NEW_YORK, sessions_between
from options_pricing.run.clock import moment, newest_closed_session, require_closed, session_due, utc_now
from options_pricing.run.errors import BadParamsError, UpstreamError

FIRST, LAST = "2016-01-01", "2026-11-20"


def runs_of_a_scheduler(times_of_day):
    """The sessions that were run, and when, by a scheduler that asks at these times of each day in New York.

    A run of a session that was run before finds nothing to do.
    """
    done = {}
    for day in pd.date_range(FIRST, LAST):
        for time_of_day in times_of_day:
            at = pd.Timestamp(f"{day:%Y-%m-%d} {time_of_day}").tz_localize(
                NEW_YORK, nonexistent="shift_forward", ambiguous=True
            )
            done.setdefault(newest_closed_session(at.tz_convert("UTC")), at)
    return done


def test_fault_49_at_18_00_each_of_2738_sessions_is_run_once_and_on_its_own_day():
    sessions = [f"{session:%Y%m%d}" for session in sessions_between(pd.Timestamp(FIRST), pd.Timestamp(LAST))]
    done = runs_of_a_scheduler(["18:00"])
    assert len(sessions) == 2738
    before_the_first = done.pop("20151231")
    assert f"{before_the_first:%Y%m%d}" == "20160101"
    assert list(done) == sessions
    assert [f"{at:%Y%m%d}" for at in done.values()] == sessions
    hours = {at.tz_convert("UTC").hour for at in done.values()}
    assert hours == {22, 23}


def test_fault_49_at_01_30_each_session_is_run_once_and_in_the_night_after_it():
    sessions = [f"{session:%Y%m%d}" for session in sessions_between(pd.Timestamp(FIRST), pd.Timestamp(LAST))]
    done = runs_of_a_scheduler(["01:30", "02:30"])
    assert list(done)[1:] == sessions[:-1]
    for session, at in list(done.items())[1:]:
        assert at.date() == pd.Timestamp(session).date() + pd.Timedelta(days=1)
        assert at.hour == 1


@pytest.mark.parametrize(
    ("at", "session"),
    [
        ("2026-11-20T15:59:59", "20261119"),
        ("2026-11-20T16:00", "20261120"),  # a close that has come
        ("2026-11-21T01:30", "20261120"),
        ("2026-11-22T12:00", "20261120"),  # Sunday
        ("2026-11-26T18:00", "20261125"),  # Thanksgiving
        ("2026-11-27T12:59", "20261125"),
        ("2026-11-27T13:00", "20261127"),  # the half day after it
        ("2027-03-14T01:30", "20270312"),  # the hour from 02:00 is skipped
        ("2027-03-14T18:00", "20270312"),
        ("2026-11-01T18:00", "20261030"),
        ("2028-02-29T18:00", "20280229"),
        ("2027-01-01T00:30", "20261231"),
        ("2026-11-24T06:30+09:00", "20261123"),  # 16:30 New York, seen from Tokyo
    ],
)
def test_the_session_that_a_run_is_for(at, session):
    assert newest_closed_session(moment(at)) == session


def test_a_session_that_has_not_closed_is_refused_with_its_close_in_both_zones():
    with pytest.raises(UpstreamError) as told:
        require_closed("20261123", moment("2026-11-23T15:00"))
    said = str(told.value)
    assert "16:00 New York (2026-11-23 21:00 UTC), and it is 2026-11-23 20:00 UTC" in said
    assert said.endswith("the newest session that has closed is 20261120")
    assert len(said.splitlines()) <= 5
    require_closed("20261123", moment("2026-11-23T16:00"))
    require_closed("20261127", moment("2026-11-27T13:00"))


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-11-20T18:59", None),
        ("2026-11-20T19:00", "20261120"),
        ("2026-11-20T23:59", "20261120"),
        ("2026-11-21T19:30", None),
        ("2026-11-26T19:30", None),
        ("2026-11-27T19:00", "20261127"),
        ("2026-11-21T00:00Z", "20261120"),
        ("2026-07-02T23:00Z", "20260702"),
        ("2026-11-20T23:00Z", None),  # 18:00 in New York in winter
    ],
)
def test_a_run_is_due_on_sessions_only_and_by_the_clock_of_new_york(at, due):
    assert session_due(moment(at), "19:00") == due


@pytest.mark.parametrize("text", ["tomorrow", "", "2026-13-01T10:00", "2027-03-14T02:30", "2026-11-01T01:30"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(BadParamsError, match="is not a time"):
        moment(text)


def test_now_is_in_utc():
    assert str(utc_now().tz) == "UTC"
