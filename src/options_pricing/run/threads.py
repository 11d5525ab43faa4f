"""One thread for sums: the order in which several threads add up would show in the last bits."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_limited = False


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit numerical libraries to one thread; free of charge within another such block."""
    global _limited
    if _limited:
        yield
        return
    with threadpool_limits(1):
        _limited = True
        try:
            yield
        finally:
            _limited = False
