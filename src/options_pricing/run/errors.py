"""What a task says when it cannot go on: what happened, why, and what to do; and the exit code that goes with it."""

from enum import IntEnum

from options_pricing.run.redact import redacted

LONGEST = 2000


class ExitCode(IntEnum):
    """Exit codes of every task and of ``options-pricing``; those below 80 are the ones of sysexits.h."""

    OK = 0
    USAGE = 2
    BAD_DATA = 65
    MISSING_INPUT = 66
    UPSTREAM = 69
    BUG = 70
    CANNOT_WRITE = 74
    BUSY = 75
    BAD_PARAMS = 78
    HALTED_DAY = 80
    MODEL_REFUSED = 81
    UNHEALTHY = 82
    NO_RUN = 83
    NOT_PERMITTED = 84
    ALTERED = 85
    ROLLED_BACK = 86


class TaskError(Exception):
    """A failure that the person at the keyboard can act on.

    Parameters
    ----------
    what : str
        What could not be done, with the file, day or value it concerns.
    why : str
        The cause, as far as it is known.
    fix : str
        What to do about it.
    """

    exit_code = ExitCode.BAD_DATA

    def __init__(self, what: str, *, why: str, fix: str) -> None:
        what, why, fix = _line(what), _line(why), _line(fix)
        super().__init__(what, why, fix)
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        return f"{self.what}\n  why: {self.why}\n  fix: {self.fix}"


def _line(text: str) -> str:
    """A text as one line that does no harm to a terminal and tells no secret: it may quote anything."""
    line = redacted("".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split())))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ... ({len(line) - LONGEST} more characters)"


class BadDataError(TaskError):
    """A file was read and what it holds cannot be used."""

    exit_code = ExitCode.BAD_DATA


class MissingInputError(TaskError):
    """A file or folder that must be there is not."""

    exit_code = ExitCode.MISSING_INPUT


class UpstreamError(TaskError):
    """A source cannot give what was asked of it."""

    exit_code = ExitCode.UPSTREAM


class CannotWriteError(TaskError):
    """An output could not be written (disk full, read-only, no permission)."""

    exit_code = ExitCode.CANNOT_WRITE


class BadParamsError(TaskError):
    """``params.yaml`` does not say what it must."""

    exit_code = ExitCode.BAD_PARAMS


class HaltedDayError(TaskError):
    """A day's data broke a rule that stops the whole day."""

    exit_code = ExitCode.HALTED_DAY


class ModelRefusedError(TaskError):
    """A model file is not the one its manifest names."""

    exit_code = ExitCode.MODEL_REFUSED


class UnhealthyError(TaskError):
    """A started service did not answer its health checks as it must."""

    exit_code = ExitCode.UNHEALTHY


class NotPermittedError(TaskError):
    """What was asked for is not for this person, or not now: the gate is closed and nobody answers for it."""

    exit_code = ExitCode.NOT_PERMITTED
