"""Quotes: on ticks, around the truth, with the spreads, volumes and silences of a real chain."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.run.calendar import exchange
from options_pricing.sources.simulated import SimulatedMarket
from options_pricing.sources.simulated.instruments import INSTRUMENTS, Spreads
from options_pricing.sources.simulated.quoting import quote_time, tick_down, tick_up

PENNY = Spreads(floor=0, slope=0, deep=0, low_tick=0.01, high_tick=0.05)
NICKEL = Spreads(floor=0, slope=0, deep=0, low_tick=0.05, high_tick=0.10)


@pytest.fixture(scope="module")
def quoted(clean) -> pd.DataFrame:
    """Quotes with a bid, their spread, and their depth in the money in deviations."""
    table = clean[clean["bid"] > 0]
    deviation = table["true_implied_vol"] * np.sqrt(table["year_fraction"])
    sign = np.where(table["option_type"] == "C", 1, -1)
    depth = sign * np.log(table["true_forward"] / table["strike"]) / deviation
    return table.assign(spread=table["ask"] - table["bid"], mid=(table["ask"] + table["bid"]) / 2, depth=depth)


@pytest.mark.parametrize(
    ("price", "spreads", "down", "up"),
    [
        (1.234, PENNY, 1.23, 1.24),
        (1.23, PENNY, 1.23, 1.23),
        (2.999, PENNY, 2.99, 3.0),
        (3.0, PENNY, 3.0, 3.0),
        (3.01, PENNY, 3.0, 3.05),
        (1.234, NICKEL, 1.2, 1.25),
        (2.96, NICKEL, 2.95, 3.0),
        (1234.56, NICKEL, 1234.5, 1234.6),
        (0.3, NICKEL, 0.3, 0.3),
        (0.0, NICKEL, 0.0, 0.0),
    ],
)
def test_ticks_change_at_three_dollars(price, spreads, down, up):
    assert tick_down(np.array([price]), spreads)[0] == down
    assert tick_up(np.array([price]), spreads)[0] == up


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_every_price_is_on_its_tick(clean, name):
    spreads = INSTRUMENTS[name].spreads
    for column in ("bid", "ask", "last_price"):
        prices = clean.loc[clean["underlying"] == name, column].dropna().to_numpy()
        assert (tick_down(prices, spreads) == prices).all()
        assert (np.round(prices, 2) == prices).all()


def test_the_truth_lies_inside_every_market(clean):
    assert (clean["bid"] <= clean["true_price"] + 1e-9).all()
    assert (clean["true_price"] <= clean["ask"] + 1e-9).all()
    assert (clean["bid"] < clean["ask"]).all()


def test_noise_in_the_mid_stays_inside_the_spread_without_a_lean(quoted):
    off = (quoted["mid"] - quoted["true_price"]) / (quoted["spread"] / 2)
    assert off.abs().max() <= 1 + 1e-9
    assert abs(off[quoted["depth"] > -1].mean()) < 0.15
    assert 0.1 < off.std() < 0.5


def test_european_mids_keep_put_call_parity_within_the_spreads(quoted):
    index = quoted[quoted["underlying"] == "XIDX"]
    keys = ["root", "expiration", "strike"]
    sides = [index[index["option_type"] == kind].set_index(keys) for kind in "CP"]
    call, put = (side.loc[sides[0].index.intersection(sides[1].index)] for side in sides)
    gap = (
        call["mid"]
        - put["mid"]
        - call["true_discount_factor"] * (call["true_forward"] - call.index.get_level_values("strike"))
    )
    assert len(gap) > 1000
    assert (gap.abs() <= (call["spread"] + put["spread"]) / 2 + 1e-6).all()


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_spreads_widen_in_percent_out_of_the_money_and_in_dollars_in_it(quoted, name):
    table = quoted[quoted["underlying"] == name]
    share = table["spread"] / table["mid"]
    far_out, near, deep = table["depth"] < -1.5, table["depth"].abs() < 0.5, table["depth"] > 2
    assert share[far_out].median() > 3 * share[near].median()
    assert table["spread"][deep].median() > 1.5 * table["spread"][near].median()


def test_the_index_at_the_money_is_quoted_to_a_fraction_of_a_vol_point(quoted):
    table = quoted[(quoted["underlying"] == "XIDX") & (quoted["depth"].abs() < 0.3) & (quoted["year_fraction"] > 0.05)]
    vega = table["true_forward"] * np.sqrt(table["year_fraction"]) * 0.3989
    assert 0.03 < (100 * table["spread"] / vega).median() < 0.3


def test_most_series_do_not_trade_and_a_few_trade_a_lot(clean):
    for column in ("volume", "open_interest"):
        values = clean[column]
        assert 0.5 < (values == 0).mean() < 0.85
        assert values.quantile(0.99) > 50 * values[values > 0].median()
        assert (values >= 0).all() and (values % 1 == 0).all()
        assert values.nlargest(len(values) // 50).sum() > 0.6 * values.sum()


def test_some_bids_are_zero_and_only_worthless_ones(clean):
    none = clean["bid"] == 0
    assert 0.03 < none.mean() < 0.25
    assert clean.loc[none, "true_price"].quantile(0.95) < 0.3
    assert (clean.loc[none, "bid_size"] == 0).all()
    assert (clean.loc[~none, "bid_size"] >= 1).all() and (clean["ask_size"] >= 1).all()


def test_last_trades_lie_in_sessions_and_between_bid_and_ask_of_the_day(clean):
    known = clean[clean["last_trade_time"].notna()]
    assert (clean["last_trade_time"].isna() == clean["last_price"].isna()).all()
    assert known["last_trade_time"].max() <= exchange().session_close("2026-11-20")
    sessions = exchange().sessions
    assert (
        known["last_trade_time"]
        .dt.tz_convert("America/New_York")
        .dt.normalize()
        .dt.tz_localize(None)
        .isin(sessions)
        .all()
    )
    today = known["last_trade_time"] >= exchange().session_open("2026-11-20")
    assert (today == (known["volume"] > 0)).all()
    traded = known[today]
    assert ((traded["last_price"] >= traded["bid"] - 1e-9) | (traded["bid"] == 0)).all()
    assert (traded["last_price"] <= traded["ask"] + 1e-9).all()


def test_vendor_vols_are_noisy_and_some_are_zero(clean):
    failed = clean["vendor_implied_vol"] == 0
    assert 0.03 < failed.mean() < 0.3
    relative = (clean["vendor_implied_vol"] / clean["true_implied_vol"] - 1)[~failed]
    assert 0.003 < relative.std() < 0.05
    assert abs(relative.mean()) < 0.002


def test_open_interest_is_kept_from_day_to_day_and_volume_is_not():
    market = SimulatedMarket(20261120, ("XIDX",), "normal", 0.0)
    days = [market.chain(day).quotes.set_index("contract_symbol") for day in ("20261117", "20261118")]
    both = days[0].index.intersection(days[1].index)
    before, after = (np.log1p(day.loc[both, ["open_interest", "volume"]]) for day in days)
    assert before["open_interest"].corr(after["open_interest"]) > 0.97
    assert before["volume"].corr(after["volume"]) < 0.8


@pytest.mark.parametrize(
    ("day", "time"),
    [
        ("2026-11-20", "2026-11-20T21:15:00+00:00"),
        ("2026-11-27", "2026-11-27T18:15:00+00:00"),  # half day after Thanksgiving
        ("2026-07-02", "2026-07-02T20:15:00+00:00"),  # summer time
    ],
)
def test_quotes_are_captured_a_quarter_of_an_hour_after_the_close(day, time):
    assert quote_time(np.datetime64(day)).isoformat() == time


def test_a_half_day_has_its_quote_time_and_its_shorter_session():
    chain = SimulatedMarket(1, ("XTEC",), "tiny", 0.0).chain("20261127").quotes
    assert set(chain["quote_time"].astype(str)) == {"2026-11-27 18:15:00+00:00"}
    assert chain["last_trade_time"].max() <= pd.Timestamp("2026-11-27T18:00Z")
