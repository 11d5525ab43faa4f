"""On real chains: our figures against the independent scoring script, the correction when a market turns, the seed."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from options_pricing.evaluation.evaluate import judge
from options_pricing.evaluation.metrics import figures_of
from options_pricing.evaluation.protocols import Setting, few_quotes, random_rows
from options_pricing.models.base import asked, eligible_quotes
from options_pricing.models.boosted import Boosted
from options_pricing.models.random_walk import RandomWalk
from options_pricing.quotes.schema import PREDICTIONS, VALIDATED
from options_pricing.quotes.tables import conform, write_parquet
from options_pricing.run.params import Features, Train
from options_pricing.sources.cboe_eod import CboeEod
from options_pricing.sources.yahoo_csv import YahooCsv
from options_pricing.surface.features import build_features
from options_pricing.surface.zero_curve import ZeroCurve

pytestmark = pytest.mark.market

SCORED = ["20260803", "20260804", "20260805"]
MARKED = ["20260730", "20260731", "20260803"]
CALM = ["20260805", "20260806", "20260810", "20260811"]
NAMES = {
    "r2_price": "r2_price",
    "mae_price": "mae",
    "iv_rmse_vol_points": "iv_rmse_vol_points",
    "median_error_half_spreads": "median_error_half_spreads",
    "inside_bid_ask": "inside_bid_ask",
}


def features_of(quotes, rate=0.04, **params):
    numbered = quotes.assign(raw_row=range(len(quotes)), warnings=None)
    return build_features(conform(numbered, VALIDATED), Features(**params), curve=ZeroCurve.flat(rate))


@pytest.fixture(scope="module")
def archive(market):
    return CboeEod(market / "cboe_eod", ["_SPX"])


@pytest.fixture(scope="module")
def scored(archive, tmp_path_factory):
    """Predictions of three full days in a file, as model_evaluate writes it but for what score.py must not count."""
    days = []
    for day in SCORED:
        quotes = archive.chain(day).quotes
        days.append(features_of(quotes[(quotes["bid"] > 0) & (quotes["ask"] > 0)]))
    setting = Setting(Train(), held_out=0.2, seed=42)
    judged = judge(pd.concat(days, ignore_index=True), ["next_day", "same_day"], setting)
    path = tmp_path_factory.mktemp("scored") / "predictions.parquet"
    write_parquet(judged.predictions[judged.predictions["held_out"]], path, PREDICTIONS)
    return judged, path


def score(market, path, protocol, model, folder):
    """What the scoring script, which reads the raw chains itself, says of the same quotes."""
    for day in SCORED:
        name = f"{day[:4]}-{day[4:6]}-{day[6:]}.csv.gz"
        (folder / name).symlink_to(market / "cboe_eod/_SPX" / name)
    command = [sys.executable, str(market.parent / "score/score.py"), "--chains", str(folder)]
    command += ["--predictions", str(path), "--protocol", protocol, "--model", model]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize(("protocol", "model"), [("next_day", "random_walk"), ("same_day", "boosted")])
def test_our_figures_are_those_of_the_scoring_script(market, scored, tmp_path, protocol, model):
    judged, path = scored
    said = score(market, path, protocol, model, tmp_path)
    ours = figures_of(judged.of(protocol, model))
    assert said["days"] == 2 and said["covered"] == pytest.approx(len(judged.of(protocol, model)), rel=0.005)
    for name, theirs in NAMES.items():
        assert ours[name] == pytest.approx(said["model"][theirs], abs=0.01), name
    assert ours["r2_implied_vol_vs_random_walk"] == pytest.approx(said["r2_iv_against_random_walk"], abs=0.01)


def test_a_correction_learnt_in_late_july_does_no_harm_in_august(archive):
    """Quick boosting on these nine days falls to an R2 of -1.2 against the random walk on those that follow."""
    window = archive.trading_days("_SPX", pd.Timestamp("2026-07-20").date(), pd.Timestamp("2026-08-12").date())
    days = []
    for day in window:
        quotes = archive.chain(day).quotes
        expirations = sorted(quotes["expiration"].unique())[::4]
        some = quotes["expiration"].isin(expirations) & (quotes["bid"] > 0) & (quotes["strike"] % 25 == 0)
        days.append(features_of(quotes[some]))
    quotes = eligible_quotes(pd.concat(days, ignore_index=True), 7, 400)
    left = {Boosted: 0.0, RandomWalk: 0.0}
    for day in map(pd.Timestamp, CALM):
        known, today = quotes[quotes["trade_date"] < day], quotes[quotes["trade_date"] == day]
        for kind in left:
            left[kind] += ((kind(Train()).fit(known).predict(asked(today)) - today["implied_vol"]) ** 2).sum()
    assert 1 - left[Boosted] / left[RandomWalk] > -0.25


def test_nine_quotes_of_a_day_tell_most_of_the_move_of_its_surface(archive):
    """The goal over all days of the archive is an R2 of 0.80, and 0 on each: two wild days and one after a weekend."""
    days = [archive.chain(day).quotes for day in ("20260729", *MARKED)]
    quotes = pd.concat([features_of(day[(day["bid"] > 0) & (day["ask"] > 0)]) for day in days], ignore_index=True)
    found = few_quotes(quotes, Setting(Train(), held_out=0.2, seed=42))
    told = found[(found["model"] == "hybrid") & found["held_out"]]
    assert figures_of(told)["r2_implied_vol_vs_random_walk"] > 0.8
    for _, day in told.groupby("date"):
        assert figures_of(day)["r2_implied_vol_vs_random_walk"] > 0


def test_on_the_seeds_own_rows_the_surface_beats_the_line_that_was_told_the_answer(market):
    quotes = YahooCsv(market / "seed/spy_20250822.csv").chain("20250822").quotes
    setting = Setting(Train(), held_out=0.2, seed=42)
    found = random_rows(features_of(quotes, rate=0.0409, min_pairs=3), setting)
    assert len(quotes) == 496 and set(found["model"].value_counts()) == {100}
    figures = {model: figures_of(rows) for model, rows in found.groupby("model")}
    assert figures["seed_linear"]["r2_price"] == pytest.approx(0.3438, abs=5e-5)
    assert figures["random_walk"]["coverage"] == 1.0
    # Six of the hundred rows are quoted tens of dollars under what exercise gives: no surface gets those right.
    assert figures["random_walk"]["r2_price"] > 0.97
    assert figures["random_walk"]["median_error_half_spreads"] < 1 < figures["seed_linear"]["median_error_half_spreads"]
    assert np.isnan(found["random_walk_implied_vol"]).all()
