"""A release tried in a child process before this one loads it.

The child has limits on processor time, memory, file sizes and time; it checks size, SHA-256, signature and versions,
unpickles the model only then, and prices the golden rows. What kills it is a refusal, and costs nobody else anything.
"""

import argparse
import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import options_pricing
from options_pricing.run.errors import ModelRefusedError, TaskError
from options_pricing.run.leaving import leave

if TYPE_CHECKING:
    from options_pricing.release.verify import Release

GOLDEN_TOLERANCE = 1e-12
SLOWEST_SECONDS = 2.0
LARGEST_FILE = 64 << 20
DIED = "what a model may need is documented in docs/releases.md; look at its evaluation, then train it again"


@dataclass(frozen=True)
class Limits:
    """What a candidate may use: processor seconds, bytes of address space, seconds from start to end."""

    cpu_seconds: int = 60
    memory_bytes: int = 4 << 30
    wall_seconds: float = 120.0


def check_candidate(folder: Path, release_id: str, limits: Limits = Limits()) -> dict[str, Any]:
    """Check, load and try a release in a child process; give what the child reports of it.

    Parameters
    ----------
    folder : Path
    release_id : str
        The id that it must have.
    limits : Limits

    Raises
    ------
    ModelRefusedError
        It is not what its manifest names, prices otherwise than it did, is slow, or the child died of it.
    """
    with tempfile.TemporaryFile() as output:
        ended, answer = _run_child(folder, release_id, limits, output)
        report = _parsed(answer)
        if report is None:
            raise _refused(folder, f"the process that tried it {ended}{_last_line(output)}", DIED)
    if refusal := report.get("refusal"):
        raise ModelRefusedError(refusal["what"], why=refusal["why"], fix=refusal["fix"])
    return report


def why_unfit(release: "Release") -> str | None:
    """Why a loaded release must not answer anybody: its golden prices differ or come slowly; None where they do not."""
    from options_pricing.release.golden import golden_differences

    rows = release.manifest.golden_rows
    try:
        differences = golden_differences(release.model, rows, relative=GOLDEN_TOLERANCE)
        if differences:
            return f"{len(differences)} of {len(rows)} golden prices differ; {differences[0]}"
        # Once more, as the first time may have compiled.
        started = time.monotonic()
        golden_differences(release.model, rows)
        seconds = time.monotonic() - started
    except TaskError as error:
        return f"{error.what}: {error.why}"
    return f"{len(rows)} golden prices take {seconds:.1f} s" if seconds > SLOWEST_SECONDS else None


def _run_child(folder: Path, release_id: str, limits: Limits, output: BinaryIO) -> tuple[str, bytes]:
    """How the child ended, in words, and what it reported."""
    words = [str(folder), release_id, str(limits.cpu_seconds), str(limits.memory_bytes), str(limits.wall_seconds)]
    process = subprocess.Popen(
        [sys.executable, "-m", "options_pricing.release.candidate", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=output,
        env=_environment(),
        start_new_session=True,
    )
    try:
        answer, _ = process.communicate(timeout=limits.wall_seconds)
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return f"had not ended after {limits.wall_seconds:g} s", b""
    return _ended(process.returncode), answer if process.returncode == 0 else b""


def _ended(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        return f"died of {name}{' (processor time)' if name == 'SIGXCPU' else ''}"
    return f"ended with {code}"


def _environment() -> dict[str, str]:
    """This environment, with the running code first and one computing thread."""
    source = str(Path(options_pricing.__file__).parents[1])
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _parsed(answer: bytes) -> dict[str, Any] | None:
    try:
        report = json.loads(answer)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def _last_line(output: BinaryIO) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - 4096))
    lines = output.read().decode(errors="replace").strip().splitlines()
    return f"; it wrote last: {lines[-1].strip()[:300]}" if lines else ""


def _refused(folder: Path, why: str, fix: str) -> ModelRefusedError:
    return ModelRefusedError(f"the release in {folder} is refused", why=why, fix=fix)


def _limit(limits: Limits) -> None:
    # The first second over the limit is for SIGXCPU, which has a name in the refusal; the next one kills.
    _at_most(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)
    _at_most(resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes)
    _at_most(resource.RLIMIT_FSIZE, LARGEST_FILE, LARGEST_FILE)
    _at_most(resource.RLIMIT_CORE, 0, 0)
    # Should its parent be killed, it ends all the same.
    signal.alarm(math.ceil(limits.wall_seconds) + 1)


def _at_most(what: int, soft: int, hard: int) -> None:
    """Set a limit, unless the machine's own is lower, which nobody may raise."""
    _, own = resource.getrlimit(what)
    bounds = (soft, hard) if own == resource.RLIM_INFINITY else (min(soft, own), min(hard, own))
    resource.setrlimit(what, bounds)


def _tried(folder: Path, release_id: str) -> dict[str, Any]:
    """What the child finds, with the `refusal` if it is one."""
    from options_pricing.release.verify import TRAIN_AGAIN, load_release

    try:
        release = load_release(folder)
        found = release.manifest.release_id
        if found != release_id:
            raise _refused(folder, f"it is release {found}, not {release_id}", "promote it under its own id")
        if why := why_unfit(release):
            raise _refused(folder, why, TRAIN_AGAIN)
    except TaskError as error:
        return {"refusal": {"what": error.what, "why": error.why, "fix": error.fix}}
    return {
        "release_id": release_id,
        "model_sha256": release.model_sha256,
        "signature": release.signature,
        "golden_rows": len(release.manifest.golden_rows),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """What the child does: limit itself, try the release, report as JSON."""
    parser = argparse.ArgumentParser(prog="candidate", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("release_id")
    parser.add_argument("cpu_seconds", type=int)
    parser.add_argument("memory_bytes", type=int)
    parser.add_argument("wall_seconds", type=float)
    args = parser.parse_args(argv)
    _limit(Limits(args.cpu_seconds, args.memory_bytes, args.wall_seconds))
    # Whatever else writes to standard output does not get into the report.
    with os.fdopen(os.dup(1), "w") as report:
        os.dup2(2, 1)
        json.dump(_tried(args.folder, args.release_id), report)
    return 0


if __name__ == "__main__":
    leave(main())
