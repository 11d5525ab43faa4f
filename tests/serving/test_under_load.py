"""Real workers under clients that mean harm, and with one of them killed: faults 67 and 68."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from options_pricing.serving.commands import api_command
from options_pricing.serving.keys import VARIABLE, entry_of, new_key
from options_pricing.serving.ports import listeners
from options_pricing.serving.processes import Service, fetch, free_port, running
from options_pricing.serving.worker import SECONDS_VARIABLE

MEBIBYTE = 1 << 20
DEADLINE = 2.0
POST = {"Content-Type": "application/json"}


@contextmanager
def served(release, *, workers: int, **environment: str):
    """A real gunicorn; gives its port."""
    port = free_port()
    settings = [f"{name}={value}" for name, value in environment.items()]
    command = ["env", *settings, *api_command(release, "127.0.0.1", port, workers=workers)]
    with running([Service("API", command, port, "/v2/health/ready")], timeout=120):
        yield port


@pytest.fixture(scope="module")
def api(staged):
    with served(staged, workers=1, **{SECONDS_VARIABLE: str(DEADLINE)}) as port:
        yield port


@pytest.fixture(scope="module")
def query(manifest):
    row = manifest["golden_rows"][0]
    return "/price?" + urlencode({name: row[name] for name in ("underlying", "expiration", "strike", "option_type")})


def memory(port: int) -> int:
    """Bytes that the processes behind a port hold together."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid, _ in listeners(port)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


HALF_A_BODY = (
    b"POST /price HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
)
HARMFUL = {
    "huge integer": b'{"options": [{"strike": ' + b"9" * 5000 + b"}]}",
    "integer beyond all floats": b'{"columns": {"strike": [1' + b"0" * 400 + b"]}}",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "NaN": b'{"options": [{"strike": NaN}]}',
    "Infinity": b'{"columns": {"strike": [Infinity]}}',
    "overflow": b'{"columns": {"strike": [1e999]}}',
    "wrong types": b'{"options": [{"strike": {}, "underlying": [], "expiration": 1, "option_type": null, "root": 1}]}',
    "surrogates": b'{"options": [{"underlying": "\\ud800"}]}',
    "not UTF-8": b"\xff\xfe",
    "nothing": b"",
    "keys twice": b'{"options": [], "options": []}',
    "many keys": b"{" + b",".join(b'"k%d":0' % n for n in range(50_000)) + b"}",
    "tensors": b'{"inputs": [{"name": "strike", "datatype": "FP64", "shape": [1e400], "data": [[[[]]]]}]}',
    "shape": b'{"inputs": [{"name": "strike", "datatype": "FP64", "shape": [-1], "data": []}], "outputs": 7}',
}


@pytest.mark.parametrize("path", ["/price", "/v2/models/options_pricing/infer"])
@pytest.mark.parametrize("kind", HARMFUL)
def test_fault_68_harmful_bodies_are_refused(api, path, kind):
    answer = fetch(api, path, body=HARMFUL[kind], headers=POST)
    assert answer.status in {400, 413, 422}
    told = json.loads(answer.body)
    assert told["status"] == answer.status
    assert len(answer.body) < MEBIBYTE / 8


HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
NO_HTTP = {
    "chunk of no size": CHUNKS + b"ZZ\r\n{}\r\n0\r\n\r\n",
    "chunk of less than nothing": CHUNKS + b"-2\r\n{}\r\n0\r\n\r\n",
    "chunk without an end": CHUNKS + b"2\r\n{}XX0\r\n\r\n",
    "chunk with a long extension": CHUNKS + b"2;" + b"a" * 10_000 + b"\r\n{}\r\n0\r\n\r\n",
    "a trailer without a colon": CHUNKS + b"2\r\n{}\r\n0\r\nXXXX\r\n\r\n",
    "a length and chunks": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "an unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two hosts": HEAD + b"Host: example.com\r\n\r\n",
    "a header without a colon": HEAD + b"Authorization Bearer opk_canary\r\n\r\n",
    "another version": b"POST %s?key=opk_canary HTTP/9.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("path", ["/price", "/v2/models/options_pricing/infer"])
@pytest.mark.parametrize("kind", NO_HTTP)
def test_fault_68_what_is_no_http_is_400_and_not_repeated(api, path, kind):
    asked = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", api), timeout=30) as client:
        client.sendall(NO_HTTP[kind].replace(b"%s", path.encode(), 1) + asked)
        answer = b""
        while part := _received(client):
            answer += part
    # One answer: what follows in the same bytes is not taken for another request.
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["status"] == 400
    assert b"canary" not in answer


def test_fault_68_a_body_of_100_mebibytes_is_refused_without_being_held(api):
    fetch(api, "/v2/health/live")
    before = memory(api)
    for length in ({"Content-Length": str(100 * MEBIBYTE)}, {"Transfer-Encoding": "chunked"}):
        assert _flooded(api, {**POST, **length}, chunked="Transfer-Encoding" in length) in {0, 413}
    assert fetch(api, "/v2/health/live").status == 200
    assert memory(api) - before < 32 * MEBIBYTE


def _flooded(port: int, headers: dict[str, str], *, chunked: bool) -> int:
    """Send 100 MiB as far as the server lets us; its status, 0 where it hung up first."""
    head = "POST /price HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    part = b" " * MEBIBYTE
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(head.encode() + b"\r\n")
        try:
            for _ in range(100):
                client.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        except OSError:  # refused while it was still being sent
            pass
        try:
            line = client.recv(64)
        except OSError:
            return 0
        return int(line.split()[1]) if line else 0


def test_fault_68_slow_clients_do_not_keep_others_out_and_are_hung_up_on(api, query):
    slow = [socket.create_connection(("127.0.0.1", api), timeout=30) for _ in range(24)]
    try:
        for number, client in enumerate(slow):
            client.sendall(b"GET /price HTTP/1.1\r\nHost: loc" if number % 2 else HALF_A_BODY)
        assert fetch(api, query).status == 200
        ended = time.monotonic() + DEADLINE + 10
        for number, client in enumerate(slow):
            client.settimeout(max(0.1, ended - time.monotonic()))
            while part := _received(client):
                assert b" 5" not in part[:12], number
    finally:
        for client in slow:
            client.close()
    assert fetch(api, query).status == 200


def test_fault_68_clients_that_do_not_hang_up_keep_nobody_waiting(api, query):
    asked = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    idle = [socket.create_connection(("127.0.0.1", api), timeout=30) for _ in range(12)]
    try:
        for client in idle:
            client.sendall(asked)
        assert idle[0].recv(64).startswith(b"HTTP/1.1 200")
        # gunicorn waits two seconds for each to hang up, and where it did so it let nobody else in meanwhile.
        assert fetch(api, query, timeout=10).status == 200
    finally:
        for client in idle:
            client.close()


def _received(client: socket.socket) -> bytes:
    """What comes next, nothing once the server has hung up; a `TimeoutError` where it does not."""
    try:
        return client.recv(4096)
    except ConnectionError:
        return b""


def test_fault_68_a_thousand_wrong_keys_are_refused_and_leave_nothing(staged, query):
    key = new_key()
    with served(staged, workers=1, **{VARIABLE: entry_of("desk", key)}) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        found: Counter[int] = Counter()
        before = 0
        for number in range(1000):
            wrong = [
                {"X-API-Key": new_key()},
                {"Authorization": "Bearer " + "x" * number},
                {"Authorization": "Basic é"},
            ]
            connection.request("GET", query, headers={**wrong[number % 3]})
            response = connection.getresponse()
            response.read()
            found[response.status] += 1
            before = before or memory(port)
        connection.close()
        assert found == {401: 1000}
        assert memory(port) - before < 32 * MEBIBYTE
        assert fetch(port, query, headers={"X-API-Key": key}).status == 200


def test_fault_67_a_worker_killed_under_load_is_replaced_and_the_others_serve(staged, query):
    with served(staged, workers=2) as port:
        master, *workers = _family(port, count=3)
        found: Counter[int] = Counter()
        stop = threading.Event()
        clients = [threading.Thread(target=_ask_until, args=(stop, port, query, found)) for _ in range(2)]
        for client in clients:
            client.start()
        try:
            _until(lambda: found[200] >= 50)
            os.kill(workers[0], signal.SIGKILL)
            answered = found[200]
            _until(lambda: found[200] >= answered + 50)
            after = _family(port, count=3)
        finally:
            stop.set()
            for client in clients:
                client.join()
        assert after[0] == master
        assert workers[0] not in after
        assert workers[1] in after
        # Only what the killed worker had in its hands, one request of each client at most, was lost.
        assert set(found) <= {200, 0}
        assert found[0] <= len(clients)
        ready = [
            line
            for line in fetch(port, "/metrics").body.decode().splitlines()
            if line.startswith("options_pricing_ready")
        ]
        assert ready == ["options_pricing_ready 2.0"]


def _ask_until(stop: threading.Event, port: int, query: str, found: "Counter[int]") -> None:
    while not stop.is_set():
        try:
            found[fetch(port, query).status] += 1
        except (OSError, http.client.HTTPException):
            found[0] += 1
        time.sleep(0.05)


def _family(port: int, *, count: int) -> list[int]:
    """gunicorn's master and its workers, once there are so many."""
    _until(lambda: len(listeners(port)) == count and _booted(port))
    pids = [pid for pid, _ in listeners(port)]
    parents = {int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]) for pid in pids}
    (master,) = parents & {*pids}
    return [master, *(pid for pid in pids if pid != master)]


def _booted(port: int) -> bool:
    """Whether all workers count as ready."""
    text = fetch(port, "/metrics").body.decode()
    return "options_pricing_ready 2.0" in text


def _until(done, *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
