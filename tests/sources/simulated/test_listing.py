"""What is listed: expirations by the exchange's rules, strikes that stay."""

import numpy as np
import pytest

from options_pricing.sources.simulated.contracts import listed_contracts
from options_pricing.sources.simulated.instruments import INSTRUMENTS, Rule
from options_pricing.sources.simulated.listing import all_sessions, expirations, strike_grid, third_friday
from options_pricing.sources.simulated.process import market_path

SESSIONS = all_sessions()


def dates(rule: Rule, day: str) -> list[str]:
    return [str(expiration.date) for expiration in expirations((rule,), np.datetime64(day), SESSIONS)]


@pytest.mark.parametrize(
    ("month", "day"),
    [
        ("2026-11", "2026-11-20"),
        ("2026-12", "2026-12-18"),
        ("2027-01", "2027-01-15"),
        ("2025-04", "2025-04-17"),  # Good Friday
        ("2019-04", "2019-04-18"),  # Good Friday
        ("2026-06", "2026-06-18"),  # Juneteenth
        ("2027-06", "2027-06-17"),  # Juneteenth, observed
        ("2024-11", "2024-11-15"),  # the month begins on a Friday
        ("2024-02", "2024-02-16"),
    ],
)
def test_third_fridays(month, day):
    assert str(third_friday(np.datetime64(month), SESSIONS)) == day


def test_weeklies_with_good_friday_and_christmas():
    weekly = Rule("weekly", "X", "pm", 21)
    assert dates(weekly, "2026-03-23") == ["2026-03-27", "2026-04-02", "2026-04-10"]
    assert dates(weekly, "2026-12-11") == ["2026-12-18", "2026-12-24", "2026-12-31"]
    assert dates(weekly, "2026-11-20") == ["2026-11-27", "2026-12-04", "2026-12-11"]


def test_a_weekly_that_a_holiday_moved_is_over_after_its_thursday():
    assert "2026-04-02" not in dates(Rule("weekly", "X", "pm", 10), "2026-04-02")


def test_a_week_cut_short_ends_with_its_last_session():
    assert dates(Rule("weekly", "X", "pm", 11), "2001-09-07") == ["2001-09-10"]


def test_dailies_are_sessions_only():
    assert dates(Rule("daily", "X", "pm", 7), "2026-11-20") == ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-27"]


def test_month_ends_quarters_and_leaps():
    assert dates(Rule("month_end", "X", "pm", 75), "2026-11-20") == ["2026-11-30", "2026-12-31", "2027-01-29"]
    assert dates(Rule("month_end", "X", "pm", 140, (3, 6, 9, 12)), "2026-11-20") == ["2026-12-31", "2027-03-31"]
    assert dates(Rule("cycle", "X", "am", 220, (3, 6, 9, 12)), "2026-11-20") == [
        "2026-12-18",
        "2027-03-19",
        "2027-06-17",
    ]
    assert dates(Rule("leaps", "X", "pm", 740, (1,)), "2026-11-20") == ["2027-01-15", "2028-01-21"]


def test_an_expiration_that_two_rules_list_counts_once_from_the_earlier_day():
    rules = (Rule("weekly", "X", "pm", 40), Rule("monthly", "X", "pm", 100))
    found = [e for e in expirations(rules, np.datetime64("2026-11-20"), SESSIONS) if str(e.date) == "2026-12-18"]
    assert [str(e.listed) for e in found] == ["2026-09-09"]


@pytest.mark.parametrize("density", ["tiny", "normal", "full"])
@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_only_sessions_expire_and_all_of_them_later(name, density):
    day = np.datetime64("2026-11-25")
    found = expirations(INSTRUMENTS[name].rules[density], day, SESSIONS)
    assert all(e.date > day for e in found)
    assert np.isin([e.date for e in found], SESSIONS).all()
    keys = [(e.root, e.date) for e in found]
    assert len(set(keys)) == len(keys)


def test_the_index_lists_both_settlements_on_a_third_friday():
    found = expirations(INSTRUMENTS["XIDX"].rules["normal"], np.datetime64("2026-11-20"), SESSIONS)
    on_day = {(e.root, e.settlement) for e in found if str(e.date) == "2026-12-18"}
    assert on_day == {("XIDX", "am"), ("XIDXW", "pm")}


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_once_listed_always_listed(name):
    path, instrument = market_path(name, 3), INSTRUMENTS[name]
    at = path.at(np.datetime64("2026-03-02"))
    previous: set[int] = set()
    for day in path.sessions[at : at + 25]:
        contracts = listed_contracts(instrument, "normal", path, day)
        gone = [code for code in previous - set(contracts.codes.tolist()) if code >> 40 > day.astype(int)]
        assert not gone
        previous = set(contracts.codes.tolist())


def test_strikes_are_finer_near_the_price_and_near_the_expiry():
    index = INSTRUMENTS["XIDX"]
    near, far = (strike_grid(index, "full", np.array([5000.0]), np.array([years])) for years in (7 / 365, 2.0))
    assert np.diff(near[np.abs(near - 5000) < 100]).max() == 5
    assert np.diff(far[np.abs(far - 5000) < 100]).min() >= 25
    assert np.diff(near[near < 4300]).min() > 5
    assert near.min() > far.min() and near.max() < far.max()
    assert all((strike % 5 == 0) for strike in far)


def test_strikes_cover_where_the_price_was():
    stock = INSTRUMENTS["XTEC"]
    moved = strike_grid(stock, "normal", np.array([180.0, 150.0]), np.array([0.1, 0.05]))
    assert set(strike_grid(stock, "normal", np.array([180.0]), np.array([0.1]))) < set(moved)
