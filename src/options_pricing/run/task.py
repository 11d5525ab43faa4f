"""What the seven tasks share at their outer edge: arguments, params, log, and how they end."""

import argparse
import errno
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from options_pricing.run.calendar import require_day
from options_pricing.run.errors import CannotWriteError, ExitCode, MissingInputError, TaskError
from options_pricing.run.log import TaskLog
from options_pricing.run.notify import notify_of_task
from options_pricing.run.params import Params, load_params
from options_pricing.run.retry import retried

Work = Callable[[argparse.Namespace, Params, TaskLog], None]
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


def task_parser(task: str, description: str | None) -> argparse.ArgumentParser:
    """An argument parser with the options that every task has."""
    parser = argparse.ArgumentParser(prog=f"{task}.py", description=description)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="the parameter file")
    parser.add_argument("--log", type=Path, help="log file (standard error gets the lines in any case)")
    parser.add_argument("--date", required=True, help="the trading day, YYYYMMDD")
    return parser


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """Let a task be told of the ledger that its act goes into."""
    parser.add_argument("--ledger", type=Path, help="the ledger that this is recorded in; none unless given")


def run_task(task: str, parser: argparse.ArgumentParser, work: Work, argv: Sequence[str] | None = None) -> int:
    """Run one task from its command line and return its exit code.

    A `TaskError` ends in its three lines and its exit code; an error of the file system likewise; anything else
    is a bug and keeps its traceback. Failures of a source are tried again as ``retry.<task>`` says. Where the
    environment names targets of alerts, they are told of a failure and of the recovery from it.
    """
    args = parser.parse_args(argv)
    log = TaskLog(task, args.log, date=args.date)
    started = time.monotonic()
    params = Params()
    try:
        require_day(args.date)
        params = load_params(args.params)
        policy = getattr(params.retry, task)

        def tell(attempt: int, wait: float, error: BaseException) -> None:
            log.warn("retry", attempt=attempt, wait_seconds=wait, error=str(error).split("\n")[0])

        log.info("start", params=args.params)
        # What another attempt cannot change (bad data, bad params) is not tried again.
        retried(policy, on=(ConnectionError, TimeoutError), tell=tell)(work)(args, params, log)
        log.info("end", seconds=round(time.monotonic() - started, 3))
        notify_of_task(task, args.date, args.log, params.alerts, None, log.warn)
        return ExitCode.OK
    except Exception as error:
        failure = _as_told(error)
        exit_code = _stop(log, task, failure)
        notify_of_task(task, args.date, args.log, params.alerts, failure, log.warn)
        return exit_code
    finally:
        log.close()


def _as_told(error: Exception) -> Exception:
    """An error of the file system as the `TaskError` that a person can act on; others as they are."""
    if isinstance(error, FileNotFoundError):
        return _missing(error)
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        return _cannot_write(error)
    return error


def _stop(log: TaskLog, task: str, error: Exception) -> int:
    if not isinstance(error, TaskError):
        log.error("bug", exc_info=True)
        return ExitCode.BUG
    log.error("failed", exit_code=int(error.exit_code), what=error.what, why=error.why)
    print(f"{task}: {error}", file=sys.stderr)
    return error.exit_code


def _missing(error: FileNotFoundError) -> TaskError:
    return MissingInputError(
        f"{error.filename} is not there",
        why="this task needs it",
        fix="check the path, or run the task that makes it",
    )


def _cannot_write(error: OSError) -> TaskError:
    return CannotWriteError(
        f"{error.filename or 'an output'} could not be written or read",
        why=error.strerror or str(error),
        fix="free space or mend the permissions, then run the same command again; earlier files are whole",
    )
