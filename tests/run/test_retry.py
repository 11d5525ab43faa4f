import pytest

from options_pricing.run.retry import RetryPolicy, retried


def failing(times, error=ConnectionError):
    calls = []

    def work():
        calls.append(1)
        if len(calls) <= times:
            raise error("no")
        return len(calls)

    return work


def test_a_failure_that_passes_is_tried_again_and_told():
    told, slept = [], []
    policy = RetryPolicy(tries=5, backoff="exponential", first_wait=2, longest_wait=300)
    work = retried(policy, on=ConnectionError, tell=lambda *a: told.append(a[:2]), sleep=slept.append)(failing(3))
    assert work() == 4
    assert slept == [2, 4, 8]
    assert told == [(1, 2), (2, 4), (3, 8)]


def test_linear_waits_grow_by_the_first_and_are_capped():
    slept = []
    policy = RetryPolicy(tries=5, backoff="linear", first_wait=2, longest_wait=5)
    assert retried(policy, on=ConnectionError, sleep=slept.append)(failing(4))() == 5
    assert slept == [2, 4, 5, 5]


def test_the_last_failure_is_raised_as_it_came():
    policy = RetryPolicy(tries=3, first_wait=0)
    with pytest.raises(ConnectionError, match="no"):
        retried(policy, on=ConnectionError)(failing(3))()


def test_another_kind_of_failure_is_not_tried_again():
    work = failing(1, ValueError)
    with pytest.raises(ValueError, match="no"):
        retried(RetryPolicy(tries=5, first_wait=0), on=ConnectionError)(work)()
    assert work() == 2


def test_jitter_takes_up_to_half_off_a_wait_and_adds_to_one_that_is_asked_for():
    slept = []
    policy = RetryPolicy(tries=3, backoff="linear", first_wait=8, longest_wait=300)
    retried(policy, on=ConnectionError, sleep=slept.append, jitter=lambda: 0.0)(failing(2))()
    retried(policy, on=ConnectionError, sleep=slept.append, jitter=lambda: 1.0)(failing(2))()
    asking = {"at_least": lambda error: 400.0, "jitter": lambda: 1.0}
    retried(policy, on=ConnectionError, sleep=slept.append, **asking)(failing(1))()
    assert slept == [4, 8, 8, 16, 500]


def test_no_attempt_starts_after_the_time_for_all_of_them():
    slept = []
    policy = RetryPolicy(tries=5, first_wait=1)
    asked = iter([1.0, 100.0])
    with pytest.raises(ConnectionError):
        retried(policy, on=ConnectionError, sleep=slept.append, at_least=lambda error: next(asked), within=50)(
            failing(9)
        )()
    assert slept == [1]
