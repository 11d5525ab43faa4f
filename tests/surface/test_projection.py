"""The interior-point method against SciPy and closed solutions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from options_pricing.surface.projection import OUTSIDE, Programme, solve


def convex(target, *, least=None, wished=(), low=(), high=(), expiration=None):
    """Programme of the nearest convex sequence to `target` on even nodes, in x = price - target."""
    target = np.asarray(target, dtype=float)
    n = len(target)
    before, here, after, spare = np.zeros((4, n))
    before[1:-1], here[1:-1], after[1:-1] = 0.5, -1.0, 0.5
    spare[1:-1] = (target[:-2] - 2 * target[1:-1] + target[2:]) / 2
    here[[0, -1]], spare[[0, -1]] = 1.0, 1e3
    least = np.full(n, -1e3) if least is None else least - target
    wished = np.array(wished, dtype=np.int64)
    low, high = (np.asarray(wall, dtype=float) - target[wished] for wall in (low, high))
    expiration = np.zeros(n, dtype=np.int64) if expiration is None else expiration
    return Programme(expiration, before, here, after, spare, least, wished, low, high)


def test_what_meets_the_demands_is_left_alone():
    target = np.array([4.0, 2.0, 1.0, 0.5, 0.25])
    assert np.abs(solve(convex(target))).max() < 1e-5


def test_a_dent_is_taken_out_as_by_hand():
    # Nearest convex to (0, 1, 0): on the line through their mean, by the multiplier of 1 x (1, -2, 1) / 2.
    np.testing.assert_allclose(solve(convex([0.0, 1.0, 0.0])), [1 / 3, -2 / 3, 1 / 3], atol=1e-5)


def test_bid_and_ask_are_kept_where_they_can_be():
    target = np.array([4.0, 2.0, 1.0, 0.5, 0.25])
    x = solve(convex(target, wished=[2], low=[1.1], high=[1.2]))
    assert target[2] + x[2] == pytest.approx(1.1, abs=1e-4)


def test_a_contradictory_bid_costs_its_price_and_no_more():
    target = np.zeros(3)
    least = np.array([-1.0, -1.0, -1.0])
    # Convexity lifts the ends with the middle: half (x0^2 + x1^2 + x2^2) = 1.5 c^2 against 30 (100 - c): c = 10.
    x = solve(convex(target, least=least, wished=[1], low=[100.0], high=[110.0]))
    np.testing.assert_allclose(x, OUTSIDE / 3, rtol=1e-5)


def test_expirations_do_not_depend_on_each_other():
    random = np.random.default_rng(3)
    first, second = random.normal(size=7), random.normal(size=9)
    alone = [solve(convex(first)), solve(convex(second))]
    a, b = convex(first), convex(second)
    number = np.repeat([0, 1], [7, 9])
    joined = Programme(number, *(np.concatenate(parts) for parts in zip(a[1:], b[1:], strict=True)))
    np.testing.assert_allclose(solve(joined), np.concatenate(alone), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 12))
def test_the_minimum_is_scipys(seed, n):
    random = np.random.default_rng(seed)
    target = np.exp(-np.linspace(0, 2, n)) + 0.2 * random.normal(size=n)
    least = np.full(n, target.min() - 1.0)
    p = convex(target, least=least)
    rows = np.diag(p.here) + np.diag(p.after[:-1], 1) + np.diag(p.before[1:], -1)
    constraints = {"type": "ineq", "fun": lambda x: rows @ x + p.spare, "jac": lambda x: rows}
    found = minimize(
        lambda x: x @ x / 2,
        np.zeros(n),
        jac=lambda x: x,
        method="SLSQP",
        constraints=constraints,
        options={"ftol": 1e-14, "maxiter": 500},
    )
    x = solve(p)
    assert (rows @ x + p.spare).min() > -1e-6
    np.testing.assert_allclose(x @ x, found.x @ found.x, rtol=1e-3, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_wild_contradictions_still_give_numbers(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(5, 20))
    target = np.exp(-np.linspace(0, 6, n)) * (1 + random.normal(size=n))
    centre = random.normal(size=n) * 10.0 ** random.integers(0, 4)
    p = convex(target, wished=np.arange(n), low=centre, high=centre - random.uniform(-1, 100, n))
    x = solve(p)
    assert np.isfinite(x).all()
    assert (x >= p.least - 1e-3).all()
