import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from options_pricing.run.errors import BadParamsError, MissingInputError, ModelRefusedError
from options_pricing.serving import commands, gunicorn_settings
from options_pricing.serving.commands import api_command, app_command, serve_api, serve_app
from options_pricing.serving.keys import VARIABLE, entry_of, new_key
from options_pricing.serving.metrics_folder import FOLDER
from options_pricing.serving.ports import CannotListenError, listeners
from options_pricing.serving.processes import child_environment

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
    assert app[:4] == [sys.executable, "-m", "options_pricing.serving.app", "run"]
    assert app[-2:] == ["--", str(staged)]
    assert app_command(staged, "127.0.0.1", 8501, checkout=Path("here"))[-2:] == [str(staged), "here"]
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
    assert (environment["OMP_NUM_THREADS"], environment["MALLOC_ARENA_MAX"]) == ("1", "2")


def test_ipv6_is_bracketed_for_gunicorn(staged):
    command = api_command(staged, "::1", 8000, workers=1)
    assert command[command.index("--bind") + 1] == "[::1]:8000"


@SERVE
def test_fault_62_a_port_that_is_taken_is_told_with_its_holder_and_exit_code_75(staged, became, serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotListenError) as caught:
            serve(staged, "127.0.0.1", taken.getsockname()[1])
    assert caught.value.exit_code == 75
    assert f"process {os.getpid()} (" in caught.value.why
    assert became == []


@SERVE
def test_an_address_of_another_machine_is_told(staged, became, serve, monkeypatch):
    monkeypatch.setenv(VARIABLE, entry_of("somebody", new_key()))
    with pytest.raises(CannotListenError):
        serve(staged, "192.0.2.1", 8000)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_an_address_that_others_reach_needs_keys(staged, became, host, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(BadParamsError) as refused:
        serve_api(staged, host, 8000)
    assert refused.value.exit_code == 78
    assert "options-pricing keys new" in refused.value.fix
    assert became == []


def test_with_keys_it_is_served_and_the_workers_are_told_them_while_a_trial_is_not(staged, became, monkeypatch):
    monkeypatch.setenv(VARIABLE, entry_of("somebody", new_key()))
    serve_api(staged, "0.0.0.0", 0)
    ((_, environment),) = became
    assert environment[VARIABLE] == os.environ[VARIABLE]
    assert VARIABLE not in child_environment()


def test_gunicorn_started_by_hand_needs_keys_too(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv(FOLDER, raising=False)
    server = SimpleNamespace(cfg=SimpleNamespace(address=[("0.0.0.0", 8000)]))
    with pytest.raises(SystemExit, match="API keys"):
        gunicorn_settings.on_starting(server)
    server.cfg.address = [("127.0.0.1", 8000), "/run/socket"]
    gunicorn_settings.on_starting(server)
    made = Path(os.environ[FOLDER])
    assert made.is_dir()
    gunicorn_settings.on_exit(server)
    assert not made.exists()
    assert FOLDER not in os.environ


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


@SERVE
def test_fault_62_a_privileged_port_is_told_with_what_to_do(staged, became, serve, monkeypatch):
    def refuse(self, address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CannotListenError) as caught:
        serve(staged, "127.0.0.1", 80)
    assert "privileged" in caught.value.why
    assert "1024" in caught.value.fix
    assert len(str(caught.value).splitlines()) <= 5


@SERVE
def test_fault_62_a_port_beyond_all_ports_is_told(staged, became, serve):
    with pytest.raises(CannotListenError):
        serve(staged, "127.0.0.1", 70_000)


def test_fault_62_nobody_listens_on_a_free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert listeners(bound.getsockname()[1]) == []
