"""What every benchmark is made of: contenders that do the same work in turn, and the rows that come of it.

A subject is a file beside this one with a `TITLE`, a `NOTE` (a sentence or more under the title: what the work is
and what the error is) and a function ``rows() -> list[Row]``. `run.py` finds it by that function; nothing is listed.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

OURS = "ours"
ROUNDS = 7


class SkippedError(Exception):
    """A subject cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Contender:
    """One way to do the work: `run` does it `count` times (options, rows, fits) and gives what `error` judges.

    `error` says how wrong the answer is, in the words of the table. A contender that is `broken` is listed but can't
    be the best peer: say there what it gets wrong.
    """

    name: str
    run: Callable[[], Any]
    count: int
    error: Callable[[Any], str] = lambda _: ""
    broken: str = ""


@dataclass(frozen=True)
class Result:
    """Medians of one contender: CPU and wall seconds for each thing it did, and its error."""

    name: str
    cpu: float
    wall: float
    error: str = ""
    broken: str = ""
    memory: float = 0.0


@dataclass(frozen=True)
class Row:
    """One line of a subject's table: a kind of work, what is counted, and how each contender did; ours is first."""

    work: str
    unit: str
    results: Sequence[Result]

    @property
    def ours(self) -> Result:
        """Our own result."""
        return self.results[0]

    @property
    def best_peer(self) -> Result | None:
        """The peer that needs the least CPU time and isn't broken."""
        return min((peer for peer in self.results[1:] if not peer.broken), key=lambda peer: peer.cpu, default=None)


def compare(work: str, unit: str, contenders: Sequence[Contender], rounds: int = ROUNDS) -> Row:
    """Run contenders in turn, `rounds` times after a first time that isn't counted, and take medians.

    Parameters
    ----------
    work, unit : str
        What is done, and what `Contender.count` counts ("options").
    contenders : sequence of Contender
        Ours first. Whatever a contender needs besides the work itself is prepared before, or belongs into `run`
        where every caller would pay for it (flags, conversions).
    rounds : int

    Returns
    -------
    Row
    """
    errors = [contender.error(contender.run()) for contender in contenders]
    times = np.array([[_once(contender) for contender in contenders] for _ in range(rounds)])
    cpu, wall = np.median(times, axis=0).T
    return Row(
        work,
        unit,
        [
            Result(contender.name, float(cpu[i]), float(wall[i]), errors[i], contender.broken)
            for i, contender in enumerate(contenders)
        ],
    )


def _once(contender: Contender) -> tuple[float, float]:
    """CPU and wall seconds for each thing counted."""
    cpu, wall = time.process_time(), time.perf_counter()
    contender.run()
    return (time.process_time() - cpu) / contender.count, (time.perf_counter() - wall) / contender.count


def measure_command(command: Sequence[str | Path], folder: Path = ROOT) -> Result:
    """CPU and wall seconds and the peak memory in GB of one command, from the system's own account of it."""
    with tempfile.TemporaryFile("w+") as told:
        wall = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], cwd=folder, stdout=told, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - wall
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            raise RuntimeError(f"{command} ended with {process.returncode}\n{told.read()[-2000:]}")
    return Result(OURS, usage.ru_utime + usage.ru_stime, wall, memory=_gigabytes(usage))


def _gigabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def market_folder() -> Path:
    """The real chains beside the checkout.

    Raises
    ------
    SkippedError
        They are not there.
    """
    folder = Path(os.environ.get("OPTIONS_PRICING_MARKET", ROOT.parent / "shared" / "market"))
    if not folder.is_dir():
        raise SkippedError("the real chains (../shared/market) are not beside this checkout")
    return folder
