"""True values: forwards, discounting, European and American prices."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from options_pricing.pricing.black import black_price
from options_pricing.sources.simulated import contracts as module
from options_pricing.sources.simulated.carry import discount_factor, ex_days, forwards
from options_pricing.sources.simulated.contracts import Contracts, Truth, years_to
from options_pricing.sources.simulated.instruments import INSTRUMENTS, Dividends
from options_pricing.sources.simulated.listing import Expiration, all_sessions

# Spot, dividend, vol, days to each ex-day, days to expiry, strike, type, price by QuantLib 1.44's
# FdBlackScholesVanillaEngine (400 x 400 nodes, CashDividendModel Escrowed), continuous rate 4 %.
ON_EX_DAYS = [20, 111, 202, 294]
FUND_EX_DAYS = [28, 119, 210, 301]
DISCRETE = [
    (83.0, 0.52, 0.28, ON_EX_DAYS, 35, 66.4, "C", 16.747),
    (83.0, 0.52, 0.28, ON_EX_DAYS, 35, 78.8, "P", 1.241),
    (83.0, 0.52, 0.28, ON_EX_DAYS, 150, 87.2, "C", 4.292),
    (83.0, 0.52, 0.28, ON_EX_DAYS, 150, 87.2, "P", 8.226),
    (83.0, 0.52, 0.28, ON_EX_DAYS, 350, 99.6, "P", 19.421),
    (565.0, 1.84, 0.13, FUND_EX_DAYS, 35, 452.0, "C", 114.385),
    (565.0, 1.84, 0.13, FUND_EX_DAYS, 150, 678.0, "P", 113.0),
    (565.0, 1.84, 0.13, FUND_EX_DAYS, 350, 565.0, "P", 23.089),
    (565.0, 1.84, 0.13, FUND_EX_DAYS, 350, 536.8, "C", 52.642),
]


def test_third_friday_am_and_half_day_pm_years():
    day = np.datetime64("2026-11-20")
    found = [
        Expiration("XIDX", "am", np.datetime64("2026-12-18"), day),
        Expiration("XIDXW", "pm", np.datetime64("2026-12-18"), day),
        Expiration("XIDXW", "pm", np.datetime64("2026-11-27"), day),
    ]
    hours = years_to(found, day) * 365 * 24
    assert hours.tolist() == pytest.approx([28 * 24 - 6.5, 28 * 24, 7 * 24 - 3])


def test_index_forward_carries_rate_and_yield():
    years = np.array([0.25, 1.0])
    found = forwards(Dividends(rate=0.013), 5000.0, 0.04, years, np.zeros(0))
    assert found == pytest.approx(5000 / discount_factor(0.04, years) * np.exp(-0.013 * years))


def test_forward_drops_by_each_dividend_that_goes_ex():
    stock, to_ex_days = Dividends(amount=0.5, months=(1,)), np.array([0.1, 0.35])
    before, on, after = forwards(stock, 60.0, 0.04, np.array([0.0999, 0.1, 0.3]), to_ex_days)
    assert before - on == pytest.approx(0.5, abs=0.005)
    both = forwards(stock, 60.0, 0.04, np.array([0.35]), to_ex_days)[0]
    assert after < both + 0.5
    paid = 0.5 * discount_factor(0.04, to_ex_days).sum()
    assert both == pytest.approx((60 - paid) / discount_factor(0.04, np.array(0.35)))


def test_ex_days_are_sessions_in_their_months():
    sessions = all_sessions()
    fund = ex_days(INSTRUMENTS["XETF"].dividends, sessions).astype(str)
    assert {"2026-03-23", "2026-06-22", "2026-09-21", "2026-12-21"} <= set(fund)
    stock = ex_days(INSTRUMENTS["XTEC"].dividends, sessions)
    assert np.isin(stock, sessions).all()
    year = stock[stock.astype("datetime64[Y]") == np.datetime64("2026")]
    assert year.astype(str).tolist() == ["2026-02-09", "2026-05-11", "2026-08-10", "2026-11-09"]
    assert not len(ex_days(INSTRUMENTS["XIDX"].dividends, sessions))


@pytest.mark.parametrize(("spot", "amount", "vol", "to_ex_days", "days", "strike", "kind", "price"), DISCRETE)
def test_american_prices_agree_with_discrete_dividends(
    spot, amount, vol, to_ex_days, days, strike, kind, price, monkeypatch
):
    monkeypatch.setattr("options_pricing.sources.simulated.carry.CURVE_SLOPE", 0.0)
    stock = replace(INSTRUMENTS["XOIL"], dividends=Dividends(amount=amount, months=(1,)))
    years, to_ex = np.array([days / 365]), np.array(to_ex_days) / 365
    forward = forwards(stock.dividends, spot, 0.04, years, to_ex)
    discount = np.exp(-0.04 * years)
    option = Contracts([], np.array([0]), np.array([strike]), np.array([kind == "C"]))
    truth = Truth(years, forward, discount, np.array([vol]), black_price(forward, strike, years, discount, vol, kind))
    found = max(
        module._with_yield(spot, option, truth)[0],
        module._exercised_before_dividends(stock, spot, 0.04, to_ex, option, truth)[0],
    )
    assert found == pytest.approx(price, rel=0.011)


def test_european_truth_is_black_and_parity_holds(clean):
    index = clean[clean["underlying"] == "XIDX"]
    price = black_price(
        index["true_forward"],
        index["strike"],
        index["year_fraction"],
        index["true_discount_factor"],
        index["true_implied_vol"],
        index["option_type"].to_numpy(),
    )
    assert index["true_price"].to_numpy() == pytest.approx(price, abs=1e-6)


def test_american_truth_is_worth_no_less_than_european_and_exercise(clean):
    american = clean[clean["exercise_style"] == "american"]
    call = (american["option_type"] == "C").to_numpy()
    exercise = np.where(call, 1, -1) * (american["underlying_price"] - american["strike"])
    assert (american["true_price"] >= exercise - 1e-9).all()
    european = black_price(
        american["true_forward"],
        american["strike"],
        american["year_fraction"],
        american["true_discount_factor"],
        american["true_implied_vol"],
        call,
    )
    assert (american["true_price"] >= european - 1e-6).all()
    assert (american["true_price"] > european + 0.01).mean() > 0.2


def test_one_expiration_has_one_forward_and_calls_and_puts_one_vol(clean):
    by_expiration = clean.groupby(["underlying", "root", "expiration"])
    ends = by_expiration[["true_forward", "true_discount_factor"]]
    assert (ends.max() == ends.min()).all(axis=None)
    by_strike = clean.groupby(["underlying", "root", "expiration", "strike"])
    assert (by_strike["true_implied_vol"].max() == by_strike["true_implied_vol"].min()).all()
    assert (by_strike.size() == 2).all()


def test_fund_and_index_share_their_surface(clean):
    ends = clean[clean["expiration"] == pd.Timestamp("2026-12-31")].assign(
        log_moneyness=lambda t: np.log(t["strike"] / t["true_forward"])
    )
    smiles = ends.sort_values("log_moneyness")[["underlying", "log_moneyness", "true_implied_vol"]]
    index, fund = (smiles[smiles["underlying"] == name].iloc[:, 1:].to_numpy().T for name in ("XIDX", "XETF"))
    inside = (fund[0] > index[0].min()) & (fund[0] < index[0].max())
    assert np.interp(fund[0][inside], *index) == pytest.approx(fund[1][inside], abs=2e-3)
