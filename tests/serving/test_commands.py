import os
import socket
import sys
from pathlib import Path

import pytest

from options_pricing.run.errors import MissingInputError, ModelRefusedError
from options_pricing.serving import commands
from options_pricing.serving.commands import CannotListenError, api_command, app_command, serve_api, serve_app

SERVE = pytest.mark.parametrize("serve", [serve_api, serve_app])


@pytest.fixture
def became(monkeypatch):
    """What this process would have become."""
    found = []
    monkeypatch.setattr(os, "execve", lambda path, command, environment: found.append((command, environment)))
    return found


def test_the_api_is_served_by_gunicorn_and_the_app_by_streamlit_without_telemetry(staged):
    assert api_command(staged, "127.0.0.1", 8000, workers=2)[:3] == [sys.executable, "-m", "gunicorn"]
    app = app_command(staged, "127.0.0.1", 8501)
    assert app[:4] == [sys.executable, "-m", "streamlit", "run"]
    for name, value in {
        "browser.gatherUsageStats": "false",
        "server.address": "127.0.0.1",
        "server.headless": "true",
    }.items():
        assert app[app.index(f"--{name}") + 1] == value
    assert "true" not in app[app.index("--server.scriptHealthCheckEnabled") + 1]


@SERVE
def test_serving_becomes_the_server_on_the_address_asked(staged, became, serve):
    serve(staged, "127.0.0.1", 0)
    ((command, environment),) = became
    assert command[0] == sys.executable
    assert str(staged) in " ".join(command)
    assert environment["OMP_NUM_THREADS"] == "1"


def test_ipv6_is_bracketed_for_gunicorn(staged):
    command = api_command(staged, "::1", 8000, workers=1)
    assert command[command.index("--bind") + 1] == "[::1]:8000"


@SERVE
def test_a_port_that_is_taken_is_told_with_exit_code_75(staged, became, serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotListenError) as caught:
            serve(staged, "127.0.0.1", taken.getsockname()[1])
    assert caught.value.exit_code == 75
    assert became == []


@SERVE
def test_an_address_of_another_machine_is_told(staged, became, serve):
    with pytest.raises(CannotListenError):
        serve(staged, "192.0.2.1", 8000)


@SERVE
def test_a_refused_release_is_not_served(staged_copy, became, serve):
    (staged_copy / "options_pricing_model.pkl").write_bytes(b"")
    with pytest.raises(ModelRefusedError):
        serve(staged_copy, "127.0.0.1", 0)
    with pytest.raises(MissingInputError):
        serve(Path("nowhere"), "127.0.0.1", 0)
    assert became == []


def test_the_app_is_where_the_command_says():
    assert commands.DASHBOARD.is_file()
