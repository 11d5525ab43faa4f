"""The kind of worker that gunicorn runs: threads, and an end to every request."""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# From the first byte of a request to the last of its answer; the largest batch of American options takes some two.
REQUEST_SECONDS = 15.0
LOOK_SECONDS = 0.5


class TimedThreadWorker(ThreadWorker):
    """gunicorn's threads, but none is held for longer than `REQUEST_SECONDS` by a client that sends or reads slowly."""

    def init_process(self) -> None:
        """Watch the connections, then serve them until the end."""
        self._began: dict[Any, float] = {}
        threading.Thread(target=self._watch, name="request deadlines", daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Read one request, answer it."""
        self._began[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._began.pop(conn, None)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            latest = time.monotonic() - REQUEST_SECONDS
            for conn in [conn for conn, began in list(self._began.items()) if began < latest]:
                # Whoever waits in it for bytes to come or go is told that there are none.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)
