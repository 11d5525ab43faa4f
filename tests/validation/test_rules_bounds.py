"""Rules B01 to B05."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.validation import rules_bounds as rules
from options_pricing.validation.chain import Chain

SPX, SPY = ("SPX", "2026-12-18"), ("SPY", "2026-12-18")


@pytest.mark.parametrize("name", ["lower_bound", "exercise_value", "upper_bound", "no_implied_vol", "parity"])
def test_a_clean_chain_passes(clean, failing, name) -> None:
    assert failing(getattr(rules, name), clean) == []


@pytest.mark.parametrize(("root", "strike", "option_type"), [("SPX", 4300.0, "C"), ("SPX", 5700.0, "P")])
def test_b01_european_offered_under_its_bound(clean, failing, row_of, root, strike, option_type) -> None:
    row = row_of(clean, root, "2026-12-18", strike, option_type)
    clean.loc[row, ["bid", "ask"]] = [640.0, 660.0]  # the bound is about 700
    assert failing(rules.lower_bound, clean) == [row]
    assert failing(rules.lower_bound, clean, share_of_forward=0.02) == []
    assert failing(rules.exercise_value, clean) == []


def test_b01_and_b04_do_not_judge_beyond_the_strikes_of_the_line(clean, failing, row_of) -> None:
    far = (clean["root"] == "SPX") & (clean["expiration"] == "2026-12-18") & (clean["strike"] >= 5500)
    table = clean[~(far & (clean["option_type"] == "C"))].reset_index(drop=True)
    row = row_of(table, *SPX, 5700.0, "P")
    table.loc[row, ["bid", "ask"]] = [640.0, 660.0]
    assert failing(rules.lower_bound, table) == []
    assert failing(rules.no_implied_vol, table) == []
    row = row_of(table, *SPX, 5400.0, "P")
    table.loc[row, ["bid", "ask"]] = [340.0, 360.0]
    assert failing(rules.lower_bound, table) == [row]


def test_b01_an_ask_of_zero_is_no_offer(clean, failing, row_of) -> None:
    clean.loc[row_of(clean, *SPX, 4300.0, "C"), "ask"] = 0.0
    assert failing(rules.lower_bound, clean) == []


@pytest.mark.parametrize(("strike", "option_type"), [(430.0, "C"), (570.0, "P")])
def test_b02_american_offered_under_exercise_value(clean, failing, row_of, strike, option_type) -> None:
    row = row_of(clean, *SPY, strike, option_type)
    clean.loc[row, ["bid", "ask"]] = [67.0, 67.6]  # exercise pays 70, the tolerance is 2.5
    assert failing(rules.exercise_value, clean) == []
    clean.loc[row, "ask"] = 67.4
    assert failing(rules.exercise_value, clean) == [row]
    assert failing(rules.exercise_value, clean, share_of_underlying=0.01) == []


def test_b02_one_wrong_underlying_price_decides_nothing(clean, failing) -> None:
    clean.loc[clean["root"].eq("SPY").idxmax(), "underlying_price"] = 50_000.0
    assert failing(rules.exercise_value, clean) == []
    assert failing(rules.upper_bound, clean) == []


def test_b03_bid_over_what_the_option_can_pay(clean, failing, row_of) -> None:
    call, put = row_of(clean, *SPY, 500.0, "C"), row_of(clean, *SPY, 500.0, "P")
    clean.loc[call, ["bid", "ask"]] = [502.0, 510.0]
    clean.loc[put, ["bid", "ask"]] = [500.0, 510.0]
    assert failing(rules.upper_bound, clean) == []
    clean.loc[call, "bid"] = 503.0
    clean.loc[put, "bid"] = 500.5
    assert failing(rules.upper_bound, clean) == [call, put]


def test_b03_a_european_put_is_bound_by_the_discounted_strike(clean, failing, row_of) -> None:
    row = row_of(clean, "SPX", "2027-03-19", 5000.0, "P")
    clean.loc[row, ["bid", "ask"]] = [4960.0, 4990.0]  # the discount factor is 0.987
    assert failing(rules.upper_bound, clean) == [row]


def test_b04_mid_below_the_bound_has_no_vol(clean, failing, row_of) -> None:
    row = row_of(clean, *SPX, 4200.0, "C")
    forward, discount = (values[row] for values in Chain(clean, "20261118").parity_by_row)
    bound = discount * (forward - 4200.0)
    clean.loc[row, ["bid", "ask"]] = [bound - 10, bound + 9]
    assert failing(rules.no_implied_vol, clean) == [row]
    clean.loc[row, ["bid", "ask"]] = [bound - 10, bound + 11]
    assert failing(rules.no_implied_vol, clean) == []


@pytest.mark.parametrize("shift", [60.0, -60.0, 300.0])
@pytest.mark.parametrize("option_type", ["C", "P"])
@pytest.mark.parametrize("strike", [4600.0, 5000.0, 5300.0])
def test_b05_blames_the_one_quote_that_was_moved(clean, failing, row_of, shift, option_type, strike) -> None:
    row = row_of(clean, *SPX, strike, option_type)
    shift = max(shift, 0.1 - clean.loc[row, "bid"])
    clean.loc[row, ["bid", "ask"]] += shift
    assert failing(rules.parity, clean) == [row]


def test_b05_small_moves_and_wide_quotes_pass(clean, failing, row_of) -> None:
    row = row_of(clean, *SPX, 5000.0, "C")
    clean.loc[row, ["bid", "ask"]] += 10.0  # the tolerance is 0.25 % of 5010
    assert failing(rules.parity, clean) == []
    assert failing(rules.parity, clean, share_of_forward=0.001) == [row]
    clean.loc[row, "bid"] -= 60.0
    clean.loc[row, "ask"] += 80.0
    assert failing(rules.parity, clean, share_of_forward=0.001) == []


def test_b05_at_the_end_of_the_strikes_both_legs_are_suspect(clean, failing, row_of) -> None:
    call, put = row_of(clean, *SPX, 4200.0, "C"), row_of(clean, *SPX, 4200.0, "P")
    clean.loc[call, ["bid", "ask"]] += 100.0
    assert failing(rules.parity, clean) == [call, put]


def test_b05_roots_have_lines_of_their_own(clean, failing) -> None:
    """All of SPXW moved by a forward of its own is no fault of SPX, nor of SPXW."""
    calls = (clean["root"] == "SPXW") & (clean["option_type"] == "C")
    clean.loc[calls, ["bid", "ask"]] += 50.0
    assert failing(rules.parity, clean) == []


def test_b05_american_options_only_have_to_stay_in_the_band(clean, failing, row_of) -> None:
    row = row_of(clean, *SPY, 500.0, "C")
    clean.loc[row, ["bid", "ask"]] += 4.0  # half a spread, 2.5 of tolerance and 4 of interest
    assert failing(rules.parity, clean) == []
    clean.loc[row, ["bid", "ask"]] += 6.0
    assert failing(rules.parity, clean) == [row]


def test_b05_says_nothing_without_a_line(clean, failing) -> None:
    few = clean[(clean["root"] == "SPX") & clean["strike"].isin([4800.0, 4900.0, 5000.0])].reset_index(drop=True)
    few.loc[0, ["bid", "ask"]] += 500.0
    assert failing(rules.parity, few) == []


@pytest.mark.filterwarnings("error")
def test_the_parity_line_is_the_one_the_chain_was_made_with(clean) -> None:
    chain = Chain(clean, "20261118")
    forward, discount = chain.parity_by_row
    index = (clean["root"] == "SPX") & (clean["expiration"] == "2027-03-19")
    years = 121 / 365
    np.testing.assert_allclose(forward[index], 5000 * np.exp(0.025 * years), rtol=2e-4)
    np.testing.assert_allclose(discount[index], np.exp(-0.04 * years), rtol=2e-3)


def test_the_parity_line_follows_the_tight_quotes(clean) -> None:
    """Most of an expiration quoted at any width, and askew, as real chains of five years are at night."""
    index = (clean["root"] == "SPX") & (clean["expiration"] == "2027-03-19")
    askew = index & (clean["option_type"] == "C") & (clean["strike"] < 5100)
    table = clean.assign(
        bid=clean["bid"].mask(askew, clean["bid"] + 50), ask=clean["ask"].mask(askew, clean["ask"] + 550)
    )
    assert askew.sum() > index.sum() / 4
    forward, discount = Chain(table, "20261118").parity_by_row
    years = 121 / 365
    np.testing.assert_allclose(forward[index], 5000 * np.exp(0.025 * years), rtol=2e-3)
    np.testing.assert_allclose(discount[index], np.exp(-0.04 * years), rtol=1e-2)


def with_rate(table: pd.DataFrame, rate: float) -> pd.DataFrame:
    """The March options of SPX with calls moved so that parity implies another rate."""
    far = (table["root"] == "SPX") & (table["expiration"] == "2027-03-19") & (table["option_type"] == "C")
    years = 121 / 365
    lift = (np.exp(-0.04 * years) - np.exp(-rate * years)) * (table["strike"] - 5000.0)
    table = table.copy()
    for side in ("bid", "ask"):
        table[side] = table[side].mask(far, np.maximum(table[side] + lift, 0.1))
    return table


@pytest.mark.parametrize(("rate", "out"), [(0.04, False), (0.01, False), (-0.05, True), (0.2, False), (0.35, True)])
def test_b06_a_rate_that_cannot_be(clean, judged, rate, out) -> None:
    found = judged(rules.implied_rate, with_rate(clean, rate))
    far = (clean["root"] == "SPX") & (clean["expiration"] == "2027-03-19")
    assert found.mild_rows.tolist() == (far & out).tolist()
    assert not found.rows.any()


def test_b06_twice_in_a_row_is_quarantine(clean, judged) -> None:
    before = with_rate(clean, -0.05).assign(trade_date=pd.Timestamp("2026-11-17"))
    assert judged(rules.implied_rate, with_rate(clean, -0.06), [before]).rows.sum() == 34
    assert not judged(
        rules.implied_rate, with_rate(clean, -0.06), [clean.assign(trade_date=before["trade_date"])]
    ).rows.any()
    assert not judged(rules.implied_rate, clean, [before]).mild_rows.any()


def test_b06_what_the_spreads_leave_open_is_no_rate(clean, judged) -> None:
    wide = with_rate(clean, -0.05)
    wide["bid"], wide["ask"] = np.maximum(wide["bid"] - 30, 0.1), wide["ask"] + 30
    assert not judged(rules.implied_rate, wide).mild_rows.any()
    assert not judged(rules.implied_rate, with_rate(clean, -0.05), fewest_days=122).mild_rows.any()
    assert not judged(rules.implied_rate, with_rate(clean, -0.05), lowest=-0.1).mild_rows.any()
