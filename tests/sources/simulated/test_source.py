"""The market as a source: the same bytes for everyone, the density asked for, days it does not have refused."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from options_pricing.quotes.schema import RAW, TRUTH, names
from options_pricing.quotes.tables import write_csv
from options_pricing.run.errors import UpstreamError
from options_pricing.run.params import SimulatedSource
from options_pricing.sources import make_source
from options_pricing.sources.simulated import SimulatedMarket
from options_pricing.sources.simulated.process import market_path

from .conftest import ALL


def shas(market: SimulatedMarket, day: str, folder) -> tuple[str, str]:
    chain = market.chain(day)
    write_csv(chain.quotes, folder / "q.csv", RAW)
    write_csv(chain.truth, folder / "t.csv", TRUTH)
    return tuple(hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("q.csv", "t.csv"))


IN_ANOTHER_PROCESS = """
import hashlib, sys
from pathlib import Path
from options_pricing.quotes.schema import RAW, TRUTH
from options_pricing.quotes.tables import write_csv
from options_pricing.sources.simulated import SimulatedMarket
folder = Path(sys.argv[1])
chain = SimulatedMarket(7, ("XIDX", "XETF", "XTEC", "XOIL"), "tiny", 0.02).chain("20261118")
for name, table, columns in (("q.csv", chain.quotes, RAW), ("t.csv", chain.truth, TRUTH)):
    write_csv(table, folder / name, columns)
    print(hashlib.sha256((folder / name).read_bytes()).hexdigest())
"""


def test_same_bytes_in_another_process_and_after_other_days_in_any_order(tmp_path, root):
    environment = os.environ | {
        "PYTHONHASHSEED": "77",
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C",
        "PYTHONPATH": str(root / "src"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path)]
    alone = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    market_path.cache_clear()
    market = SimulatedMarket(7, ALL, "tiny", 0.02)
    for day in ("20270105", "20261120", "20261117", "20140102"):
        market.chain(day)
    assert shas(market, "20261118", tmp_path) == tuple(alone)
    assert shas(market, "20261118", tmp_path) == tuple(alone)


def test_another_seed_is_another_market(tmp_path):
    first, second = (shas(SimulatedMarket(seed, ("XIDX",), "tiny", 0.0), "20261120", tmp_path) for seed in (1, 2))
    assert first != second


def test_an_underlying_is_the_same_in_any_company():
    alone = SimulatedMarket(3, ("XTEC",), "tiny", 0.0).chain("20261120").quotes
    among = SimulatedMarket(3, ALL, "tiny", 0.0).chain("20261120").quotes
    among = among[among["underlying"] == "XTEC"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among)


def test_tables_have_their_columns_and_rows_their_number():
    chain = SimulatedMarket(3, ALL, "tiny", 0.05).chain("20261120")
    assert list(chain.quotes) == names(RAW) and list(chain.truth) == names(TRUTH)
    assert chain.truth["raw_row"].tolist() == list(range(len(chain.quotes)))
    assert (chain.truth["contract_symbol"] == chain.quotes["contract_symbol"]).all()
    needed = [column.name for column in RAW if not column.nullable]
    assert chain.quotes[needed].notna().all(axis=None)
    assert chain.captured_at == "2026-11-20T21:15:00Z"
    assert chain.request["day"] == "20261120" and chain.request["seed"] == 3


@pytest.mark.parametrize(
    ("density", "fewest", "most"), [("tiny", 400, 900), ("normal", 6000, 9000), ("full", 30_000, 60_000)]
)
def test_density(density, fewest, most):
    chain = SimulatedMarket(20261120, ALL, density, 0.01).chain("20261120").quotes
    assert fewest < len(chain) < most
    if density == "full":
        assert 20_000 < (chain["underlying"] == "XIDX").sum() < 32_000


@pytest.mark.parametrize("seed", [20261120, 5])
def test_tiny_still_has_pairs_enough_for_five_european_forwards_every_day(seed):
    market = SimulatedMarket(seed, ("XIDX",), "tiny", 0.02)
    for day in ("20260217", "20260618", "20260821", "20261102", "20261120", "20261127", "20270104"):
        table = market.chain(day).quotes
        days = (table["expiration"] - table["trade_date"]).dt.days
        two_sided = table[(table["bid"] > 0) & (table["ask"] > table["bid"]) & days.between(7, 400)]
        sides = two_sided.drop_duplicates(["contract_symbol"]).groupby(["root", "expiration", "strike"]).size()
        pairs = sides[sides == 2].groupby(["root", "expiration"]).size()
        assert (pairs >= 12).sum() >= 5, day


def test_the_spot_is_the_close_and_moves_from_day_to_day():
    market = SimulatedMarket(20261120, ALL, "tiny", 0.0)
    days = [market.chain(day).quotes.groupby("underlying")["underlying_price"] for day in ("20261119", "20261120")]
    assert all((day.max() == day.min()).all() for day in days)
    moves = np.log(days[1].first() / days[0].first())
    assert (moves.abs() > 0).all() and (moves.abs() < 0.15).all()
    assert days[1].first()["XETF"] * 10 == pytest.approx(days[1].first()["XIDX"], rel=0.006)


@pytest.mark.parametrize("day", ["19991231", "20000301", "20330103", "99991231"])
def test_days_outside_the_market_are_refused(day):
    with pytest.raises(UpstreamError, match="runs from 20010102 to 20321231"):
        SimulatedMarket(1, ("XIDX",), "tiny", 0.0).chain(day)


@pytest.mark.parametrize("day", ["20261126", "20261121"])
def test_days_without_a_session_are_refused(day):
    with pytest.raises(UpstreamError, match="no trading day"):
        SimulatedMarket(1, ("XIDX",), "tiny", 0.0).chain(day)


@pytest.mark.parametrize("day", ["20010102", "20321231"])
def test_the_first_and_the_last_day_work(day):
    chain = SimulatedMarket(1, ALL, "normal", 0.01).chain(day)
    assert len(chain.quotes) > 4000


def test_the_registry_knows_it():
    source = make_source(SimulatedSource(seed=4, underlyings=("XOIL",), density="tiny", defects=0.0))
    assert (source.name, source.simulated) == ("simulated", True)
    assert source.request("20261120") == source.chain("20261120").request
