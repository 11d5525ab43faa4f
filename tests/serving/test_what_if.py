import numpy as np
import pandas as pd
import pytest

from options_pricing.pricing.black import black_price
from options_pricing.release.verify import load_release
from options_pricing.serving.answers import GREEKS, answers
from options_pricing.serving.chains import listed_chains
from options_pricing.serving.what_if import Move, after
from tests.serving.test_answers import with_card

HALF_WIDTHS = {
    f"{side} {size}": dict.fromkeys(("under 30 days", "30-90 days", "90-180 days", "180 days and over"), 0.1)
    for side in ("put", "call")
    for size in ("0-5", "5-15", "15-35", "35-65", "65-100")
}


@pytest.fixture(scope="module")
def release(staged):
    return with_card(load_release(staged), half_widths=HALF_WIDTHS, nominal=0.9, days=5)


@pytest.fixture(params=["IDX", "STK"])
def asked(release, request):
    """A put and a call out of the money of a chain: European of IDX, American of STK."""
    chain, listed = listed_chains(release.model, request.param)[1]
    return chain.asked(float(listed["forward"]) * np.array([0.97, 1.02]), np.array(["P", "C"]))


def test_without_a_move_it_says_what_the_api_says_to_the_last_bit(release, asked):
    for told, row in zip(answers(release, asked), after(release, asked, Move()).to_dict("records"), strict=True):
        assert told["price"] == row["predicted_price"]
        assert told["implied_vol"] == row["predicted_implied_vol"]
        assert told["greeks"] == {greek: row[greek] for greek in GREEKS}
        assert (told["interval"]["low"], told["interval"]["high"]) == (row["low"], row["high"])
        assert (told["forward"], told["discount_factor"]) == (row["forward"], row["discount_factor"])
        assert told["underlying_price"] == row["spot"]


def test_small_moves_change_the_price_by_the_greeks(release, asked):
    now = after(release, asked, Move())
    spot = release.model.listed().set_index("underlying")["underlying_price"][asked["underlying"].iloc[0]].iloc[0]
    by_spot = after(release, asked, Move(spot=1e-4, sticky="strike"))["predicted_price"] - now["predicted_price"]
    assert by_spot.to_numpy() == pytest.approx(now["delta"].to_numpy() * 1e-4 * spot, rel=0.01)
    by_vol = after(release, asked, Move(vol=1e-4))["predicted_price"] - now["predicted_price"]
    assert by_vol.to_numpy() == pytest.approx(now["vega"].to_numpy() * 1e-4, rel=0.01)
    by_day = after(release, asked, Move(days=0.01))["predicted_price"] - now["predicted_price"]
    assert by_day.to_numpy() == pytest.approx(now["theta"].to_numpy() * 0.01, rel=0.02)


def test_the_price_after_a_move_is_black_s_of_the_moved_terms(release):
    chain, listed = listed_chains(release.model, "IDX")[1]
    asked = chain.asked(np.array([float(listed["forward"])]), "C")
    (row,) = after(release, asked, Move(spot=-0.03, vol=0.02, days=5, sticky="strike")).to_dict("records")
    rate = -np.log(listed["discount_factor"]) / listed["year_fraction"]
    years = listed["year_fraction"] - 5 / 365
    carried = 0.97 * listed["forward"] * np.exp(-(rate - listed["dividend_yield"]) * 5 / 365)
    vol = answers(release, asked)[0]["implied_vol"] + 0.02
    wanted = black_price(carried, asked["strike"][0], years, np.exp(-rate * years), vol, True)
    assert row["predicted_price"] == pytest.approx(float(wanted), rel=1e-12)
    assert row["year_fraction"] == pytest.approx(years)


def test_the_vol_stays_with_the_moneyness_or_with_the_strike(release, asked):
    now = after(release, asked, Move())["predicted_implied_vol"].to_numpy()
    with_strike = after(release, asked, Move(spot=0.02, sticky="strike"))["predicted_implied_vol"].to_numpy()
    assert with_strike == pytest.approx(now, abs=0)
    shifted = asked.assign(strike=asked["strike"] / 1.02)
    with_forward = after(release, asked, Move(spot=0.02))["predicted_implied_vol"].to_numpy()
    there = np.array([told["implied_vol"] for told in answers(release, shifted)])
    assert with_forward == pytest.approx(there, rel=1e-12)


def test_the_spot_moves_as_it_was_told_to_and_does_not_pass_with_time(release, asked):
    now, then = (after(release, asked, move)["spot"].to_numpy() for move in (Move(), Move(spot=-0.04, days=3)))
    assert then == pytest.approx(0.96 * now, rel=1e-12)


def test_each_row_may_have_its_own_spot(release, asked):
    both = after(release, asked, Move(), spots=[-0.01, 0.02])["predicted_price"].tolist()
    alone = [after(release, asked, Move(spot=spot))["predicted_price"][row] for row, spot in enumerate((-0.01, 0.02))]
    assert both == alone


def test_time_that_is_up_leaves_no_price(release, asked):
    assert after(release, asked, Move(days=400))["predicted_price"].isna().all()


def test_what_has_no_price_now_has_none_later(release):
    asked = pd.DataFrame(
        {"underlying": ["?"], "root": [None], "expiration": [pd.Timestamp("2026-12-18")], "strike": [1.0]}
    ).assign(option_type="C")
    told = after(release, asked, Move(spot=0.1))
    assert told["predicted_price"].isna().all()
    assert "does not know" in told["reason"][0]


def test_a_card_without_intervals_gives_none(staged, asked):
    assert after(load_release(staged), asked, Move())[["low", "high"]].isna().all(axis=None)
