import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.arbitrage import CHECKED, arbitrage_count
from options_pricing.pricing.black import black_price

STRIKES = [90.0, 95.0, 100.0, 105.0, 110.0]


def expiration(vols, **columns):
    return pd.DataFrame(
        {
            "date": "20261120",
            "underlying": "IDX",
            "contract_symbol": [f"IDX261218C{int(1000 * strike):08d}" for strike in STRIKES],
            "expiration": pd.Timestamp("2026-12-18"),
            "strike": STRIKES,
            "forward": 100.0,
            "year_fraction": 0.25,
            "predicted_implied_vol": vols,
        }
        | columns
    )


def counted(table):
    return tuple(arbitrage_count(table)[name] for name in CHECKED)


def test_a_smooth_smile_has_none_and_every_neighbour_was_checked():
    assert counted(expiration([0.24, 0.22, 0.2, 0.19, 0.185])) == (0, 5, 0, 4)


def test_a_bump_is_one_butterfly():
    assert counted(expiration([0.2, 0.2, 0.26, 0.2, 0.2])) == (0, 5, 1, 4)


def test_a_dip_is_two_butterflies_beside_it():
    assert counted(expiration([0.2, 0.2, 0.12, 0.2, 0.2])) == (0, 5, 2, 4)


def test_a_wing_that_rises_is_a_vertical():
    assert counted(expiration([0.2, 0.2, 0.2, 0.2, 0.6])) == (1, 5, 0, 4)


def test_a_call_below_its_value_at_once_is_not_convex_from_the_forward_on():
    """A put that is dear deep in the wing makes the call there cost more than the chord from the strike 0."""
    assert counted(expiration([1.4, 0.2, 0.2, 0.2, 0.2]))[2] >= 1


def test_what_is_worth_less_than_a_tick_is_left_out_and_what_is_worth_more_is_not():
    bump = expiration([0.2, 0.2, 0.26, 0.2, 0.2])
    (low, middle, high) = black_price(
        100.0, np.array([95.0, 100.0, 105.0]), 0.25, 1.0, np.array([0.2, 0.26, 0.2]), True
    )
    worth = middle - (low + high) / 2
    assert arbitrage_count(bump, 0.999 * worth)["butterfly"] == 1
    assert arbitrage_count(bump, 1.001 * worth)["butterfly"] == 0


def test_what_lies_within_rounding_is_none():
    almost = expiration([0.2] * 5).assign(strike=[99.9999998, 99.9999999, 100.0, 100.0000001, 100.0000002])
    assert counted(almost)[::2] == (0, 0)


def test_expirations_roots_and_days_are_not_neighbours_and_order_does_not_matter():
    one = expiration([0.24, 0.22, 0.2, 0.19, 0.185])
    others = [
        one.assign(date="20261119", predicted_implied_vol=0.8),
        one.assign(expiration=pd.Timestamp("2027-01-15"), predicted_implied_vol=0.5),
        one.assign(contract_symbol=one["contract_symbol"].str.replace("IDX", "IDXW"), predicted_implied_vol=0.3),
    ]
    together = pd.concat([one, *others]).sample(frac=1, random_state=1)
    assert counted(together) == (0, 20, 0, 16)


@pytest.mark.parametrize("gone", [slice(None), slice(1, None)])
def test_missing_vols_are_left_out(gone):
    table = expiration([0.2] * 5)
    table.loc[table.index[gone], "predicted_implied_vol"] = np.nan
    left = 5 - len(table[gone])
    assert counted(table) == (0, left, 0, max(0, left - 1))


def test_a_call_and_a_put_at_one_strike_count_once():
    table = expiration([0.2] * 5)
    assert counted(pd.concat([table, table])) == counted(table)
