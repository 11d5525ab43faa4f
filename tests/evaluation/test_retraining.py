import numpy as np
import pytest

from options_pricing.evaluation.retraining import retraining

SETTINGS = {"days": 5, "confidence": 0.99}


def errors(days, level, seed, spread=0.2):
    return (level * np.exp(spread * np.random.default_rng(seed).standard_normal(days))).tolist()


def test_twice_the_error_is_due_and_the_same_error_is_not():
    assert retraining(errors(20, 1, 1), errors(5, 2, 2), **SETTINGS)["due"] is True
    assert retraining(errors(20, 1, 1), errors(5, 1, 3), **SETTINGS)["due"] is False


def test_a_ratio_over_the_line_by_chance_is_not_due():
    found = retraining([0.8, 1.25] * 10, [0.5, 4.0, 0.7, 2.6, 1.2], **SETTINGS)
    assert found["ratio"] > 1.1 > found["low"]
    assert found["due"] is False
    assert found["why"].endswith(f"but on 5 days it could be as low as {found['low']:.2f} times by chance")


def test_why_says_how_sure_it_is():
    assert "at least" in retraining(errors(20, 1, 1), errors(5, 2, 2), **SETTINGS)["why"]
    less = retraining(errors(20, 1, 1), errors(5, 0.5, 2), **SETTINGS)
    assert less["why"].endswith(f"is {less['ratio']:.2f} times that of the reference")


def test_false_triggers_at_the_line_itself_are_as_rare_as_claimed():
    due = [retraining(errors(20, 1, s), errors(5, 1.1, 9000 + s), **SETTINGS)["due"] for s in range(2000)]
    assert np.mean(due) < 0.02


def test_only_the_last_days_count():
    found = retraining(errors(20, 1, 1), [*errors(5, 9, 2), *errors(5, 1, 3)], **SETTINGS)
    assert found["days"] == 5 and found["due"] is False


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        ([], [1.0] * 5, "0 of 5 days of reference so far"),
        ([1.0] * 20, [1.0, 2.0], "2 of 3 live days so far"),
        ([1.0] * 20, [None, 0.0, 1.0], "1 of 3 live days so far"),
        ([1.0], [], "0 of 3 live days and 1 of 5 days of reference so far"),
    ],
)
def test_too_few_days_are_unknown(before, now, why):
    found = retraining(before, now, **SETTINGS)
    assert found["due"] is None and found["low"] is None
    assert found["why"] == why


def test_the_interval_is_welchs():
    from scipy.stats import ttest_ind

    before, now = errors(12, 1, 4), errors(5, 1.5, 5, 0.4)
    test = ttest_ind(np.log(now), np.log(before), equal_var=False).confidence_interval(0.98)
    assert retraining(before, now, **SETTINGS)["low"] == pytest.approx(np.exp(test.low))
