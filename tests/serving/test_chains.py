import numpy as np
import pandas as pd
import pytest

from options_pricing.release.verify import load_release
from options_pricing.serving import charts
from options_pricing.serving.app.look import LIGHT
from options_pricing.serving.chains import (
    at_the_money_vol,
    listed_chains,
    model_line,
    nearest_strikes,
    quote_for,
    quotes_of,
    two_sided,
    usual_strikes,
)


@pytest.fixture(scope="module")
def model(staged):
    return load_release(staged).model


@pytest.fixture(scope="module", params=["IDX", "STK"])
def drawn(model, request):
    """A chain of European and one of American options: chain, forward, quotes."""
    chain, listed = listed_chains(model, request.param)[1]
    return chain, float(listed["forward"]), quotes_of(model, chain)


def test_chains_are_the_listed_ones_nearest_first(model):
    chains = [chain for chain, _ in listed_chains(model, "STK")]
    assert {chain.underlying for chain in chains} == {"STK"}
    assert [chain.expiration for chain in chains] == sorted(model.listed()["expiration"].unique())


def test_quotes_stand_beside_the_model_s_own_prices(model, drawn):
    chain, _, quotes = drawn
    assert len(quotes) > 5
    own = model.quotes()
    assert len(quotes) == ((own["underlying"] == chain.underlying) & (own["expiration"] == chain.expiration)).sum()
    asked = quotes[["underlying", "expiration", "strike", "option_type"]]
    assert quotes["predicted_price"].to_numpy() == pytest.approx(
        model.price_options(asked)["predicted_price"].to_numpy()
    )


def test_the_vol_of_the_mid_lies_between_those_of_bid_and_ask(drawn):
    _, _, quotes = drawn
    known = quotes.dropna(subset=["bid_implied_vol", "ask_implied_vol"])
    assert len(known) > 5
    assert (known["bid_implied_vol"] < known["implied_vol"]).all()
    assert (known["implied_vol"] < known["ask_implied_vol"]).all()


def test_the_table_prices_both_sides_of_every_strike_and_shows_the_quotes_there_are(model, drawn):
    chain, forward, quotes = drawn
    strikes = nearest_strikes(quotes, forward, None)
    table = two_sided(model, chain, quotes, strikes)
    assert table["strike"].tolist() == sorted(quotes["strike"].unique())
    assert table[["call model", "put model"]].notna().all(axis=None)
    for side, letter in (("call", "C"), ("put", "P")):
        bids = quotes[quotes["option_type"] == letter].set_index("strike")["bid"]
        assert table.set_index("strike")[f"{side} bid"].dropna().to_dict() == bids.to_dict()
    # A call less a put is worth the forward less the strike, up to what early exercise is worth.
    row = table.iloc[(table["strike"] - forward).abs().argmin()]
    assert row["call model"] - row["put model"] == pytest.approx(forward - row["strike"], abs=0.02 * forward)


def test_the_nearest_strikes_are_in_order_and_as_many_as_asked(drawn):
    _, forward, quotes = drawn
    some = nearest_strikes(quotes, forward, 3)
    assert some.tolist() == sorted(some)
    left_out = set(quotes["strike"]) - set(some)
    assert max(abs(some - forward)) <= min(abs(strike - forward) for strike in left_out)


def test_a_quote_is_found_by_its_terms_or_not_at_all(drawn):
    _, _, quotes = drawn
    first = quotes.iloc[0]
    found = quote_for(quotes, first["strike"], first["option_type"])
    assert found is not None
    assert found["bid"] == first["bid"]
    assert quote_for(quotes, first["strike"] + 0.001, first["option_type"]) is None


def test_the_line_passes_through_the_model_s_vols(model, drawn):
    chain, forward, quotes = drawn
    line = model_line(model, chain, forward, quotes["strike"].min(), quotes["strike"].max())
    assert line["strike"].is_monotonic_increasing
    at = np.interp(quotes["strike"], line["strike"], line["implied_vol"])
    assert at == pytest.approx(quotes["predicted_implied_vol"].to_numpy(), abs=0.01)
    assert line["implied_vol"].min() <= at_the_money_vol(line, forward) <= line["implied_vol"].max()


def test_an_empty_line_has_no_vol_at_the_money():
    assert np.isnan(at_the_money_vol(pd.DataFrame({"strike": [], "implied_vol": []}), 100.0))


def test_the_first_look_is_around_the_forward_and_not_beyond_the_quotes(drawn):
    _, forward, quotes = drawn
    low, high = usual_strikes(quotes, forward, 0.05)
    assert quotes["strike"].min() < low < forward < high < quotes["strike"].max()
    assert np.log(high / forward) == pytest.approx(4 * 0.05 * np.sqrt(quotes["year_fraction"].iloc[0]))
    everything = (quotes["strike"].min(), quotes["strike"].max())
    assert usual_strikes(quotes, forward, 9.0) == usual_strikes(quotes, forward, np.nan) == everything
    far = quotes[quotes["strike"] > high]
    assert usual_strikes(far, forward, 0.05) == (far["strike"].min(), far["strike"].max())


def test_a_single_quote_can_be_drawn(model, drawn):
    chain, forward, quotes = drawn
    one = quotes.iloc[-1:]
    strike = float(one["strike"].iloc[0])
    line = model_line(model, chain, forward, strike, strike)
    view = usual_strikes(one, forward, at_the_money_vol(line, forward))
    figure = charts.smile(one, line, forward, view=view, colours=LIGHT)
    for low, high in (figure.layout.xaxis.range, figure.layout.yaxis.range):
        assert low < high


@pytest.fixture
def smile(model, drawn):
    """Draws the smile of a chain after its quotes were changed."""
    chain, forward, quotes = drawn
    low, high = quotes["strike"].min(), quotes["strike"].max()
    line = model_line(model, chain, forward, low, high)

    def draw(view=(low, high), **changes):
        return charts.smile(quotes.assign(**changes), line, forward, view=view, colours=LIGHT)

    return draw


def test_the_smile_draws_every_quote_in_percent_with_bars_and_the_line(drawn, smile):
    _, _, quotes = drawn
    figure = smile()
    line, puts, calls, *errors = figure.data
    assert sorted([*errors[0].y, *errors[1].y]) == pytest.approx(sorted(quotes["error_half_spreads"]))
    assert len(puts.x) + len(calls.x) == len(quotes)
    assert sorted([*puts.y, *calls.y]) == pytest.approx(sorted(100 * quotes["implied_vol"]))
    bars = np.concatenate([puts.error_y.array, calls.error_y.array])
    assert (bars >= 0).all()
    assert bars.max() > 0
    assert line.y.min() == pytest.approx(100 * quotes["implied_vol"].min(), abs=1)
    low, high = figure.layout.yaxis.range
    assert low < 100 * quotes["implied_vol"].min()
    assert high > 100 * quotes["implied_vol"].max()


def test_one_wide_quote_does_not_flatten_the_smile(smile):
    wide = smile(ask_implied_vol=9.0, bid_implied_vol=np.nan)
    assert wide.layout.yaxis.range == smile().layout.yaxis.range
    assert (wide.data[1].error_y.arrayminus == 0).all()


def test_the_axes_fit_what_is_in_view(drawn, smile):
    _, forward, _ = drawn
    near, whole = smile(view=(0.95 * forward, 1.05 * forward)).layout, smile().layout
    assert near.xaxis.range[0] < 0.95 * forward < 1.05 * forward < near.xaxis.range[1]
    assert near.yaxis.range[1] - near.yaxis.range[0] < whole.yaxis.range[1] - whole.yaxis.range[0]
