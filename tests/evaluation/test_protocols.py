import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from options_pricing.evaluation.metrics import figures_of
from options_pricing.evaluation.protocols import (
    PROTOCOLS,
    NotPossibleError,
    few_quotes,
    held_out,
    marks,
    next_day,
    random_rows,
    same_day,
)
from options_pricing.models.base import ASKED, asked, day_names, eligible_quotes
from options_pricing.models.random_walk import RandomWalk
from options_pricing.models.registry import MODELS
from options_pricing.quotes.schema import PREDICTIONS, names
from options_pricing.run.params import ProtocolName, Train

KEY = ["model", "date", "contract_symbol"]
LABELS = ["bid", "ask", "mid", "implied_vol"]


def told(predictions, model, columns):
    rows = predictions[predictions["model"] == model].sort_values(KEY)
    return rows[columns].reset_index(drop=True)


def days_of(features):
    return sorted(day_names(features).unique())


def test_every_protocol_of_the_params_is_there():
    assert set(PROTOCOLS) == set(ProtocolName.__args__)


def test_next_day_asks_every_model_about_every_eligible_quote_of_every_later_day(features, setting):
    found = next_day(features, setting)
    eligible = eligible_quotes(features, 7, 400)
    later = eligible[day_names(eligible) > days_of(features)[0]]
    assert list(found) == names(PREDICTIONS)
    assert len(found) == len(later) * len(MODELS) and not found.duplicated(KEY).any()
    assert set(found["date"]) == set(days_of(features)[1:])
    assert found["held_out"].all() and (found["market_price"] == found["mid"]).all()


def test_the_benchmark_of_both_protocols_is_yesterdays_surface(judged, features):
    days = days_of(features)
    known, today = (features[day_names(features).isin(d)] for d in (days[:2], days[2:3]))
    today = eligible_quotes(today, 7, 400).sort_values("contract_symbol")
    expected = RandomWalk(Train()).fit(known).predict(asked(today))
    for protocol in ("next_day", "same_day"):
        rows = judged.predictions[
            (judged.predictions["protocol"] == protocol) & (judged.predictions["date"] == days[2])
        ]
        for model in MODELS:
            assert (told(rows, model, "random_walk_implied_vol") == expected).all()
    assert (told(rows, "random_walk", "predicted_implied_vol") != expected).any()


def test_what_a_day_turns_out_to_be_changes_no_prediction_of_it_or_before(features, setting):
    """The quotes of the last but one day are shaken; only the day after may notice."""
    days = days_of(features)
    shaken = features.copy()
    rows = day_names(shaken) == days[3]
    shaken.loc[rows, LABELS] *= 1.3
    shaken.loc[rows, ["volume", "delta", "vega", "early_exercise_premium"]] = -1.0
    before, after = next_day(features, setting), next_day(shaken, setting)
    values = ["predicted_price", "predicted_implied_vol", "random_walk_implied_vol"]
    for model in MODELS:
        early = [f[f["date"] <= days[3]] for f in (before, after)]
        assert told(early[0], model, values).equals(told(early[1], model, values))
        late = [f[f["date"] > days[3]] for f in (before, after)]
        assert not told(late[0], model, values).equals(told(late[1], model, values))


def test_held_out_quotes_change_no_prediction_of_the_same_day(features, setting):
    last = features["trade_date"].max()
    eligible = eligible_quotes(features[features["trade_date"] == last], 7, 400)
    hidden = eligible.index[held_out(eligible, 0.2, 42)]
    shaken = features.copy()
    shaken.loc[hidden, LABELS] *= 1.3
    values = ["predicted_price", "predicted_implied_vol"]
    before, after = same_day(features, setting), same_day(shaken, setting)
    for model in MODELS:
        assert told(before, model, values).equals(told(after, model, values))


def test_models_are_asked_with_known_columns_only(features, setting, monkeypatch):
    seen = []
    original = RandomWalk.predict

    def spy(self, quotes):
        seen.append(set(quotes))
        return original(self, quotes)

    monkeypatch.setattr(RandomWalk, "predict", spy)
    next_day(features, setting)
    same_day(features, setting)
    random_rows(features[features["trade_date"] == features["trade_date"].max()], setting)
    assert len(seen) > 10 and all(columns == set(ASKED) for columns in seen)


