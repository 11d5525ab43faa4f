"""Rules V01 to V06: vols that there are not, that mean nothing, that do not fit."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.validation import rules_vol as rules
from options_pricing.validation.chain import Chain
from tests.validation.conftest import DAY, VOL, listed

SPX = ("SPX", "2026-12-18")
FINE = np.arange(4500.0, 5501.0, 25.0)


@pytest.fixture
def fine() -> pd.DataFrame:
    """One expiration with strikes 25 apart: 41 of them."""
    return listed("SPX", "2026-12-18", FINE, 5000.0, 0.1)


@pytest.mark.parametrize("name", ["implied_vol_range", "vague_vol", "off_the_smile"])
def test_a_clean_chain_passes(clean, failing, name) -> None:
    assert failing(getattr(rules, name), clean) == []


def test_v01_vol_out_of_range(clean, failing, row_of) -> None:
    assert failing(rules.implied_vol_range, clean, highest=VOL * 1.1) == []
    assert failing(rules.implied_vol_range, clean, lowest=VOL * 0.9) == []
    out = len(Chain(clean, DAY).market.vol)
    assert len(failing(rules.implied_vol_range, clean, highest=VOL * 0.9)) == out == len(clean) / 2


def test_v01_a_price_without_a_vol(clean, failing, row_of) -> None:
    """A call worth more than the forward has none."""
    row = row_of(clean, *SPX, 5300.0, "C")
    clean.loc[row, ["bid", "ask"]] = [5100.0, 5110.0]
    assert failing(rules.implied_vol_range, clean) == [row]


def test_v02_a_tick_that_moves_the_vol_too_far(clean, failing, row_of) -> None:
    """Black's vega of the put at 4300 is 108.9 at a vol of 30.2 %, so that its tick of 0.1 is 0.092 points."""
    clean = clean[clean["root"] == "SPX"].reset_index(drop=True)
    row = row_of(clean, *SPX, 4300.0, "P")
    assert failing(rules.vague_vol, clean, most_vol=0.1 / 107) == []
    assert failing(rules.vague_vol, clean, most_vol=0.1 / 111) == [row]
    further = row_of(clean, *SPX, 4200.0, "P")
    clean.loc[further, ["bid", "ask"]] = [0.05, 0.1]
    assert failing(rules.vague_vol, clean, most_vol=0.1 / 107) == [further]


def test_v03_days_to_expiration(clean, failing) -> None:
    """Thirty days and a hundred and twenty-one."""
    later = clean.index[clean["expiration"] == "2027-03-19"].tolist()
    assert failing(rules.days_to_expiration, clean) == []
    assert failing(rules.days_to_expiration, clean, most_days=121) == []
    assert failing(rules.days_to_expiration, clean, most_days=120) == later
    assert failing(rules.days_to_expiration, clean, fewest_days=30) == []
    assert len(failing(rules.days_to_expiration, clean, fewest_days=31)) == len(clean) - len(later)


def test_v04_moneyness(clean, failing) -> None:
    assert failing(rules.moneyness, clean) == []
    assert failing(rules.moneyness, clean, lowest=0.84) == []
    far = clean.index[clean["strike"].isin([4200.0, 420.0])].tolist()
    assert failing(rules.moneyness, clean, lowest=0.841) == far
    assert failing(rules.moneyness, clean.assign(underlying_price=np.nan)) == []


@pytest.mark.parametrize("shift", [4.0, -4.0])
@pytest.mark.parametrize(("strike", "option_type"), [(5050.0, "C"), (5200.0, "C"), (4900.0, "P"), (4700.0, "P")])
def test_v05_finds_the_one_that_is_off(fine, failing, row_of, shift, strike, option_type) -> None:
    """Four points on a vega of about 550 are under a vol point; its neighbours stay."""
    row = row_of(fine, *SPX, strike, option_type)
    fine.loc[row, ["bid", "ask"]] += shift
    assert failing(rules.off_the_smile, fine) == [row]


def test_v05_a_wide_quote_may_be_anywhere(fine, failing, row_of) -> None:
    row = row_of(fine, *SPX, 5200.0, "C")
    fine.loc[row, "bid"] -= 4.0
    fine.loc[row, "ask"] += 12.0
    assert failing(rules.off_the_smile, fine) == []


def test_v05_neighbours_of_two_bad_quotes_stay(fine, failing, row_of) -> None:
    rows = [row_of(fine, *SPX, 5100.0, "C"), row_of(fine, *SPX, 5125.0, "C")]
    fine.loc[rows[0], ["bid", "ask"]] += 8.0
    fine.loc[rows[1], ["bid", "ask"]] -= 8.0
    assert failing(rules.off_the_smile, fine) == sorted(rows)


def test_v05_more_than_a_tenth_of_an_expiration_only_warns(fine, judged) -> None:
    out = fine.index[(fine["option_type"] == "C") & fine["strike"].isin(FINE[22::4])]
    fine.loc[out, ["bid", "ask"]] += 3.0
    found = judged(rules.off_the_smile, fine)
    assert not found.rows.any() and found.mild_rows.sum() >= 5 and len(found.mild) == 1
    assert judged(rules.off_the_smile, fine, most_of_expiration=0.5).rows.sum() == found.mild_rows.sum()


def test_v05_ends_are_not_judged(fine, failing, row_of) -> None:
    for strike, option_type in ((4500.0, "P"), (5500.0, "C")):
        fine.loc[row_of(fine, *SPX, strike, option_type), ["bid", "ask"]] += 3.0
    assert failing(rules.off_the_smile, fine) == []


def days(clean: pd.DataFrame, vol_times: float, move: float = 1.0) -> pd.DataFrame:
    """The day before: time values of index options at other vols, the underlying at another price."""
    straddle = clean.assign(trade_date=pd.Timestamp("2026-11-17"), underlying_price=clean["underlying_price"] * move)
    parity = np.where(clean["option_type"] == "C", 1, -1) * (clean["underlying_price"] * 1.002 - clean["strike"])
    inner = np.maximum(parity, 0.0)
    for side in ("bid", "ask"):
        straddle[side] = inner + (clean[side] - inner) * vol_times
    straddle["strike"] = clean["strike"] * move
    straddle[["bid", "ask"]] *= move
    return straddle


@pytest.mark.parametrize(("vol_times", "said"), [(1.0, 0), (0.75, 0), (0.6, 2), (3.0, 2)])
def test_v06_the_vol_at_the_money_jumped(clean, judged, vol_times, said) -> None:
    """From 0.6 of it the vol rises by 67 %, from 0.75 by 33 %; from three times it falls by 67 %."""
    found = judged(rules.vol_jump, clean, [days(clean, vol_times)])
    assert len(found.grave) == said
    assert not judged(rules.vol_jump, clean, [days(clean, vol_times)], most_jump=2.1).grave


def test_v06_not_where_the_underlying_moved_too(clean, judged) -> None:
    assert len(judged(rules.vol_jump, clean, [days(clean, 0.6, 1.02)]).grave) == 2
    assert not judged(rules.vol_jump, clean, [days(clean, 0.6, 1.05)]).grave
    assert not judged(rules.vol_jump, clean).grave


def test_v06_is_about_the_day_that_is_judged_whatever_its_rows_say(clean, judged) -> None:
    before, spoilt = days(clean, 0.6), clean.copy()
    spoilt.loc[spoilt.index[0], "trade_date"] = pd.Timestamp("9999-12-31")
    assert len(judged(rules.vol_jump, spoilt, [before]).grave) == 2
    assert not judged(rules.vol_jump, clean.assign(trade_date=pd.NaT), [before]).grave
