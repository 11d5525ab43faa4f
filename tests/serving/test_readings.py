import pickle

import numpy as np
import pandas as pd
import pytest

from options_pricing.release.verify import load_release
from options_pricing.serving.chains import listed_chains
from options_pricing.serving.readings import (
    ChainSurface,
    chain_density,
    density_figures,
    surface_grid,
    term_structure,
)
from tests.made_release import pickled_model


@pytest.fixture(scope="module")
def model(staged):
    return load_release(staged).model


class FlatModel:
    """A model that says one vol of everything."""

    def __init__(self, model, vol):
        self._model, self._vol = model, vol

    def listed(self):
        return self._model.listed()

    def price_options(self, asked):
        flat = {"predicted_implied_vol": self._vol, "extrapolated": False}
        return pd.DataFrame(flat, index=range(len(asked)))


@pytest.fixture
def flat(model):
    return FlatModel(model, 0.2)


def test_a_chain_asked_as_a_surface_says_the_model_s_vols(model):
    chain, listed = listed_chains(model, "STK")[0]
    forward, years = float(listed["forward"]), float(listed["year_fraction"])
    surface = ChainSurface(model, chain, forward)
    asked = chain.asked(np.array([0.95 * forward]), "P")
    told = model.price_options(asked)["predicted_implied_vol"][0]
    assert surface.vols_at(years, np.log(0.95) / np.sqrt(years)) == pytest.approx(told, rel=1e-12)


def test_the_density_of_a_flat_vol_is_lognormal(flat):
    chain, listed = listed_chains(flat, "IDX")[1]
    table = chain_density(flat, chain, listed)
    assert table["density"].to_numpy() == pytest.approx(table["lognormal"].to_numpy(), rel=0.01, abs=1e-6)
    assert np.trapezoid(table["density"], table["price"]) == pytest.approx(1, abs=1e-3)
    told, deviation = density_figures(table), 0.2 * np.sqrt(listed["year_fraction"])
    assert told["middle"] == pytest.approx(listed["forward"] * np.exp(-(deviation**2) / 2), rel=1e-3)
    assert told["low"] == pytest.approx(listed["forward"] * np.exp(-1.644854 * deviation - deviation**2 / 2), rel=1e-3)
    assert told["negative"] == 0


def test_the_density_of_a_surface_without_arbitrage_is_one_and_has_the_forward_as_its_mean():
    model = pickle.loads(pickled_model("constrained"))
    chain, listed = listed_chains(model, "IDX")[1]
    table = chain_density(model, chain, listed)
    assert density_figures(table)["negative"] == pytest.approx(0, abs=1e-6)
    assert np.trapezoid(table["density"], table["price"]) == pytest.approx(1, abs=0.01)
    assert np.trapezoid(table["density"] * table["price"], table["price"]) == pytest.approx(listed["forward"], rel=0.01)
    assert table["probability_below"].iloc[0] == pytest.approx(0, abs=0.01)
    assert table["probability_below"].iloc[-1] == pytest.approx(1, abs=0.01)


def test_a_negative_density_is_counted(flat):
    chain, listed = listed_chains(flat, "IDX")[1]
    table = chain_density(flat, chain, listed)
    table.loc[190:200, "density"] *= -1
    assert density_figures(table)["negative"] > 0.01


def test_without_a_vol_there_is_no_density(model):
    chain, listed = listed_chains(model, "IDX")[1]
    assert chain_density(FlatModel(model, np.nan), chain, listed).empty


def test_a_flat_vol_has_flat_term_structures(flat):
    table = term_structure(flat, "STK")
    assert len(table) == len(listed_chains(flat, "STK"))
    assert table["atm_vol"].to_numpy() == pytest.approx(0.2)
    assert table[["skew_25", "butterfly_25"]].to_numpy() == pytest.approx(0, abs=1e-12)


def test_the_skew_is_that_between_the_deltas(model):
    row = term_structure(model, "IDX").iloc[1]
    chain, listed = listed_chains(model, "IDX")[1]
    surface = ChainSurface(model, chain, float(listed["forward"]))
    from options_pricing.surface.readouts import atm_vols, butterflies, risk_reversals

    years = np.array([listed["year_fraction"]])
    assert row["atm_vol"] == pytest.approx(float(atm_vols(surface, years)[0]), rel=1e-9)
    assert row["skew_25"] == pytest.approx(-float(risk_reversals(surface, years)[0]), abs=5e-4)
    assert row["butterfly_25"] == pytest.approx(float(butterflies(surface, years)[0]), abs=5e-4)


def test_the_grid_holds_the_model_s_own_vols_and_leaves_out_what_was_not_quoted(model):
    moneyness = np.array([0.5, 0.99, 1.0])
    quoted, all_of_it = (surface_grid(model, "IDX", moneyness, quoted_only=only) for only in (True, False))
    assert len(quoted) == len(all_of_it) == 3 * len(listed_chains(model, "IDX"))
    assert quoted.loc[quoted["moneyness"] == 0.5, "implied_vol"].isna().all()
    assert all_of_it["implied_vol"].notna().all()
    row = quoted.iloc[2]
    asked = pd.DataFrame(
        {"underlying": "IDX", "expiration": [row["expiration"]], "strike": row["strike"], "option_type": "C"}
    )
    assert row["implied_vol"] == model.price_options(asked)["predicted_implied_vol"][0]