def test_same_day_knows_what_it_was_fitted_on_and_gains_from_it(judged):
    rows = judged.predictions[judged.predictions["protocol"] == "same_day"]
    walk = rows[rows["model"] == "random_walk"]
    kept = walk[~walk["held_out"]]
    assert (kept["predicted_implied_vol"] == kept["implied_vol"]).all()
    assert 0.1 < walk["held_out"].mean() < 0.25
    assert figures_of(walk[walk["held_out"]])["r2_implied_vol_vs_random_walk"] > 0.2


def test_of_one_day_same_day_is_possible_and_has_no_benchmark(features, setting):
    day = features[features["trade_date"] == features["trade_date"].max()]
    found = same_day(day, setting)
    assert set(found["date"]) == set(day_names(day)) and found["random_walk_implied_vol"].isna().all()
    assert found.loc[found["model"] == "random_walk", "predicted_price"].notna().all()


def test_strikes_are_held_out_whole_and_never_the_first_or_last(features):
    day = features[(features["trade_date"] == features["trade_date"].max())]
    held = held_out(day, 0.2, 42)
    for _, rows in day.assign(held=held).groupby(["underlying", "root", "expiration"]):
        strikes = rows.groupby("strike")["held"]
        assert (strikes.min() == strikes.max()).all()
        per_strike = strikes.max()
        assert per_strike.sum() == 3 and not per_strike.iloc[0] and not per_strike.iloc[-1]


def test_what_is_held_out_of_an_expiration_depends_on_nothing_else(features):
    day = features[features["trade_date"] == features["trade_date"].max()]
    some = day[day["underlying"] == "ETF"].iloc[::-1]
    whole = pd.Series(held_out(day, 0.2, 42), index=day.index)
    assert (whole[some.index] == held_out(some, 0.2, 42)).all()
    assert (whole != held_out(day, 0.2, 43)).any()


@pytest.mark.parametrize("count", [1, 2])
def test_two_strikes_or_fewer_are_kept(features, count):
    few = eligible_quotes(features[features["trade_date"] == features["trade_date"].max()], 7, 400).head(count)
    assert not held_out(few, 0.9, 1).any()


@pytest.mark.parametrize(
    ("protocol", "days", "words"),
    [(next_day, 1, "two days"), (random_rows, 2, "a single day and has 2"), (same_day, 0, "hold one out")],
)
def test_too_few_or_too_many_days_are_said(features, setting, protocol, days, words):
    chosen = features[day_names(features).isin(days_of(features)[:days])]
    with pytest.raises(NotPossibleError, match=words):
        protocol(chosen, setting)


@pytest.fixture(scope="module")
def one_day(features):
    day = features[(features["trade_date"] == features["trade_date"].max()) & (features["underlying"] == "ETF")].copy()
    day.loc[day["raw_row"] % 7 == 0, "vendor_price"] = np.nan
    gone = day["expiration"] == sorted(day["expiration"].unique())[1]
    day.loc[gone, ["forward", "discount_factor", "dividend_yield", "implied_vol"]] = np.nan
    return day


def test_random_rows_tests_the_published_split_of_all_rows(one_day, setting):
    found = random_rows(one_day.iloc[::-1], setting)
    in_order = one_day.sort_values("raw_row")
    _, test = train_test_split(np.arange(len(one_day)), test_size=0.2, random_state=42)
    for model in MODELS:
        rows = found[found["model"] == model]
        assert set(rows["contract_symbol"]) == set(in_order["contract_symbol"].iloc[test])
        assert rows["predicted_price"].notna().all()
    prices = one_day.set_index("contract_symbol").loc[rows["contract_symbol"]]
    expected = prices["vendor_price"].fillna(prices["mid"])
    assert (rows["market_price"].to_numpy() == expected.to_numpy()).all()


