"""Which quotes count, and in what units."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.run.errors import BadDataError
from options_pricing.surface.quoted import read_quotes
from tests.surface.made_surface import made_quotes

QUOTES = made_quotes()


def test_out_of_the_money_quotes_without_money():
    quoted = read_quotes(QUOTES)
    out = QUOTES[(QUOTES["option_type"] == "C") == (QUOTES["strike"] >= QUOTES["forward"])]
    assert len(quoted.k) == out["implied_vol"].gt(0).sum()
    rows = quoted.of(3)
    sorted_rows = out[(out["year_fraction"] == 0.25) & (out["implied_vol"] > 0)].sort_values("strike")
    np.testing.assert_allclose(quoted.k[rows], sorted_rows["strike"] / sorted_rows["forward"])
    np.testing.assert_allclose(
        quoted.ask[rows], sorted_rows["ask"] / sorted_rows["forward"] / sorted_rows["discount_factor"]
    )
    np.testing.assert_array_equal(quoted.expiration[rows], 3)


def test_the_order_does_not_matter():
    shuffled = read_quotes(QUOTES.sample(frac=1, random_state=3))
    for one, other in zip(read_quotes(QUOTES), shuffled, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("bid", 0.0),
        ("bid", -1.0),
        ("ask", 0.0),
        ("implied_vol", np.nan),
        ("year_fraction", 0.0),
        ("forward", np.nan),
        ("bid", np.inf),
    ],
)
def test_unusable_quotes_are_passed_over(column, value):
    bad = QUOTES[["bid", "ask"]].eq(np.inf).any(axis=1)
    bad.iloc[::3] = True
    quoted = read_quotes(QUOTES.assign(**{column: QUOTES[column].where(~bad, value)}))
    wanted = read_quotes(QUOTES[~bad])
    np.testing.assert_array_equal(quoted.k, wanted.k)


def test_crossed_quotes_are_passed_over_and_locked_ones_kept():
    crossed = QUOTES.assign(bid=QUOTES["ask"] + 0.01)
    with pytest.raises(BadDataError, match="none of"):
        read_quotes(crossed)
    locked = read_quotes(QUOTES.assign(bid=QUOTES["mid"], ask=QUOTES["mid"]))
    assert len(locked.k) == len(read_quotes(QUOTES).k) and (locked.half > 0).all()


def test_of_two_quotes_of_a_strike_the_narrower_is_kept():
    wide = QUOTES.assign(bid=QUOTES["bid"] / 2, ask=QUOTES["ask"] * 1.5)
    both = read_quotes(pd.concat([wide, QUOTES]))
    np.testing.assert_array_equal(both.ask, read_quotes(QUOTES).ask)


def test_a_quote_that_contradicts_most_others_is_left_out():
    one = QUOTES[
        (QUOTES["year_fraction"] == 0.5) & (QUOTES["strike"] > QUOTES["forward"]) & (QUOTES["option_type"] == "C")
    ]
    far = one.tail(1).assign(strike=one["strike"].max() * 2, bid=150.0, ask=160.0, mid=155.0, implied_vol=1.5)
    cheap = one.iloc[[4]].assign(strike=one["strike"].iloc[4] + 1, bid=0.01, ask=0.02, mid=0.015, implied_vol=0.06)
    with_both = read_quotes(pd.concat([one, far, cheap]))
    np.testing.assert_array_equal(with_both.k, read_quotes(one).k)


def test_in_the_money_counts_where_there_is_little_else():
    calls = QUOTES[(QUOTES["option_type"] == "C") & (QUOTES["strike"] < 0.97 * QUOTES["forward"])]
    quoted = read_quotes(calls[calls["implied_vol"] > 0])
    assert (quoted.k < 1).all() and len(quoted.k) > 10
    truth = read_quotes(QUOTES)
    i = np.searchsorted(truth.k[truth.of(5)], quoted.k[quoted.of(len(quoted.start) - 2)])
    np.testing.assert_allclose(
        (quoted.bid + quoted.ask)[quoted.of(len(quoted.start) - 2)], (truth.bid + truth.ask)[truth.of(5)][i], atol=1e-9
    )


def test_early_exercise_is_taken_off():
    with_premium = QUOTES.assign(early_exercise_premium=0.005)
    unit = QUOTES["forward"] * QUOTES["discount_factor"]
    lower = read_quotes(with_premium)
    assert (lower.ask < read_quotes(QUOTES).ask).all()
    assert unit.min() > 0


def test_what_is_missing_is_named():
    with pytest.raises(BadDataError) as caught:
        read_quotes(QUOTES.drop(columns="forward"))
    assert "forward" in str(caught.value)
    with pytest.raises(BadDataError):
        read_quotes(QUOTES.iloc[:0])
