import math

import numpy as np
import pandas as pd
import pytest

from options_pricing.release.golden import golden_differences, golden_rows
from options_pricing.release.verify import load_release
from options_pricing.run.errors import ModelRefusedError, UnhealthyError


@pytest.fixture(scope="module")
def model(staged):
    return load_release(staged).model


def test_they_are_spread_over_every_underlying_and_have_the_model_s_prices(model):
    rows = golden_rows(model, 12)
    assert len(rows) == 12
    assert {row.underlying for row in rows} == {"IDX", "STK"}
    assert len({row.expiration for row in rows}) > 2
    assert golden_differences(model, rows) == []


def test_they_are_the_same_whatever_the_order_of_the_quotes(model, monkeypatch):
    shuffled = model.quotes().sample(frac=1, random_state=1)
    expected = golden_rows(model, 7)
    monkeypatch.setattr(type(model), "quotes", lambda self: shuffled)
    assert golden_rows(model, 7) == expected


def test_more_than_there_are_gives_each_quote_once(model):
    rows = golden_rows(model, 100_000)
    asked = [tuple(row.asked().items()) for row in rows]
    assert len(set(asked)) == len(asked) == len(model.quotes())


@pytest.mark.parametrize("to", [math.inf, -math.inf])
def test_one_price_off_by_its_last_bit_is_told(model, to):
    rows = golden_rows(model, 5)
    moved = rows[2].model_copy(update={"predicted_price": float(np.nextafter(rows[2].predicted_price, to))})
    (told,) = golden_differences(model, [*rows[:2], moved, *rows[3:]])
    assert repr(rows[2].predicted_price) in told


def test_a_model_that_gives_no_price_is_told_with_its_reason(model, monkeypatch):
    def without(self, asked):
        nothing = np.full(len(asked), np.nan)
        return pd.DataFrame({"predicted_price": nothing, "reason": "it is closed"})

    monkeypatch.setattr(type(model), "price_options", without)
    with pytest.raises(UnhealthyError, match="it is closed"):
        golden_rows(model, 5)


def test_a_model_without_quotes_is_told(model, monkeypatch):
    monkeypatch.setattr(
        type(model),
        "quotes",
        lambda self: pd.DataFrame(columns=["underlying", "expiration", "root", "option_type", "strike"]),
    )
    with pytest.raises(UnhealthyError, match="no quotes"):
        golden_rows(model, 5)


def test_a_model_that_does_not_fit_the_code_any_more_is_refused_with_the_retrain_command(model, monkeypatch):
    def gone(self, asked):
        raise AttributeError("'Surface' object has no attribute 'day'")

    rows = golden_rows(model, 3)
    monkeypatch.setattr(type(model), "price_options", gone)
    for use in (lambda: golden_rows(model, 3), lambda: golden_differences(model, rows)):
        with pytest.raises(ModelRefusedError, match="no attribute 'day'") as caught:
            use()
        assert "model_train" in caught.value.fix
