"""Chains spoilt in every way that issue trackers know: forwards and features stay defined, or say why they are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing.run.errors import BadDataError
from options_pricing.run.params import Features
from options_pricing.surface.features import build_features
from options_pricing.surface.forwards import chain_forwards, expiration_numbers
from options_pricing.surface.zero_curve import ZeroCurve
from tests.surface.made_chain import RATE, made_chain, with_years

PARAMS = {"curve": ZeroCurve.flat(RATE), "min_pairs": 4, "near_share": 0.4}
CHAINS = {
    style: made_chain("ANY", spot=100.0, style=style, days=(0, 9, 93, 275), strikes=13, half_spread=0.05)
    for style in ("european", "american")
}
FOUND = ["forward", "forward_error", "discount_factor", "dividend_yield", "spot"]
REASONS = {"parity_line", "american_parity", "expired", "too_few_pairs", "no_sensible_line"}


def no_bid(chain, some):
    return chain.assign(bid=chain["bid"].mask(some, 0.0))


def crossed(chain, some):
    return chain.assign(bid=chain["ask"].where(some, chain["bid"]), ask=chain["bid"].where(some, chain["ask"]))


def stale(chain, some):
    return chain.assign(bid=chain["bid"] + 20.0 * some, ask=chain["ask"] + 20.0 * some)


def missing(chain, some):
    return chain.assign(ask=chain["ask"].mask(some))


def absurd(chain, some):
    return chain.assign(ask=chain["ask"].mask(some, 1e9))


def twice(chain, some):
    return chain.loc[np.repeat(chain.index, 1 + some.astype(int))].reset_index(drop=True)


def dropped(chain, some):
    return chain[~some].reset_index(drop=True) if not some.all() else chain


def one_side(chain, some):
    return chain[chain["option_type"] == "C"].reset_index(drop=True)


def one_strike(chain, some):
    return chain[chain["strike"] == chain["strike"].iloc[len(chain) // 2]].reset_index(drop=True)


SPOILT = [no_bid, crossed, stale, missing, absurd, twice, dropped, one_side, one_strike]


@st.composite
def chains(draw):
    """A chain of one style, some of whose rows were spoilt in up to three ways, in any order."""
    chain = CHAINS[draw(st.sampled_from(sorted(CHAINS)))]
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    for spoil in draw(st.lists(st.sampled_from(SPOILT), max_size=3)):
        chain = spoil(chain, random.random(len(chain)) < random.random())
    return chain.sample(frac=1, random_state=int(random.integers(2**31)))


@settings(deadline=None, max_examples=60)
@given(chains())
def test_forwards_are_positive_numbers_with_errors_or_there_is_a_reason(chain):
    found = chain_forwards(with_years(chain), **PARAMS)
    known = found["forward"].notna()
    assert set(found["method"]) <= REASONS
    assert (known == found["method"].isin(["parity_line", "american_parity"])).all()
    assert np.isfinite(found.loc[known, FOUND]).all(axis=None) and (found.loc[known, ["forward", "spot"]] > 0).all(
        axis=None
    )
    assert (found.loc[known, "forward_error"] > 0).all()
    assert found.loc[~known, FOUND].isna().all(axis=None)
    assert not known[found["year_fraction"] <= 0].any()


@settings(deadline=None, max_examples=25)
@given(chains())
def test_features_keep_every_row_and_have_vols_above_zero_or_none(chain):
    try:
        found = build_features(chain, Features(min_pairs=4))
    except BadDataError as error:
        assert "forward" in str(error)
        return
    assert found.index.tolist() == chain.index.tolist() and len(found) == len(chain)
    vols = found["implied_vol"].dropna()
    assert ((vols > 0) & np.isfinite(vols)).all()
    for greek in ("delta", "gamma", "vega"):
        assert np.isfinite(found.loc[vols.index, greek]).all()
    assert (found["early_exercise_premium"].dropna() >= 0).all()


@pytest.mark.parametrize("style", sorted(CHAINS))
def test_the_order_of_strikes_does_not_matter(style):
    chain = with_years(CHAINS[style])
    found = chain_forwards(chain.sample(frac=1, random_state=1), **PARAMS)
    expected = chain_forwards(chain, **PARAMS)
    np.testing.assert_array_equal(found[FOUND], expected[FOUND])


@pytest.mark.parametrize("style", sorted(CHAINS))
def test_a_repeated_quote_counts_once(style):
    chain = with_years(CHAINS[style])
    expected = chain_forwards(chain, **PARAMS)
    found = chain_forwards(chain.loc[np.repeat(chain.index, 2)].reset_index(drop=True), **PARAMS)
    np.testing.assert_allclose(found[FOUND], expected[FOUND], rtol=1e-12)
    assert found["pairs"].tolist() == expected["pairs"].tolist()


@pytest.mark.parametrize(("rate", "dividend_yield"), [(-0.01, 0.02), (-0.02, -0.03), (0.0, 0.0), (0.1, -0.05)])
@pytest.mark.parametrize("style", sorted(CHAINS))
def test_negative_rates_and_yields(monkeypatch, style, rate, dividend_yield):
    monkeypatch.setattr("tests.surface.made_chain.RATE", rate)
    chain = with_years(made_chain("ANY", spot=100.0, style=style, dividend_yield=dividend_yield, days=(30, 93, 275)))
    found = chain_forwards(chain, **(PARAMS | {"curve": ZeroCurve.flat(rate)}))
    truth = chain.groupby(expiration_numbers(chain))["true_forward"].first()
    np.testing.assert_allclose(found["forward"], truth, rtol=2e-5)
