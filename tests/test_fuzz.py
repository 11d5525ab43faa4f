"""Chains with everything wrong, from the raw table to features: a documented error or whole tables, and every row kept.

Two hundred here; ``pytest tests/test_fuzz.py --chains 20000`` makes as many as one likes, and `--first-chain` starts
elsewhere.
"""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from options_pricing.quotes.schema import FEATURES, QUARANTINE, RAW, VALIDATED, names
from options_pricing.quotes.tables import conform, read_csv, require_contracts, write_csv
from options_pricing.run.errors import TaskError
from options_pricing.run.params import Features
from options_pricing.surface.features import build_features, describe
from options_pricing.validation.engine import Validated, validate
from tests.mutated_chains import DAY, Case, made_case

A_BATCH = 50
FILES_EVERY = 10
BOUNDED = ("implied_vol", "gamma", "vega", "early_exercise_premium", "vol_time", "total_variance")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    first, count = metafunc.config.getoption("--first-chain"), metafunc.config.getoption("--chains")
    if "batch" in metafunc.fixturenames:
        starts = range(first, first + count, A_BATCH)
        metafunc.parametrize(
            "batch", [range(at, min(at + A_BATCH, first + count)) for at in starts], ids=map(str, starts)
        )


def test_no_chain_is_too_bad(batch, tmp_path):
    for seed in batch:
        case = made_case(seed)
        try:
            judged = judge(case)
            if judged is not None:
                make_features(judged, tmp_path / "validated.csv", through_file=seed % FILES_EVERY == 0)
        except Exception as error:
            raise AssertionError(f"{case.done}: {type(error).__name__}: {error}") from error


def judge(case: Case) -> Validated | None:
    """Judge a chain; nothing is lost, changed or counted twice, whatever the rules say."""
    given = case.chain.copy()
    try:
        judged = validate(case.chain, case.previous, DAY, case.validation)
    except TaskError as error:
        assert 1 <= len(str(error).splitlines()) <= 5
        return None
    assert case.chain.equals(given), "the chain that was given is another one now"
    raw = conform(given, RAW).reset_index(drop=True)
    assert list(judged.validated) == names(VALIDATED) and list(judged.quarantine) == names(QUARANTINE)
    both = pd.concat([judged.validated, judged.quarantine]).sort_values("raw_row")
    assert both["raw_row"].tolist() == list(range(len(raw)))
    assert both[names(RAW)].reset_index(drop=True).equals(raw), "a value is not the one that was given"
    rows = judged.report["rows"]
    assert rows == {"raw": len(raw), "validated": len(judged.validated), "quarantined": len(judged.quarantine)}
    assert judged.quarantine["rule_ids"].notna().all()
    json.dumps(judged.report, allow_nan=False)
    return judged


def make_features(judged: Validated, path, *, through_file: bool) -> None:
    """Make features as feature_engineer does, sometimes of a file; no row is lost, no number is infinite."""
    validated = judged.validated
    try:
        if through_file:
            write_csv(validated, path, VALIDATED)
            validated = read_csv(path, VALIDATED)
        require_contracts(validated, path)
        with np.errstate(all="ignore"):
            features = build_features(validated, Features(min_pairs=3))
    except TaskError as error:
        assert 1 <= len(str(error).splitlines()) <= 5
        return
    assert list(features) == names(FEATURES)
    assert features["raw_row"].tolist() == validated["raw_row"].tolist()
    for name in BOUNDED:
        found = features[name].dropna()
        assert (found >= 0).all() and np.isfinite(found).all(), name
    if through_file:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            describe(features)
