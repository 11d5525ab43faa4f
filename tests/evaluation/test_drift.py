import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from options_pricing.evaluation import drift
from options_pricing.evaluation.drift import Detector, status_of
from options_pricing.evaluation.sketches import Sketches
from tests.evaluation.made_days import made_days

DEVIATION = 0.02


def quiet(days, seed):
    return Sketches.of(made_days(DEVIATION * np.random.default_rng(seed).standard_normal(days), seed=seed))


def one(move, **changed):
    return Sketches.of(made_days([move], seed=99, **changed))


@pytest.fixture(scope="module")
def detector():
    return Detector(quiet(40, 5), quiet_days=60)


def test_a_day_like_the_others_is_green(detector):
    assert status_of(detector.judge(one(0.5 * DEVIATION))) == "green"


@pytest.mark.parametrize("sign", [1, -1])
def test_all_vols_a_tenth_higher_or_lower_are_red_and_say_where(detector, sign):
    findings = detector.judge(one(sign * np.log(1.10)))
    assert status_of(findings) == "red"
    (found,) = [f for f in findings if (f.quantity, f.measure) == ("residual", "wasserstein")]
    assert found.status == "red" and found.value > found.alarm > found.warning
    assert found.where[0] in {"IDX", "STK"} and found.where[1].endswith(("days", "over"))


def test_wider_spreads_are_a_warning_and_never_an_alarm(detector):
    findings = detector.judge(one(0.0, spread=0.1))
    assert status_of(findings) == "amber"
    assert {f.quantity for f in findings if f.status == "amber"} == {"spread"}
    assert all(f.alarm is None for f in findings if f.quantity == "spread")


def test_false_alarms_on_quiet_days_that_the_limits_have_not_seen():
    """Ten detectors of 20 days, 60 quiet days each: ten alarms are allowed."""
    raised = 0
    for seed in range(10):
        watch, days = Detector(quiet(20, 100 + seed), quiet_days=60), quiet(60, 200 + seed)
        raised += sum(status_of(watch.judge(days.where(days.date == day))) == "red" for day in days.days)
    assert raised <= 10


def test_fewer_reference_days_give_wider_limits():
    key = ("residual", "wasserstein")
    few, many = (Detector(quiet(days, 7), quiet_days=60) for days in (9, 60))
    scale = [np.sqrt(np.mean(d._alone[key] ** 2)) for d in (few, many)]
    assert few.limit(key, 1 / 100) / scale[0] > many.limit(key, 1 / 100) / scale[1]
    assert many.limit(key, 1 / 1000) > many.limit(key, 1 / 100)


def test_a_day_of_unknown_cells_is_unknown(detector):
    day = one(0.0)
    assert detector.judge(day._replace(underlying=np.array(["NEW"] * len(day.date)))) == []
    assert status_of([]) == "unknown"


def test_wasserstein_is_that_of_the_samples_themselves():
    random = np.random.default_rng(3)
    ours, theirs = random.standard_normal(400) + 1, 2 * random.standard_normal(3000)
    assert drift._wasserstein(ours, theirs) == pytest.approx(wasserstein_distance(ours, theirs), rel=0.03)


def test_psi_by_hand():
    theirs = np.arange(100.0)
    assert drift._root_psi(theirs, theirs) == pytest.approx(0, abs=1e-12)
    ours = np.full(10, 99.0)
    p, q = np.array([0.5] * 4 + [10.5]) / 12.5, np.full(5, 0.2)
    assert drift._root_psi(ours, theirs) ** 2 == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=0.01)


def test_the_same_days_give_the_same_findings(detector):
    assert Detector(quiet(40, 5), quiet_days=60).judge(one(0.03)) == detector.judge(one(0.03))


def test_power_is_what_a_rise_in_the_vols_themselves_would_show(detector):
    moves = DEVIATION * np.random.default_rng(5).standard_normal(40)
    risen = Sketches.of(made_days(moves + np.log(1.10), seed=5))
    red = [status_of(detector.judge(risen.where(risen.date == day))) == "red" for day in risen.days]
    assert detector.power() == pytest.approx(np.mean(red), abs=0.05)
    assert detector.power() > 0.9 > 0.2 > detector.power(rise=0.01)


def test_few_wild_days_have_no_power():
    wild = made_days(0.08 * np.random.default_rng(2).standard_normal(9), seed=2)
    assert Detector(Sketches.of(wild), quiet_days=60).power() < 0.5
