"""A place that takes alerts as Apprise's json:// sends them, and remembers them."""

import json
import threading

import pytest
from werkzeug import Response

from options_pricing.run.targets import VARIABLE


def silence(let_go):
    let_go.wait(60)
    return Response("")


def bytes_a_second(let_go):
    for _ in range(60):
        let_go.wait(1)
        yield b"x"


class Received:
    """A local web hook and the variable that names it."""

    def __init__(self, server, monkeypatch, path="hook"):
        self.server, self.path = server, f"/{path}"
        self.url = f"json://localhost:{server.port}/{path}"
        monkeypatch.setenv(VARIABLE, self.url)
        self.answer(200)

    def answer(self, status=200, handler=None):
        """What it answers from now on."""
        self.server.clear_all_handlers()
        expected = self.server.expect_request(self.path, method="POST")
        expected.respond_with_handler(handler) if handler else expected.respond_with_data("", status=status)

    def hang(self, *, trickle=False):
        """Let it not answer, or a byte a second, until the event that is given back is set."""
        let_go = threading.Event()

        def wait(request):
            return Response(bytes_a_second(let_go), headers={"Content-Length": "60"}) if trickle else silence(let_go)

        self.answer(handler=wait)
        return let_go

    @property
    def messages(self):
        """What was sent and taken, in order."""
        return [json.loads(request.data) for request, response in self.server.log if response.status_code == 200]

    @property
    def asked(self):
        """How often it was sent something, taken or not."""
        return len(self.server.log)

    @property
    def titles(self):
        """The heads of those."""
        return [message["title"] for message in self.messages]


@pytest.fixture
def hook(httpserver, monkeypatch):
    """A target of alerts that answers."""
    return Received(httpserver, monkeypatch)
