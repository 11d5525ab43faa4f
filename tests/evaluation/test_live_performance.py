import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.live_performance import (
    AGAINST_RANDOM_WALK,
    AGE,
    QUALITY,
    live_figures,
    live_predictions,
)
from options_pricing.evaluation.metrics import figures_of
from options_pricing.evaluation.protocols import Setting, next_day
from options_pricing.evaluation.unseen import unseen_days
from options_pricing.models.training import train_model
from options_pricing.quotes.schema import PREDICTIONS, names
from options_pricing.run.params import Train
from tests.made_up_features import Market, make_features

TRAIN = Train(model="sticky_strike")


@pytest.fixture(scope="module")
def days():
    """Seven days; a release is made of the first five."""
    table = make_features(
        Market(days=7, underlyings=("IDX", "STK"), american=("STK",), expirations=(20, 41, 104), strikes=15)
    )
    return [day for _, day in table.groupby("trade_date")]


@pytest.fixture(scope="module")
def release(days):
    return train_model(pd.concat(days[:5], ignore_index=True), TRAIN).pricing


def test_the_day_after_is_priced_as_next_day_prices_it(days, release):
    told = live_predictions(release, days[5], days[4])
    known = pd.concat(days[:6], ignore_index=True)
    expected = next_day(known, Setting(TRAIN, 0.2, 42, names=("random_walk", "sticky_strike")))
    expected = expected[(expected["model"] == "sticky_strike") & (expected["date"] == expected["date"].max())]
    columns = [name for name in names(PREDICTIONS) if name != "protocol"]
    pd.testing.assert_frame_equal(told[columns].reset_index(drop=True), expected[columns].reset_index(drop=True))
    assert (told["known_residual"] == 0).all()
    np.testing.assert_array_equal(told["own_last_day_implied_vol"], told["random_walk_implied_vol"])


def test_age_and_quality_are_told_apart(days, release):
    told = live_predictions(release, days[6], days[5])
    figures = live_figures(told, {})["figures"]
    market = told["implied_vol"]

    def squares(name):
        return ((told[name] - market) ** 2).sum()

    model, fresh, own = map(squares, ("predicted_implied_vol", "random_walk_implied_vol", "own_last_day_implied_vol"))
    assert figures[AGAINST_RANDOM_WALK] == pytest.approx(1 - model / fresh)
    assert figures[QUALITY] == pytest.approx(1 - model / own)
    assert figures[AGE] == pytest.approx(1 - own / fresh)
    assert own != pytest.approx(fresh)


def test_what_was_known_yesterday_is_no_news_today(days, release):
    """Where nothing moves at one place of the surface, today's residual is yesterday's."""
    day = days[5]
    told = live_predictions(release, day, day.assign(trade_date=day["trade_date"]))
    # Its own quotes are "yesterday's": market and benchmark agree, so that all of the residual was known.
    residual = np.log(told["implied_vol"] / told["predicted_implied_vol"])
    np.testing.assert_allclose(told["random_walk_implied_vol"], told["implied_vol"], rtol=1e-9)
    np.testing.assert_allclose(told["known_residual"], residual, atol=1e-9)


def test_the_model_is_told_nothing_of_the_days_prices(days, release):
    spoilt = days[6].assign(**{name: days[6][name] * 1.5 for name in ("bid", "ask", "mid", "implied_vol")})
    before, after = (live_predictions(release, day, days[5]) for day in (days[6], spoilt))
    for name in ("predicted_price", "predicted_implied_vol", "random_walk_implied_vol", "own_last_day_implied_vol"):
        pd.testing.assert_series_equal(before[name], after[name])
    assert figures_of(before) != figures_of(after)


def test_the_share_of_priced_quotes_is_not_called_coverage(days, release):
    told = live_predictions(release, days[6], days[5])
    told.loc[told.index[0], ["predicted_price", "predicted_implied_vol"]] = np.nan
    figures = live_figures(told, {})["figures"]
    assert figures["share_priced"] == 1 - 1 / len(told)
    assert "coverage" not in figures


def test_coverage_is_of_the_intervals_of_the_card(days, release):
    told = live_predictions(release, days[6], days[5])
    unseen = unseen_days(pd.concat(days[:5], ignore_index=True), TRAIN).metrics
    found = live_figures(told, {"out_of_sample": unseen})["intervals"]
    assert found["nominal"] == 0.9 and found["quotes"] == len(told)
    wide = {place: dict.fromkeys(row, 5.0) for place, row in unseen["price_intervals"]["half_widths"].items()}
    none = {place: dict.fromkeys(row, 0.0) for place, row in wide.items()}
    for widths, share in ((wide, 1.0), (none, 0.0)):
        card = {"out_of_sample": {"price_intervals": unseen["price_intervals"] | {"half_widths": widths}}}
        assert live_figures(told, card)["intervals"]["coverage"] == share
    assert live_figures(told, {})["intervals"] is None
