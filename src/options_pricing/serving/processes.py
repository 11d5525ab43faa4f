"""Services as child processes: started together, asked over HTTP until they answer, and surely gone afterwards."""

import ctypes
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import options_pricing
from options_pricing.run.errors import UnhealthyError

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.1
GRACE_SECONDS = 5.0
ANSWER_SECONDS = 10.0
TAIL_BYTES = 4096
API_SETTINGS = "OPTIONS_PRICING_API_"
PR_SET_PDEATHSIG = 1
NAMES_AN_ERROR = re.compile(r"[\w.]*(Error|Exception)\b")
STOPPING = (signal.SIGTERM, signal.SIGHUP)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Service:
    """What to start, and the path that answers 200 once it is up."""

    name: str
    command: Sequence[str]
    port: int
    health: str


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: its status and its body."""

    status: int
    body: bytes


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as asked:
        asked.bind((LOOPBACK, 0))
        return int(asked.getsockname()[1])


@contextmanager
def running(services: Sequence[Service], *, timeout: float) -> Iterator[None]:
    """Run services side by side for the length of the block, which begins once all of them are healthy.

    Whatever ends the block (an error, SIGINT, SIGTERM, SIGHUP) the services and all their own children end with
    it. Should this process be killed outright, Linux ends them.

    Raises
    ------
    UnhealthyError
        A service stopped, or was not healthy within `timeout` seconds; `why` ends with the last line it wrote.
    """
    with _stop_signals_raise(), ExitStack() as stack:
        deadline = time.monotonic() + timeout
        children = [stack.enter_context(_child(service)) for service in services]
        try:
            for child in children:
                _await_health(child, deadline)
            yield
        finally:
            # All at once, so that each has its grace while the others are waited for.
            for child in children:
                _signal_group(child.process, signal.SIGTERM)


def fetch(
    port: int,
    path: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = ANSWER_SECONDS,
) -> Answer:
    """GET a path of a loopback service (POST where there is a body); proxies of the environment play no part.

    Raises
    ------
    OSError, http.client.HTTPException
        There is no answer, or none within `timeout` seconds.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        connection.request("GET" if body is None else "POST", path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class _Child:
    """A service that was started, with the file that holds what it writes."""

    service: Service
    process: "subprocess.Popen[bytes]"
    output: BinaryIO

    def last_line(self) -> str:
        # Read at a place: a seek would move the place where the child writes, too.
        size = os.fstat(self.output.fileno()).st_size
        return telling_line(os.pread(self.output.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES)))


@contextmanager
def _child(service: Service) -> Iterator[_Child]:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            service.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=child_environment(),
            start_new_session=True,
            preexec_fn=_end_with_parent if _libc else None,
        )
        try:
            yield _Child(service, process, output)
        finally:
            _stop(process)


def child_environment() -> dict[str, str]:
    """The environment of a service: this one, with the running code first and no settings from outside.

    One computing thread per process: the numbers do not depend on it, and two services share two cores. Two heaps,
    where the C library would make up to eight per core, each of which keeps the largest batch that it has seen.
    """
    foreign = ("STREAMLIT_", API_SETTINGS)
    kept = {k: v for k, v in os.environ.items() if k != "GUNICORN_CMD_ARGS" and not k.startswith(foreign)}
    source = str(Path(options_pricing.__file__).parents[1])
    path = os.pathsep.join(filter(None, [source, kept.get("PYTHONPATH")]))
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return kept | one_thread | {"MALLOC_ARENA_MAX": "2", "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def api_settings() -> dict[str, str]:
    """What the environment says of keys and rates: for the API that is served, not for one on trial."""
    return {name: value for name, value in os.environ.items() if name.startswith(API_SETTINGS)}


def _end_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _await_health(child: _Child, deadline: float) -> None:
    service, last = child.service, "no answer yet"
    while not _has_ended(child.process):
        try:
            answer = fetch(service.port, service.health)
            if answer.status == 200:
                return
            last = f"{service.health} answered {answer.status}: {telling_line(answer.body)}"
        except (OSError, http.client.HTTPException) as error:
            last = str(error)
        if time.monotonic() > deadline:
            raise _unhealthy(child, f"it was not healthy in time ({last})")
        time.sleep(POLL_SECONDS)
    raise _unhealthy(child, "it stopped by itself")


def _unhealthy(child: _Child, why: str) -> UnhealthyError:
    return UnhealthyError(
        f"the {child.service.name} did not come up",
        why=f"{why}; it wrote last: {child.last_line()}",
        fix="mend what that line says; the release staged before is untouched",
    )


def telling_line(text: bytes) -> str:
    """The last line that names an error, else the last line: servers add words of their own after a traceback."""
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if NAMES_AN_ERROR.match(line)]
    return (errors or lines or ["(nothing)"])[-1][:500]


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End a child and its whole process group: SIGTERM, a few seconds of grace, SIGKILL."""
    with _signals_wait():
        _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while not _has_ended(process) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS / 4)
        # The leader is not yet reaped, so its number still means this group: nobody else can be hit.
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether a child is dead; where the system can tell, without reaping it."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@contextmanager
def _stop_signals_raise() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit(128 + number), so that `finally` is reached."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Hold back signals that would interrupt the stopping; they arrive when it is done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *STOPPING})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
