import numpy as np
import pandas as pd
import pytest

from options_pricing.reporting.smiles import MOST_BARS, smiles_of
from tests.reporting.made_files import black, features_of


@pytest.fixture
def features():
    return features_of("20261120")


def smiles(features, predictions=None, count=6):
    return smiles_of(features, predictions, model="boosted", protocol="next_day", count=count)


def test_expirations_are_spread_over_underlyings_and_maturities(features):
    drawn = [(smile.underlying, smile.days) for smile in smiles(features, count=6)]
    assert drawn == [("XIDX", 28), ("XIDX", 154), ("XIDX", 301), ("XTEC", 28), ("XTEC", 154), ("XTEC", 301)]
    assert [(smile.underlying, smile.days) for smile in smiles(features, count=3)] == [
        ("XIDX", 28),
        ("XIDX", 301),
        ("XTEC", 63),
    ]
    assert len(smiles(features, count=99)) == 8


def test_bid_and_ask_become_the_vols_that_price_them(features):
    smile = smiles(features, count=1)[0]
    chain = features[(features.underlying == smile.underlying) & (features.expiration == smile.expiration)].sort_values(
        "strike"
    )
    known = [chain[name].to_numpy() for name in ("forward", "strike", "year_fraction", "discount_factor")]
    call = (chain.option_type == "C").to_numpy()
    np.testing.assert_allclose(smile.moneyness, known[1] / known[0])
    np.testing.assert_allclose(black(*known, smile.bid_vol, call), chain.bid, rtol=1e-7)
    np.testing.assert_allclose(black(*known, smile.ask_vol, call), chain.ask, rtol=1e-7)
    assert (smile.bid_vol < smile.ask_vol).all()


def test_the_early_exercise_premium_comes_off_both_sides(features):
    plain = smiles(features, count=1)[0]
    premium = 0.2 * features["bid"]
    dearer = features.assign(
        bid=features["bid"] + premium, ask=features["ask"] + premium, early_exercise_premium=premium
    )
    again = smiles(dearer, count=1)[0]
    np.testing.assert_allclose(again.bid_vol, plain.bid_vol, rtol=1e-6)
    np.testing.assert_allclose(again.ask_vol, plain.ask_vol, rtol=1e-6)


def test_a_bid_or_ask_without_a_vol_leaves_the_bar_open(features):
    smile = smiles(features.assign(bid=0.0, ask=1e9), count=1)[0]
    assert (smile.bid_vol == 0).all()
    assert np.isinf(smile.ask_vol).all()


def test_the_line_is_the_chosen_models_prediction_of_that_day(features, inputs):
    predicted = inputs.predictions
    smile = smiles(features, predicted, count=1)[0]
    wanted = predicted[
        (predicted.protocol == "next_day")
        & (predicted.model == "boosted")
        & (predicted.date == "20261120")
        & (predicted.underlying == smile.underlying)
        & (predicted.expiration == smile.expiration)
    ].sort_values("strike")
    np.testing.assert_allclose(smile.predicted_vol, wanted.predicted_implied_vol)
    assert len(smile.predicted_vol) == 25


def between(features, low, high):
    """Whether each quote lies between these standard deviations, by the vol at the forward, 0.18."""
    return (features["standardised_moneyness"] / 0.18).between(low, high)


def test_the_line_breaks_where_more_than_a_standard_deviation_has_no_quote(features, inputs):
    (whole,) = smiles(features, inputs.predictions, count=1)
    assert set(whole.piece) == {0}
    (gap,) = smiles(features[~between(features, -2.2, -0.4)], inputs.predictions, count=1)
    assert set(gap.piece) == {0, 1}
    assert gap.predicted_moneyness[gap.piece == 0].max() < gap.predicted_moneyness[gap.piece == 1].min()
    (narrow,) = smiles(features[~between(features, -0.8, -0.4)], inputs.predictions, count=1)
    assert set(narrow.piece) == {0}


def test_quotes_without_a_prediction_fill_a_gap(features, inputs):
    hidden = features[between(features, -2.2, -0.4)]["contract_symbol"]
    told = inputs.predictions[~inputs.predictions["contract_symbol"].isin(hidden)]
    (smile,) = smiles(features, told, count=1)
    assert len(smile.predicted_vol) < smile.quotes
    assert set(smile.piece) == {0}


def test_predictions_of_another_day_are_no_line(features, inputs):
    early = inputs.predictions[inputs.predictions.date == "20261119"]
    assert len(early)
    assert all(len(smile.predicted_vol) == 0 for smile in smiles(features, early))


def test_expirations_with_a_prediction_go_first(features, inputs):
    told = inputs.predictions[inputs.predictions.expiration == features.expiration.unique()[1]]
    assert {smile.days for smile in smiles(features, told)} == {63}


def test_roots_of_one_expiration_stay_apart(features):
    two = pd.concat([features, features.assign(root="XIDXW", settlement="pm")])
    drawn = smiles(two[two.underlying == "XIDX"], count=99)
    assert len(drawn) == 8
    assert {smile.root for smile in drawn} == {"XIDX", "XIDXW"}
    assert all(smile.quotes == 25 for smile in drawn)


def test_quotes_without_forward_or_vol_and_thin_expirations_are_left_out(features):
    assert smiles(features.assign(forward=np.nan)) == []
    assert smiles(features.assign(implied_vol=np.nan)) == []
    assert smiles(features.assign(out_of_the_money=False)) == []
    assert smiles(features.groupby("expiration").head(2)) == []
    assert smiles(features.iloc[:0]) == []


def test_many_strikes_are_thinned_evenly_and_counted(features):
    one = features[(features.underlying == "XIDX") & (features.year_fraction < 0.1)]
    many = pd.concat([one.assign(strike=one.strike + shift) for shift in range(8)])
    smile = smiles(many, count=1)[0]
    assert smile.quotes == 200
    assert len(smile.moneyness) == MOST_BARS
    strikes = (many.strike / many.forward).sort_values()
    assert smile.moneyness[0] == strikes.iloc[0]
    assert smile.moneyness[-1] == strikes.iloc[-1]


def test_quotes_far_from_the_forward_are_left_out(features):
    one = features[(features.underlying == "XIDX") & (features.year_fraction < 0.1)]
    at_the_money = one.implied_vol.to_numpy()[one.log_moneyness.abs().to_numpy().argmin()]
    far = one.assign(standardised_moneyness=one.standardised_moneyness.where(one.moneyness > 0.9, -5.01 * at_the_money))
    smile = smiles(far, count=1)[0]
    assert smile.quotes == (one.moneyness > 0.9).sum() < len(one)
    assert smile.moneyness.min() > 0.9
