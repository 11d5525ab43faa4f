"""The kind of worker that gunicorn runs: threads, and an end to every request."""

import os
import select
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

SECONDS_VARIABLE = "OPTIONS_PRICING_API_REQUEST_SECONDS"
# From the first byte of a request to the last of its answer; the largest batch of American options takes some two.
USUAL_SECONDS = 15.0
LOOK_SECONDS = 0.25
# How long a thread waits for the next request of a connection before it gives it back.
LINGER_MILLISECONDS = 20


class TimedThreadWorker(ThreadWorker):
    """gunicorn's threads, but none is held for longer than a few seconds by a client that sends or reads slowly.

    And a thread stays with a connection whose requests follow each other, unless another one waits for a thread: to
    hand it back to the main thread after every answer, and out again, costs as much as a third of the answer.
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
        return kept

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


def _asks_again(conn: Any) -> bool:
    """Whether more comes from a client right after it was answered, or it hangs up."""
    if conn.parser.unreader.buf.getvalue():
        return True
    waiting = select.poll()
    waiting.register(conn.sock, select.POLLIN)
    return bool(waiting.poll(LINGER_MILLISECONDS))
