import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import options_pricing
from options_pricing.run.errors import UnhealthyError
from options_pricing.serving import processes
from options_pricing.serving.processes import Service, child_environment, fetch, free_port, running, telling_line

# A server with a child of its own, which writes both their numbers to a file and answers 200 (or `status`).
SERVER = """
import http.server, subprocess, sys, signal
port, pids, status, stubborn = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "stubborn"
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "300"])
import os
open(pids, "w").write(f"{os.getpid()} {child.pid}")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"first line\\nsecond line")
    def log_message(self, *args):
        pass
print("listening")
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def service(tmp_path):
    """Makes services whose process numbers can be read afterwards."""

    def make(name: str = "one", *, status: int = 200, stubborn: bool = False) -> Service:
        port = free_port()
        words = [str(port), str(tmp_path / name), str(status), "stubborn" if stubborn else "meek"]
        return Service(name, [sys.executable, "-S", "-c", SERVER, *words], port, "/health")

    return make


def pids(tmp_path: Path, name: str = "one") -> list[int]:
    return [int(pid) for pid in (tmp_path / name).read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(found: list[int], *, seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while any(alive(pid) for pid in found) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(alive(pid) for pid in found)


def test_services_run_for_the_length_of_the_block_and_their_children_end_with_them(tmp_path, service):
    one, two = service("one"), service("two")
    with running([one, two], timeout=30):
        assert fetch(one.port, "/").body == b"first line\nsecond line"
        assert fetch(two.port, "/").status == 200
        found = [*pids(tmp_path, "one"), *pids(tmp_path, "two")]
        assert all(alive(pid) for pid in found)
    assert gone(found)


def test_an_error_in_the_block_stops_them(tmp_path, service):
    with pytest.raises(ZeroDivisionError), running([service()], timeout=30):
        found = pids(tmp_path)
        raise ZeroDivisionError
    assert gone(found)


def test_who_ignores_sigterm_is_killed(tmp_path, service, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    with running([service(stubborn=True)], timeout=30):
        found = pids(tmp_path)
    assert gone(found)


def test_a_service_that_ends_at_once_is_told_with_its_last_line_and_the_others_stop(tmp_path, service):
    loud = "print('one'); raise SystemExit('no such release')"
    failing = Service("API", [sys.executable, "-S", "-c", loud], free_port(), "/")
    with pytest.raises(UnhealthyError) as caught, running([service(), failing], timeout=30):
        pass
    assert caught.value.exit_code == 82
    assert "API" in caught.value.what
    assert caught.value.why.endswith("no such release")
    assert gone(pids(tmp_path))


def test_a_service_that_is_never_healthy_is_told_in_time(tmp_path, service):
    with pytest.raises(UnhealthyError) as caught, running([service(status=503)], timeout=1.5):
        pass
    assert "503" in caught.value.why
    assert "second line" in caught.value.why
    assert caught.value.why.endswith("listening")
    assert gone(pids(tmp_path))


def test_a_service_that_answers_nothing_is_told_in_time():
    deaf = Service("app", [sys.executable, "-S", "-c", "import time; time.sleep(300)"], free_port(), "/")
    with pytest.raises(UnhealthyError, match="in time"), running([deaf], timeout=0.5):
        pass


# A shell starts background jobs with SIGINT ignored, and they hand that on: the outcome must not depend on it.
PARENT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from options_pricing.serving.processes import Service, running
with running([Service("one", sys.argv[2:], int(sys.argv[1]), "/health")], timeout=30):
    print("up", flush=True)
    time.sleep(300)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -2), (signal.SIGKILL, -9)]
)
def test_whatever_ends_the_parent_ends_the_services(tmp_path, service, number, code):
    one = service()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(one.port), *one.command],
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout.readline() == "up\n"
    found = pids(tmp_path)
    if number == signal.SIGKILL:
        # Nobody is left to end a grandchild; the service itself is ended by the system and takes its own along.
        if sys.platform != "linux":
            pytest.skip("only Linux ends children of a killed process")
        found, orphan = found[:1], found[1]
    os.kill(parent.pid, number)
    assert parent.wait(20) == code
    assert gone(found)
    if number == signal.SIGKILL and alive(orphan):
        os.kill(orphan, signal.SIGKILL)
    parent.stdout.close()


def test_services_see_this_code_and_no_settings_from_outside(monkeypatch):
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--workers 99")
    monkeypatch.setenv("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "true")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    given = child_environment()
    source = str(Path(options_pricing.__file__).parents[1])
    assert given["PYTHONPATH"] == os.pathsep.join([source, "elsewhere"])
    assert not [name for name in given if name.startswith(("GUNICORN", "STREAMLIT"))]


def test_a_proxy_of_the_environment_is_not_asked(service, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with running([service()], timeout=30):
        pass


def test_handlers_are_given_back(service):
    before = signal.getsignal(signal.SIGTERM)
    with running([service()], timeout=30):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", "(nothing)"),
        (b"one\n\n two \n\n", "two"),
        (
            b"Traceback\n  x = y\npackage.SomeError: no such release\n  why: gone\n[INFO] Shutting down\n",
            "package.SomeError: no such release",
        ),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
        (b"y" * 10_000, "y" * 500),
    ],
)
def test_the_telling_line_is_the_error_or_the_last(text, line):
    assert telling_line(text) == line
