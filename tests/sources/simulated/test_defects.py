"""Planted defects: at their rate, of their kind, named in the truth, everything else untouched."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.quotes.osi import parse_symbols
from options_pricing.quotes.schema import RAW, names
from options_pricing.sources.simulated import SimulatedMarket
from options_pricing.sources.simulated.defects import KINDS
from options_pricing.sources.simulated.instruments import INSTRUMENTS
from options_pricing.sources.simulated.quoting import tick_down

from .conftest import ALL, SEED, side_by_side

DAY, DAY_BEFORE = "20261120", "20261119"
SHARE = 0.05
CHANGED = ("broken_parity", "stale", "crossed", "negative", "null_quote")


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    return side_by_side(SimulatedMarket(SEED, ALL, "normal", SHARE), DAY)


def of(planted: pd.DataFrame, kind: str) -> pd.DataFrame:
    return planted[planted["defect"] == kind]


def test_the_rate_is_the_one_asked_for_in_equal_parts(planted):
    counts = planted["defect"].value_counts()
    assert counts.sum() == pytest.approx(SHARE * len(planted), abs=1)
    assert set(counts.index) == set(KINDS)
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2])
def test_other_rates(share):
    table = SimulatedMarket(SEED, ALL, "tiny", share).chain(DAY).truth
    assert table["defect"].notna().sum() == pytest.approx(share * len(table), abs=1)


def test_kinds_take_turns_where_there_are_few():
    market = SimulatedMarket(SEED, ALL, "tiny", 0.01)
    found: set[str] = set()
    for day in ("20261116", "20261117", "20261118", "20261119", "20261120", "20261123"):
        found |= set(market.chain(day).truth["defect"].dropna())
    assert found == set(KINDS)


def test_no_parity_to_break_without_european_options():
    truth = SimulatedMarket(SEED, ("XTEC", "XOIL"), "normal", SHARE).chain(DAY).truth
    assert set(truth["defect"].dropna()) == set(KINDS) - {"broken_parity"}
    assert truth["defect"].notna().mean() == pytest.approx(SHARE, abs=0.001)


def test_sound_rows_are_those_of_the_clean_market(planted, clean):
    sound = planted[planted["defect"].isna()].set_index("contract_symbol")
    same = clean.set_index("contract_symbol").loc[sound.index]
    columns = [column for column in names(RAW) if column != "contract_symbol"]
    pd.testing.assert_frame_equal(sound[columns], same[columns])


def test_truth_of_changed_rows_is_that_of_the_clean_market(planted, clean):
    changed = planted[planted["defect"].isin(CHANGED)].set_index("contract_symbol")
    same = clean.set_index("contract_symbol").loc[changed.index]
    columns = ["true_implied_vol", "true_forward", "true_discount_factor", "true_price"]
    pd.testing.assert_frame_equal(changed[columns], same[columns])
    assert len(changed) + planted["defect"].isna().sum() == len(clean)


def test_at_most_one_defect_for_a_contract_and_its_counterpart(planted):
    bad = planted[planted["defect"].notna() & (planted["defect"] != "expired")]
    keys = ["underlying", "root", "expiration", "strike"]
    assert not bad.duplicated(keys).any()


def test_crossed_negative_and_null_are_what_they_say(planted, clean):
    before = clean.set_index("contract_symbol")
    crossed = of(planted, "crossed")
    assert (crossed["ask"] < crossed["bid"]).all()
    negative = of(planted, "negative")
    assert ((negative["bid"] < 0) ^ (negative["ask"] < 0)).all()
    assert (negative[["bid", "ask"]].abs().to_numpy() == before.loc[negative["contract_symbol"], ["bid", "ask"]]).all(
        axis=None
    )
    null = of(planted, "null_quote")
    assert (null["bid"].isna() | null["ask"].isna()).all()
    assert null["bid"].isna().any() and null["ask"].isna().any()


def test_duplicates_follow_an_identical_original(planted):
    copies = of(planted, "duplicate")
    originals = planted.loc[copies.index - 1]
    assert originals["defect"].isna().all()
    pd.testing.assert_frame_equal(
        copies[names(RAW)].reset_index(drop=True), originals[names(RAW)].reset_index(drop=True)
    )


def test_expired_rows_are_real_contracts_of_the_latest_expiration_past(planted):
    expired = of(planted, "expired")
    assert (expired["expiration"] < expired["trade_date"]).all()
    assert (expired["trade_date"] == pd.Timestamp("2026-11-20")).all()
    assert expired["true_price"].isna().all()
    assert set(expired.loc[expired["underlying"] == "XIDX", "expiration"].astype(str)) <= {"2026-11-19"}
    assert set(expired.loc[expired["underlying"] == "XTEC", "expiration"].astype(str)) <= {"2026-11-13"}
    assert (expired["bid"] > 0).all()


def test_stale_rows_are_yesterdays_quotes(planted):
    stale = of(planted, "stale").set_index("contract_symbol")
    yesterday = SimulatedMarket(SEED, ALL, "normal", 0.0).chain(DAY_BEFORE).quotes.set_index("contract_symbol")
    columns = ["bid", "ask", "volume", "open_interest", "last_price", "last_trade_time"]
    pd.testing.assert_frame_equal(stale[columns], yesterday.loc[stale.index, columns])
    assert (stale["trade_date"] == pd.Timestamp("2026-11-20")).all()


def test_stale_rows_differ_from_today(planted, clean):
    stale = of(planted, "stale").set_index("contract_symbol")
    today = clean.set_index("contract_symbol").loc[stale.index]
    assert ((stale["bid"] != today["bid"]) | (stale["ask"] != today["ask"])).all()


def test_broken_parity_is_out_of_every_tolerance_and_still_a_market(planted):
    broken = of(planted, "broken_parity")
    assert (broken["exercise_style"] == "european").all()
    assert ((broken["bid"] > 0) & (broken["ask"] > broken["bid"])).all()
    assert (tick_down(broken["bid"].to_numpy(), INSTRUMENTS["XIDX"].spreads) == broken["bid"].to_numpy()).all()
    keys = ["root", "expiration", "strike"]
    other = planted[planted["defect"].isna()].assign(option_type=lambda t: t["option_type"].map({"C": "P", "P": "C"}))
    pairs = broken.merge(other, on=[*keys, "option_type"], suffixes=("", "_other"))
    assert len(pairs) == len(broken)
    mid, other_mid = (pairs["bid"] + pairs["ask"]) / 2, (pairs["bid_other"] + pairs["ask_other"]) / 2
    gap = np.where(pairs["option_type"] == "C", 1, -1) * (mid - other_mid)
    implied = pairs["strike"] + gap / pairs["true_discount_factor"]
    half_spreads = (pairs["ask"] - pairs["bid"] + pairs["ask_other"] - pairs["bid_other"]) / 2
    off = (implied - pairs["true_forward"]).abs()
    assert (off > half_spreads).all()
    assert (off > 0.0025 * pairs["true_forward"]).all()


def test_symbols_always_name_the_row(planted):
    parts = parse_symbols(planted["contract_symbol"])
    for column in ("root", "expiration", "option_type", "strike"):
        assert (parts[column] == planted[column]).all()
