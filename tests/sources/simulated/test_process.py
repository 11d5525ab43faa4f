"""The market over the days: what a statistician would find in a year of it, and in all of it."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.sources.simulated.instruments import INSTRUMENTS
from options_pricing.sources.simulated.process import FUND_SHARE, market_path
from options_pricing.sources.simulated.surface import Factors, Slice, at_the_money_vol, slices, total_variance

MONTH, YEAR = np.array(1 / 12), np.array(1.0)
LAST = np.datetime64("2026-11-20")
SEEDS = [20261120, 1, 2]


def series(name: str, seed: int, sessions: int | None = None) -> pd.DataFrame:
    """Returns and at-the-money vols up to `LAST`, the last `sessions` of them or all after the first year."""
    path = market_path(name, seed)
    table = pd.DataFrame(
        {
            "spot": path.spot,
            "month": 100 * at_the_money_vol(INSTRUMENTS[name].smile, path.factors, MONTH),
            "year": 100 * at_the_money_vol(INSTRUMENTS[name].smile, path.factors, YEAR),
        },
        index=pd.Index(path.sessions),
    )
    table["move"] = np.log(table["spot"]).diff()
    table["vol_move"] = table["month"].diff()
    end = path.at(LAST) + 1
    return table.iloc[252 if sessions is None else end - sessions : end]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_year_of_the_index(seed):
    year = series("XIDX", seed, 250)
    assert -0.85 < year["move"].corr(year["vol_move"]) < -0.6
    assert 0.3 < year["vol_move"].abs().median() < 1.2 or year["month"].median() < 11
    assert year["month"].autocorr(1) > 0.9
    assert year["move"].kurt() > 0  # pandas: over the 3 of a normal distribution
    assert year["vol_move"].kurt() > 0
    assert 0.05 < year["move"].std() * np.sqrt(252) < 0.35


@pytest.mark.parametrize("seed", SEEDS)
def test_the_index_over_decades(seed):
    table = series("XIDX", seed)
    assert table["move"].corr(table["vol_move"]) == pytest.approx(-0.7, abs=0.06)
    assert 0.3 < table["vol_move"].abs().median() < 0.7
    assert table["vol_move"].abs().quantile(0.9) < 1.8
    assert table["move"].kurt() > 1.5
    assert 0.95 < table["month"].autocorr(1) < 0.995
    assert abs(table["move"].autocorr(1)) < 0.05 and abs(table["vol_move"].autocorr(1)) < 0.08
    assert table["month"].quantile(0.01) > 6 and table["month"].max() < 60
    assert table["spot"].median() == pytest.approx(5000, rel=0.15)
    assert table["spot"].between(1500, 12_000).all()


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_contango_when_calm(name):
    table = series(name, SEEDS[0])
    upward = table["year"] > table["month"]
    calm = table["month"] < table["month"].quantile(0.5)
    wild = table["month"] > table["month"].quantile(0.95)
    assert upward[calm].mean() > 0.9
    assert upward[wild].mean() < 0.5


def test_leverage_is_smaller_on_stocks_and_they_follow_the_index():
    tables = {name: series(name, SEEDS[0]) for name in INSTRUMENTS}
    leverage = {name: table["move"].corr(table["vol_move"]) for name, table in tables.items()}
    assert leverage["XIDX"] < leverage["XTEC"] - 0.1 < leverage["XOIL"] - 0.2
    assert leverage["XOIL"] < -0.15
    for name, correlation in (("XTEC", 0.65), ("XOIL", 0.45)):
        assert tables[name]["move"].corr(tables["XIDX"]["move"]) == pytest.approx(correlation, abs=0.05)


def test_index_returns_are_calmer_than_options_expect():
    table = series("XIDX", SEEDS[0])
    realised = 100 * table["move"].std() * np.sqrt(252)
    assert 0.7 < realised / np.sqrt((table["month"] ** 2).mean()) < 1.0


def test_the_fund_holds_a_tenth_of_the_index():
    index, fund = (market_path(name, SEEDS[0]) for name in ("XIDX", "XETF"))
    ratio = fund.spot / (FUND_SHARE * index.spot)
    assert ratio.min() > 0.999 and ratio.max() < 1.006
    on_ex_days = np.isin(fund.sessions, fund.ex_days)
    after, before = ratio[1:][on_ex_days[1:]], ratio[:-1][on_ex_days[1:]]
    assert np.mean(before - after) == pytest.approx(0.013 / 4, rel=0.1)


def test_yesterdays_surface_is_a_hard_benchmark():
    """A regression of each point's change on the index's return, with hindsight, leaves about half of it.

    Without the return nothing is left to say: mean reversion is slow.
    """
    path, smile = market_path("XIDX", SEEDS[0]), INSTRUMENTS["XIDX"].smile
    days = slice(path.at(LAST) - 750, path.at(LAST) + 1)
    maturities = np.array([14, 30, 60, 120, 240, 365]) / 365
    factors = Factors(*(values[days][:, None] for values in path.factors))
    parameters = slices(smile, factors, maturities)
    standardised = np.linspace(-0.5, 0.25, 9)
    variance = total_variance(Slice(*(p[:, :, None] for p in parameters)), standardised * np.sqrt(maturities)[:, None])
    vols = 100 * np.sqrt(variance / maturities[:, None]).reshape(len(factors.fast), -1)
    change, move = np.diff(vols, axis=0), np.diff(np.log(path.spot[days]))

    def explained(regressor: np.ndarray) -> float:
        x = regressor - regressor.mean(axis=0)
        y = change - change.mean(axis=0)
        slope = (x * y).sum(axis=0) / (x * x).sum(axis=0)
        return 1 - ((y - slope * x) ** 2).sum() / (change**2).sum()

    assert 0.3 < np.sqrt((change**2).mean()) < 1.2
    assert 0.35 < explained(move[:, None]) < 0.62
    assert explained(vols[:-1]) < 0.05


@pytest.mark.parametrize("name", ["XIDX", "XTEC"])
def test_the_past_does_not_depend_on_who_asks(name):
    first = market_path(name, 5)
    market_path.cache_clear()
    second = market_path(name, 5)
    assert first.spot.tobytes() == second.spot.tobytes()
    assert first.factors.fast.tobytes() == second.factors.fast.tobytes()
    assert market_path(name, 6).spot.tobytes() != first.spot.tobytes()


def test_stocks_fall_by_their_dividend():
    path = market_path("XOIL", SEEDS[0])
    on_ex_days = np.isin(path.sessions, path.ex_days)[1:]
    moves = np.diff(np.log(path.spot))
    gap = moves[~on_ex_days].mean() - moves[on_ex_days].mean()
    error = moves.std() / np.sqrt(on_ex_days.sum())
    assert gap == pytest.approx(0.52 / 62, abs=3 * error)
