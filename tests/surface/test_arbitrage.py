"""Every constraint is found where it fails, by how much, and whether it can be traded."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing.surface.arbitrage import CONSTRAINTS, count_violations, find_violations
from tests.surface.made_surface import made_quotes


def table(rows, half=0.0, forward=100.0, discount=0.9):
    """Calls with forward 100, ``(year_fraction, strike, normalised price)`` each."""
    years, strike, price = np.array(rows, dtype=float).T
    unit = discount * forward
    return pd.DataFrame(
        {
            "year_fraction": years,
            "strike": strike,
            "option_type": "C",
            "forward": forward,
            "discount_factor": discount,
            "bid": unit * (price - half),
            "ask": unit * (price + half),
        }
    )


SMILE = [(0.5, 90, 0.13), (0.5, 100, 0.07), (0.5, 110, 0.03)]
LATER = [(1.0, 90, 0.16), (1.0, 100, 0.10), (1.0, 110, 0.06)]


@pytest.mark.parametrize(
    ("constraint", "changed", "strike", "excess"),
    [
        ("outright", {0: (0.5, 90, 0.09)}, 90, 0.01),
        ("vertical", {2: (0.5, 110, 0.08)}, 110, 0.01),
        ("butterfly", {1: (0.5, 100, 0.085)}, 100, 0.005),
        ("calendar", {5: (1.0, 110, 0.02)}, 110, 0.01),
        ("calendar_vertical", {5: (1.0, 109, 0.025)}, 110, 0.005),
        ("calendar_butterfly", {4: (1.0, 105, 0.045), 3: (1.0, 95, 0.08)}, 100, 0.0075),
        # The forward, of strike 0, is the left support: (1 - 90 / 100) * 1 + 90 / 100 * 0.01 = 0.109.
        ("calendar_butterfly", {3: (1.0, 99.99, 0.2), 4: (1.0, 100, 0.01)}, 90, 0.021),
    ],
)
def test_each_constraint_is_told_with_its_place_and_size(constraint, changed, strike, excess):
    rows = [changed.get(i, row) for i, row in enumerate(SMILE + LATER)]
    found = find_violations(table(rows))
    of_it = found[(found["constraint"] == constraint) & (found["strike"].round(9) == strike)]
    assert len(of_it) == 1
    assert of_it["excess"].item() == pytest.approx(90 * excess, rel=1e-9)
    assert of_it["actionable"].item()


def test_nothing_is_found_where_there_is_nothing():
    assert find_violations(table(SMILE + LATER)).empty
    assert sum(n["violations"] for n in count_violations(find_violations(made_quotes())).values()) == 0
    assert find_violations(table(SMILE).iloc[:0]).empty


def test_what_is_inside_the_spread_is_told_apart():
    rows = [*SMILE[:1], (0.5, 100, 0.085), *SMILE[2:]]
    inside, outside = (find_violations(table(rows, half=half)) for half in (0.003, 0.002))
    assert inside["constraint"].tolist() == outside["constraint"].tolist() == ["butterfly"]
    assert (inside["actionable"].item(), outside["actionable"].item()) == (False, True)
    assert inside["excess_at_quotes"].item() == pytest.approx(90 * (0.005 - 2 * 0.003))
    assert count_violations(outside)["butterfly"] == {"violations": 1, "actionable": 1}


def test_a_call_and_a_put_that_do_not_fit_are_a_breach_of_parity():
    calls = table(SMILE, half=0.001)
    put = calls.iloc[[1]].assign(option_type="P", bid=calls["bid"].iloc[1] + 0.5, ask=calls["ask"].iloc[1] + 0.5)
    found = find_violations(pd.concat([calls, put]))
    parity = found[found["constraint"] == "parity"]
    assert parity["excess_at_quotes"].item() == pytest.approx(0.5 - 2 * 0.001 * 90)
    assert parity["actionable"].item()


def test_forwards_and_discount_factors_are_taken_out():
    later = table(LATER, forward=120.0, discount=0.8).assign(strike=lambda t: t["strike"] * 1.2)
    assert find_violations(pd.concat([table(SMILE), later])).empty


def test_bad_rows_are_passed_over():
    good = table(SMILE + LATER)
    bad = good.assign(bid=[np.nan, 5.0, 1.0, 1.0, 1.0, 1.0], ask=[1.0, 4.0, 2.0, 2.0, 2.0, 2.0])
    bad["year_fraction"] = [0.5, 0.5, -1.0, 0.0, np.nan, 0.5]
    bad.loc[5, "forward"] = 0.0
    assert find_violations(pd.concat([good, bad])).empty


def test_a_models_prices_are_checked_by_name_of_the_column():
    quotes = made_quotes()
    assert find_violations(quotes, price="true_price").empty
    dear = quotes["true_price"].where(quotes.index != 20, quotes["true_price"] + 1.0)
    found = find_violations(quotes.assign(model=dear), price="model")
    assert (found["strike"].round(6) == quotes["strike"][20]).any()


def brute_force(k, number, price, tolerance):
    """Whether a point is above what any one or two others that expire no earlier give."""
    bad = set()
    for i in range(len(k)):
        others = [(0.0, 1.0)] + [(k[j], price[j]) for j in range(len(k)) if number[j] >= number[i] and j != i]
        for x, c in others:
            if (x <= k[i] and price[i] > c + tolerance) or (x > k[i] and price[i] > c + x - k[i] + tolerance):
                bad.add(i)
        for (x, c), (z, d) in combinations(others, 2):
            (x, c), (z, d) = sorted([(x, c), (z, d)])
            if x < k[i] < z and price[i] > c + (d - c) * (k[i] - x) / (z - x) + tolerance:
                bad.add(i)
        if price[i] < max(1 - k[i], 0) - tolerance:
            bad.add(i)
    return bad


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_it_finds_what_trying_all_portfolios_finds(data):
    sizes = data.draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    rows = []
    for number, size in enumerate(sizes):
        strikes = data.draw(st.lists(st.integers(80, 120), min_size=size, max_size=size, unique=True))
        for strike in sorted(strikes):
            time_value = 0.08 * np.sqrt(number + 1) * np.exp(-abs(strike - 100) / 12)
            shake = data.draw(st.integers(-3, 3)) * 0.004
            rows.append((number + 1.0, strike, max(1 - strike / 100, 0.0) + time_value + shake))
    found = find_violations(table(rows), tolerance=1e-9)
    told = set(zip(found["year_fraction"], found["strike"].round(6), strict=True))
    years, strike, price = np.array(rows).T
    tried = {(years[i], strike[i]) for i in brute_force(strike / 100, years, price, 1e-9)}
    # Only neighbours are told, so that not all the same options are blamed; where there is any, some are.
    assert told <= tried
    assert bool(told) == bool(tried)
    assert set(found["constraint"]) <= set(CONSTRAINTS)
