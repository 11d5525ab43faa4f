import pytest
from threadpoolctl import threadpool_info

from options_pricing.run.threads import one_thread


def threads():
    return {pool["num_threads"] for pool in threadpool_info()}


def test_inside_there_is_one_thread_and_afterwards_what_was():
    import numpy  # noqa: F401

    before = threads()
    with one_thread():
        with one_thread():
            assert threads() == {1}
        assert threads() == {1}
    assert threads() == before


def test_an_error_inside_gives_the_threads_back():
    before = threads()
    with pytest.raises(ValueError, match="x"), one_thread():
        raise ValueError("x")
    assert threads() == before
    with one_thread():
        assert threads() == {1}