def test_random_rows_tells_the_vendors_vol_to_the_seeds_regression_alone(one_day, setting):
    other = one_day.assign(vendor_implied_vol=one_day["vendor_implied_vol"] * np.linspace(0.5, 1.5, len(one_day)))
    before, after = random_rows(one_day, setting), random_rows(other, setting)
    for model in MODELS:
        same = told(before, model, "predicted_price").equals(told(after, model, "predicted_price"))
        assert same == (model != "seed_linear")


def test_random_rows_surface_knows_nothing_of_the_rows_it_prices(one_day, setting):
    in_order = one_day.sort_values("raw_row")
    _, test = train_test_split(np.arange(len(one_day)), test_size=0.2, random_state=42)
    shaken = in_order.copy()
    hidden = in_order.index[test]
    shaken.loc[hidden, [*LABELS, "vendor_price"]] *= 1.5
    before, after = random_rows(one_day, setting), random_rows(shaken, setting)
    values = ["predicted_price", "predicted_implied_vol"]
    for model in MODELS:
        assert told(before, model, values).equals(told(after, model, values))


def test_nine_quotes_of_each_underlying_mark_its_surface(features):
    quotes = eligible_quotes(features, 7, 400)
    today = quotes[quotes["trade_date"] == quotes["trade_date"].max()]
    chosen = marks(today, today["implied_vol"].to_numpy())
    for _, rows in today[chosen].groupby("underlying"):
        assert len(rows) == 9 and rows["expiration"].nunique() == 3
        for _, three in rows.groupby("expiration"):
            deltas = three["delta"].abs().sort_values().to_numpy()
            assert deltas[:2] == pytest.approx(0.25, abs=0.2) and deltas[2] == pytest.approx(0.5, abs=0.2)


def test_the_days_own_prices_have_no_say_in_which_quotes_mark_it(features):
    quotes = eligible_quotes(features, 7, 400)
    today = quotes[quotes["trade_date"] == quotes["trade_date"].max()]
    vols = np.full(len(today), 0.2)
    other = today.assign(**{name: today[name] * 1.3 for name in LABELS})
    assert (marks(today, vols) == marks(other, vols)).all()


def test_an_underlying_with_one_expiration_is_marked_there(features):
    quotes = eligible_quotes(features, 7, 400)
    one = quotes[quotes["expiration"] == quotes["expiration"].min()]
    today = one[one["trade_date"] == one["trade_date"].max()]
    for _, rows in today[marks(today, np.full(len(today), np.nan))].groupby("underlying"):
        assert 1 <= len(rows) <= 3


def test_few_quotes_tells_models_nine_quotes_of_the_day_and_judges_them_on_the_others(features, setting):
    found = few_quotes(features, setting)
    seen = found[~found["held_out"]]
    assert (seen.groupby(["model", "date", "underlying"]).size() == 9).all()
    told = seen[seen["model"] == "random_walk"]
    quoted = features.assign(date=day_names(features)).set_index(["date", "contract_symbol"])["implied_vol"]
    vols = quoted.reindex(pd.MultiIndex.from_frame(told[["date", "contract_symbol"]])).to_numpy()
    # The walk's surface goes through the quotes that it was told.
    np.testing.assert_allclose(told["predicted_implied_vol"], vols, rtol=1e-9)


def test_few_quotes_see_nothing_else_of_the_day(features, setting):
    """Other prices for all but the nine change no prediction."""
    last = features["trade_date"] == features["trade_date"].max()
    first = few_quotes(features, setting)
    seen = first.loc[~first["held_out"], "contract_symbol"].unique()
    hidden = last & ~features["contract_symbol"].isin(seen)
    spoilt = features.copy()
    for name in ("bid", "ask", "mid", "implied_vol"):
        spoilt.loc[hidden, name] = spoilt.loc[hidden, name] * 1.07
    second = few_quotes(spoilt, setting)
    columns = [*KEY, "predicted_implied_vol", "predicted_price"]
    both = [found.sort_values(KEY)[columns].reset_index(drop=True) for found in (first, second)]
    pd.testing.assert_frame_equal(*both)
