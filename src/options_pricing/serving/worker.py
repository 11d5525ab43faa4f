"""The kind of worker that gunicorn runs: threads, and an end to every request."""

import json
import os
import select
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.util import close_graceful
from gunicorn.workers.gthread import ThreadWorker

SECONDS_VARIABLE = "OPTIONS_PRICING_API_REQUEST_SECONDS"
# From the first byte of a request to the last of its answer; the largest batch of American options takes some two.
USUAL_SECONDS = 15.0
LOOK_SECONDS = 0.25
# How long a thread waits for the next request of a connection before it gives it back.
LINGER_MILLISECONDS = 20
# How long it waits for a client to hang up after the last answer.
PARTING_SECONDS = 0.5


class TimedThreadWorker(ThreadWorker):
    """gunicorn's threads, but none is held for longer than a few seconds by a client that sends or reads slowly.

    And a thread stays with a connection whose requests follow each other, unless another one waits for a thread: to
    hand it back to the main thread after every answer, and out again, costs a seventh of what a single price does.
    """

    def init_process(self) -> None:
        """Watch the connections, then serve them until the end."""
        self._began: dict[Any, float] = {}
        self._seconds = float(os.environ.get(SECONDS_VARIABLE, USUAL_SECONDS))
        threading.Thread(target=self._watch, name="request deadlines", daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Read one request, answer it, and those that follow at once."""
        kept = self._timed(conn)
        while kept is True and self.alive and self.tpool._work_queue.empty() and _asks_again(conn):
            kept = self._timed(conn)
        if kept is False:
            _part(conn.sock)
        return kept

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse what is no HTTP as the API refuses, and repeat none of it in the log: it may hold a key."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        kind = type(exc).__name__
        self.log.warning("what %s sent is no HTTP: %s", (addr or ("somebody",))[0], kind)
        with suppress(OSError):
            client.sendall(_refusal(f"this is no HTTP that is understood here: {kind}"))

    def _timed(self, conn: Any) -> Any:
        self._began[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._began.pop(conn, None)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            latest = time.monotonic() - self._seconds
            for conn in [conn for conn, began in list(self._began.items()) if began < latest]:
                # Whoever waits in it for bytes to come or go is told that there are none.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)


def _part(connected: socket.socket) -> None:
    """Let a client read the last answer before the connection ends.

    The main thread would do so, for up to two seconds and for one client at a time, and let nobody in meanwhile. What
    it finds is a connection that has ended in both directions.
    """
    with suppress(OSError):
        close_graceful(connected.dup(), timeout=PARTING_SECONDS)
        connected.shutdown(socket.SHUT_RDWR)


def _refusal(detail: str) -> bytes:
    """A whole answer, made without the modules of numbers, which must not be loaded before the workers part."""
    told = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": detail, "errors": []}
    body = json.dumps(told) + "\n"
    lines = ["HTTP/1.1 400 Bad Request", "Connection: close", "Content-Type: application/problem+json"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode("ascii")


def _asks_again(conn: Any) -> bool:
    """Whether more comes from a client right after it was answered, or it hangs up."""
    if conn.parser.unreader.buf.getvalue():
        return True
    waiting = select.poll()
    waiting.register(conn.sock, select.POLLIN)
    return bool(waiting.poll(LINGER_MILLISECONDS))
