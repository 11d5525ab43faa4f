"""A made-up evaluation for the gate: every day has one error of level for the model and one for the benchmark."""

from pathlib import Path

import numpy as np
import pandas as pd

from options_pricing.pricing.black import black_price
from options_pricing.quotes.schema import PREDICTIONS
from options_pricing.quotes.tables import conform, write_parquet
from options_pricing.release.evidence import GateFiles
from options_pricing.release.ledger import Ledger
from options_pricing.run.calendar import sessions_ending
from options_pricing.run.files import sha256_of, write_json

STRIKES = np.linspace(80.0, 120.0, 9)
YEARS = (0.1, 0.5)


def predictions(days: int = 40, *, worse: float = 0.3, seed: int = 0) -> pd.DataFrame:
    """PREDICTIONS of a model whose errors are `worse` times the size of the benchmark's."""
    rng = np.random.default_rng(seed)
    names = sessions_ending("20261120", days)
    model, benchmark = 0.01 * worse * rng.standard_normal(days), 0.01 * rng.standard_normal(days)
    strike, years = (grid.ravel() for grid in np.meshgrid(STRIKES, YEARS))
    call = strike >= 100.0
    parts = []
    for place, day in enumerate(names):
        vol = np.full(len(strike), 0.2)
        price = black_price(100.0, strike, years, 1.0, vol, call)
        told = black_price(100.0, strike, years, 1.0, vol + model[place], call)
        parts.append(
            pd.DataFrame(
                {
                    "protocol": "next_day",
                    "model": "hybrid",
                    "date": day,
                    "underlying": "IDX",
                    "contract_symbol": [
                        f"IDX{'270115' if y == YEARS[0] else '270618'}{'C' if c else 'P'}{round(1000 * k):08d}"
                        for k, y, c in zip(strike, years, call, strict=True)
                    ],
                    "expiration": pd.to_datetime(np.where(years == YEARS[0], "2027-01-15", "2027-06-18")),
                    "strike": strike,
                    "option_type": np.where(call, "C", "P"),
                    "held_out": True,
                    "predicted_price": told,
                    "predicted_implied_vol": vol + model[place],
                    "bid": price * 0.99,
                    "ask": price * 1.01,
                    "mid": price,
                    "market_price": price,
                    "implied_vol": vol,
                    "random_walk_implied_vol": vol + benchmark[place],
                    "forward": 100.0,
                    "discount_factor": 1.0,
                    "year_fraction": years,
                }
            )
        )
    return conform(pd.concat(parts, ignore_index=True), PREDICTIONS)


def write_evidence(
    releases: Path, told: pd.DataFrame, model_sha256: str, *, drift: str | None = "green", status: str = "passed"
) -> GateFiles:
    """Write what the gate reads beside a folder of releases, and have its ledger name it."""
    files = GateFiles.beside(releases)
    write_json(files.metrics, {"chosen_model": "hybrid", "model_sha256": model_sha256})
    write_parquet(told, files.predictions, PREDICTIONS)
    if drift is not None:
        write_json(files.drift, {"date": "20261120", "status": drift, "release": {"release_id": "b" * 12}})
    write_json(files.validations / "validation_20261119.json", {"date": "20261119", "status": "halted"})
    write_json(files.validations / "validation_20261120.json", {"date": "20261120", "status": status})
    details = {"metrics_sha256": sha256_of(files.metrics), "predictions_sha256": sha256_of(files.predictions)}
    Ledger(releases / "ledger.jsonl").append("evaluated", by="ci", details={"model_sha256": model_sha256, **details})
    return files
