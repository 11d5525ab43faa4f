"""The quick path says what the plain one says, to the last bit, whatever is asked and of whichever model."""

from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest

from options_pricing.models import pricer
from options_pricing.models.bundle import PRICED, PricingModel
from options_pricing.models.columns import Columns
from options_pricing.models.pricer import Pricer
from options_pricing.models.registry import MODELS, make_model
from options_pricing.pricing import blocks
from options_pricing.run.params import Boosted, Train
from tests.made_up_features import Market, make_features

LATER = ((2026, 11, 27), (2027, 1, 2), (2029, 6, 15), (2026, 11, 20), (2020, 1, 17), (2040, 1, 2))
UNLISTED = [date(*day) for day in LATER]


@cache
def bundle(name: str) -> PricingModel:
    market = Market(underlyings=("IDX", "STK"), american=("STK",), days=4, expirations=(20, 41, 104), strikes=9)
    features = make_features(market)
    if name == "two ages":
        # The index was last quoted a day before the stock, so that a day has passed for it alone.
        last = features["trade_date"] == features["trade_date"].max()
        features = features[~(last & (features["underlying"] == "IDX"))].reset_index(drop=True)
    train = Train(model="hybrid" if name == "two ages" else name, boosted=Boosted(max_iter=10, min_samples_leaf=20))
    return PricingModel(make_model(train.model, train).fit(features), features, train.model_dump(mode="json"))


def asked(count: int, seed: int = 0) -> Columns:
    """Options of all sorts: listed and not, of other roots and underlyings, at strikes that nobody lists."""
    random = np.random.default_rng(seed)
    listed = bundle("hybrid").listed()["expiration"].dt.date.unique().tolist()
    strikes = np.round(100.0 * np.exp(random.normal(0.3, 0.5, count)), 2)
    strikes[random.random(count) < 0.05] = random.choice([1e-5, 1e-4, 1e9, 2e9, 1e-300])
    return Columns(
        {
            "underlying": random.choice(np.array(["IDX", "STK", "NONE"], dtype=object), count, p=[0.6, 0.3, 0.1]),
            "root": random.choice(np.array([None, "IDX", "STK", "XX"], dtype=object), count, p=[0.6, 0.2, 0.15, 0.05]),
            "expiration": random.choice(np.array(listed * 4 + UNLISTED, dtype=object), count),
            "strike": strikes,
            "option_type": random.choice(np.array(["C", "P"], dtype=object), count),
        }
    )


def plainly(model: PricingModel, columns: Columns) -> pd.DataFrame:
    frame = pd.DataFrame(columns.held)
    return model.price_options(frame.assign(expiration=pd.to_datetime(frame["expiration"]).astype("datetime64[s]")))


def same(quick: dict, plain: pd.DataFrame) -> bool:
    """Equal in every bit, NaN included."""
    assert list(plain) == PRICED
    assert set(quick) == set(PRICED)
    numbers = [name for name in PRICED if plain[name].dtype == float]
    assert all(quick[name].dtype == float for name in numbers)
    return all(quick[name].tobytes() == plain[name].to_numpy().tobytes() for name in numbers) and all(
        quick[name].tolist() == plain[name].tolist() for name in PRICED if name not in numbers
    )


@pytest.mark.parametrize("name", [*MODELS, "two ages"])
def test_every_model_says_the_same_on_both_paths(name):
    quick, columns = Pricer(bundle(name)), asked(300)
    assert same(quick.priced(columns), plainly(bundle(name), columns))
    again = asked(40, seed=1)
    assert same(quick.priced(again), plainly(bundle(name), again))


def test_an_option_alone_is_what_it_is_among_others():
    quick, columns = Pricer(bundle("hybrid")), asked(60)
    together = quick.priced(columns)
    for row in range(len(columns)):
        alone = quick.priced(columns.take(np.array([row])))
        assert same(alone, pd.DataFrame({name: together[name][row : row + 1] for name in PRICED}))


def test_a_spoilt_number_is_found_by_the_comparison():
    columns = asked(50)
    told = Pricer(bundle("hybrid")).priced(columns)
    told["delta"] = np.nextafter(told["delta"], 2.0)
    assert not same(told, plainly(bundle("hybrid"), columns))


def test_the_compiled_code_says_the_same(monkeypatch):
    columns = asked(200, seed=2)
    before = Pricer(bundle("hybrid")).priced(columns)
    monkeypatch.setattr(blocks, "_WORK", blocks._Work())
    blocks.expect_much()
    assert blocks._WORK.is_much(1)
    assert same(before, pd.DataFrame(Pricer(bundle("hybrid")).priced(columns))[PRICED])


def test_what_is_remembered_is_bounded_and_forgotten_without_a_trace(monkeypatch):
    monkeypatch.setattr(pricer, "MOST_REMEMBERED", 3)
    quick = Pricer(bundle("hybrid"))
    for seed in range(4):
        columns = asked(5, seed=seed)
        assert same(quick.priced(columns), plainly(bundle("hybrid"), columns))
        assert len(quick._terms) <= 3 + 5
