"""How long a thread of gunicorn's stays with a connection."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker

from options_pricing.serving import worker


class Connection:
    """What gunicorn keeps of a connection, as far as it is looked at here."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.parser = SimpleNamespace(unreader=SocketUnreader(sock))


@pytest.fixture
def connection():
    """The server's side of a connection, and the client's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(ours), theirs


@pytest.fixture
def one_thread(monkeypatch):
    """A worker of one thread, for which a request is one byte; gives the bytes that it has answered, too."""
    answered: list[bytes] = []

    def answer(self, conn) -> bool:
        answered.append(conn.parser.unreader.read(1))
        return True

    monkeypatch.setattr(ThreadWorker, "handle", answer)
    made = worker.TimedThreadWorker.__new__(worker.TimedThreadWorker)
    made.alive, made._began = True, {}
    with ThreadPoolExecutor(1) as made.tpool:
        yield made, answered


def test_requests_that_follow_each_other_are_answered_by_one_thread(one_thread, connection):
    made, answered = one_thread
    ours, theirs = connection
    theirs.sendall(b"abc")
    assert made.handle(ours) is True
    assert answered == [b"a", b"b", b"c"]
    assert made._began == {}


def test_fault_68_a_connection_that_waits_for_a_thread_comes_first(one_thread, connection):
    made, answered = one_thread
    ours, theirs = connection
    theirs.sendall(b"abc")
    go = threading.Event()
    first = made.tpool.submit(lambda: go.wait(30) and made.handle(ours))
    made.tpool.submit(answered.append, b"another")
    go.set()
    assert first.result(30) is True
    made.tpool.shutdown()
    assert answered == [b"a", b"another"]


def test_a_worker_that_is_stopping_answers_what_it_has_in_hand(one_thread, connection):
    made, answered = one_thread
    ours, theirs = connection
    theirs.sendall(b"abc")
    made.alive = False
    assert made.handle(ours) is True
    assert answered == [b"a"]


def test_a_client_that_falls_silent_or_hangs_up_gives_its_thread_back(one_thread, connection):
    made, answered = one_thread
    ours, theirs = connection
    theirs.sendall(b"a")
    assert made.handle(ours) is True
    assert answered == [b"a"]
    theirs.close()
    assert worker._asks_again(ours)
