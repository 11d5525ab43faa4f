"""Rule G01: buckets of which too little is left."""

import numpy as np
import pandas as pd
import pytest

from options_pricing.validation import rules_sample as rules
from options_pricing.validation.chain import Chain
from tests.validation.conftest import DAY, listed


@pytest.fixture
def dense() -> pd.DataFrame:
    """Twenty strikes in every bucket near the money."""
    return listed("SPX", "2026-12-18", np.arange(4500.0, 5501.0, 10.0), 5000.0, 0.1)


def judge(table: pd.DataFrame, aside: np.ndarray, **changed: float):
    chain = Chain(table, DAY)
    chain.put_aside(aside)
    return rules.thin_bucket(chain, **changed)


def bucket(table: pd.DataFrame) -> np.ndarray:
    """The calls from 0.97 to 1.03."""
    return ((table["option_type"] == "C") & table["strike"].between(4850, 5140)).to_numpy()


def test_g01_a_whole_chain_passes(dense) -> None:
    found = judge(dense, np.zeros(len(dense), dtype=bool))
    assert not found.rows.any() and not found.mild


@pytest.mark.parametrize(("gone", "thin"), [(15, False), (16, True)])
def test_g01_under_half_of_a_bucket(dense, gone, thin) -> None:
    """Of thirty rows fifteen are half."""
    aside = np.zeros(len(dense), dtype=bool)
    aside[np.flatnonzero(bucket(dense))[:gone]] = True
    found = judge(dense, aside)
    assert found.rows.tolist() == (bucket(dense) & ~aside & thin).tolist()
    assert len(found.mild) == thin
    assert not judge(dense, aside, least_share=0.4).rows.any()


def test_g01_small_buckets_are_not_judged(dense) -> None:
    aside = np.zeros(len(dense), dtype=bool)
    aside[np.flatnonzero(bucket(dense))[:29]] = True
    assert judge(dense, aside).rows.sum() == 1
    assert not judge(dense, aside, fewest_rows=31).rows.any()
