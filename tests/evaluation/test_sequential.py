import numpy as np
import pytest

from options_pricing.evaluation.operating_curve import days_in_a_row, first_open, operating_curve
from options_pricing.evaluation.sequential import DayErrors, Rule, critical_value, lower_bound, statistics

RULE = Rule(days=30, line=0.25, looks=60, confidence=0.95, block=5, paths=500, seed=1)
SHORT = Rule(days=30, line=0.25, looks=20, confidence=0.95, block=5, paths=200, seed=1)


def made(days: int, r2: float, seed: int = 0) -> DayErrors:
    """Days whose squared errors are heavy-tailed and go together, as those of vols do."""
    rng = np.random.default_rng(seed)
    benchmark = np.exp(rng.normal(0, 0.7, days))
    return DayErrors(benchmark * np.exp(rng.normal(0, 0.5, days)), benchmark).with_r2(r2)


def test_the_statistic_is_students_t_of_each_window():
    errors = made(50, 0.4)
    gain = 0.75 * errors.benchmark - errors.model
    found = statistics(errors, 30, 0.25)
    assert found.shape == (21,)
    expected = [np.sqrt(30) * part.mean() / part.std(ddof=1) for part in (gain[i : i + 30] for i in range(21))]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_errors_can_be_scaled_to_any_r2_and_the_benchmark_stays():
    errors = made(40, 0.1)
    scaled = errors.with_r2(0.25)
    assert scaled.r2 == pytest.approx(0.25)
    assert scaled.benchmark is errors.benchmark


def test_the_critical_value_is_above_that_of_one_look_and_grows_with_the_looks():
    errors = made(60, 0.4)
    values = [critical_value(errors, Rule(30, 0.25, looks, 0.95, 5, 2000, 1)) for looks in (1, 20, 250)]
    assert values == sorted(values)
    assert values[2] > 2.0
    assert critical_value(errors, RULE) == critical_value(errors, RULE)


def test_the_critical_value_does_not_depend_on_how_good_the_model_is():
    errors = made(60, 0.4)
    assert critical_value(errors.with_r2(0.9), RULE) == pytest.approx(critical_value(errors.with_r2(-1.0), RULE))


def test_a_model_without_any_error_is_not_believed():
    assert critical_value(DayErrors(np.zeros(30), np.ones(30)), RULE) == np.inf
    assert lower_bound(DayErrors(np.zeros(30), np.ones(30)), np.inf) is None


@pytest.mark.parametrize("r2", [0.0, 0.25, 0.4, 0.8])
def test_the_lower_bound_is_above_the_line_where_the_statistic_passes(r2):
    errors = made(30, r2, seed=3)
    critical = critical_value(errors, RULE)
    bound = lower_bound(errors, critical)
    assert (bound is not None and bound > RULE.line) == bool(statistics(errors, 30, RULE.line)[0] > critical)
    assert bound is None or bound < errors.r2


def test_a_model_at_the_line_seldom_ever_passes_and_a_far_better_one_does():
    at_line, better = (operating_curve(made(120, 0.3, seed=5), SHORT, 40)[place] for place in (0, 3))
    assert (at_line.r2, better.r2) == (0.25, 0.5)
    assert at_line.within_a_year <= 0.1
    assert better.within_a_year >= 0.8
    assert at_line.any_window > 0.5  # R2 above the line at some look, without a bound


def test_the_first_look_at_which_it_opens_is_found():
    errors = DayErrors(np.r_[np.full(30, 2.0), np.full(40, 0.01)] * made(70, 0.5).model, made(70, 0.5).benchmark)
    look = first_open(errors, RULE)
    assert 0 < look < 41
    assert first_open(errors.part(0, 40), RULE) == np.inf


def test_five_days_in_a_row_are_counted():
    model = np.array([[0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]], dtype=float)
    assert days_in_a_row(DayErrors(model, np.ones_like(model)), 0.25).tolist() == [False, True, False]
