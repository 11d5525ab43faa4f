"""Try again after a failure that may pass, as the policy of the task in params.yaml says."""

from collections.abc import Callable
from typing import Literal, ParamSpec, TypeVar

import tenacity
from pydantic import BaseModel, ConfigDict, Field

P = ParamSpec("P")
R = TypeVar("R")


class RetryPolicy(BaseModel):
    """How often and how patiently a task tries again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tries: int = Field(1, ge=1, le=20, description="attempts in all, the first included")
    backoff: Literal["linear", "exponential"] = Field("linear", description="how the waits grow")
    first_wait: float = Field(1.0, ge=0, le=300, description="seconds before the second attempt")
    longest_wait: float = Field(300.0, ge=0, le=900, description="seconds, upper bound of every wait")


def retried(
    policy: RetryPolicy,
    *,
    on: type[BaseException] | tuple[type[BaseException], ...],
    tell: Callable[[int, float, BaseException], None] | None = None,
    sleep: Callable[[float], None] | None = None,
    at_least: Callable[[BaseException], float] | None = None,
    within: float | None = None,
    jitter: Callable[[], float] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function so that failures of the kind `on` are tried again; the last one is raised as it came.

    Parameters
    ----------
    policy : RetryPolicy
        Attempts and waits (seconds).
    on : exception class or tuple of them
        What is worth another attempt. Anything else is raised at once.
    tell : callable, optional
        Called as ``tell(attempt, wait_seconds, error)`` before each wait.
    sleep : callable, optional
        Stands in for `time.sleep`.
    at_least : callable, optional
        The seconds that an error asks to wait; longer ones than the policy's are kept, whatever `longest_wait` is.
    within : float, optional
        Seconds for all of it: no attempt starts later than this after the first.
    jitter : callable, optional
        Gives a random number from 0 to 1, so that many clients do not come back at once. The wait is then between
        half and all of what the policy says, and up to a quarter longer than what an error asks for.
    """
    if policy.backoff == "linear":
        wait: tenacity.wait.wait_base = tenacity.wait_incrementing(
            start=policy.first_wait, increment=policy.first_wait, max=policy.longest_wait
        )
    else:
        wait = tenacity.wait_exponential(multiplier=policy.first_wait, max=policy.longest_wait)

    def waiting(state: tenacity.RetryCallState) -> float:
        planned, asked = wait(state), 0.0
        if at_least is not None and state.outcome is not None and (error := state.outcome.exception()) is not None:
            asked = at_least(error)
        if jitter is not None:
            planned, asked = planned * (1 + jitter()) / 2, asked * (1 + jitter() / 4)
        return max(planned, asked)

    stops = tenacity.stop_after_attempt(policy.tries)

    def before_sleep(state: tenacity.RetryCallState) -> None:
        if tell is not None and state.outcome is not None and state.next_action is not None:
            error = state.outcome.exception()
            if error is not None:
                tell(state.attempt_number, state.next_action.sleep, error)

    return tenacity.retry(
        stop=stops if within is None else stops | tenacity.stop_before_delay(within),
        wait=waiting,
        retry=tenacity.retry_if_exception_type(on),
        before_sleep=before_sleep,
        reraise=True,
        sleep=sleep or tenacity.nap.sleep,
    )
