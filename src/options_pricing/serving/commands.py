"""The command lines that serve a release: the API by gunicorn, the app by Streamlit, never by a development server."""

import os
import socket
import sys
from pathlib import Path

from options_pricing.run.errors import ExitCode, TaskError
from options_pricing.serving.current import require_servable
from options_pricing.serving.processes import child_environment

SETTINGS = "python:options_pricing.serving.gunicorn_settings"
WORKERS = 2
DASHBOARD = Path(__file__).with_name("dashboard.py")


class CannotListenError(TaskError):
    """The address that was asked for cannot be listened on."""

    exit_code = ExitCode.BUSY


def api_command(release: Path, host: str, port: int, *, workers: int) -> list[str]:
    """The command that serves the API of a release."""
    application = f"options_pricing.serving.api:create_app({str(release)!r})"
    options = ["--config", SETTINGS, "--bind", f"{_bracketed(host)}:{port}", "--workers", str(workers)]
    return [sys.executable, "-m", "gunicorn", *options, application]


def app_command(release: Path, host: str, port: int, *, trial: bool = False) -> list[str]:
    """The command that serves the app of a release; a `trial` also answers whether its page can be drawn."""
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.runOnSave": "false",
        "server.scriptHealthCheckEnabled": str(trial).lower(),
        # Named, so that Streamlit does not ask the internet what its own address is.
        "browser.serverAddress": host,
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "logger.level": "warning",
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(DASHBOARD), *flags, "--", str(release)]


def serve_api(release: Path, host: str, port: int) -> int:
    """Become the API of a release; returns only by raising.

    Raises
    ------
    MissingInputError, ModelRefusedError
        The release is missing or is not what its manifest names.
    CannotListenError
        The port is taken, or the address is not this machine's.
    """
    return _become(api_command(release, host, port, workers=WORKERS), release, host, port)


def serve_app(release: Path, host: str, port: int) -> int:
    """Become the app of a release; returns only by raising, as `serve_api` does."""
    return _become(app_command(release, host, port), release, host, port)


def _become(command: list[str], release: Path, host: str, port: int) -> int:
    # Told here in three lines with an exit code, rather than by a worker that fails to boot.
    said = require_servable(release)
    _require_free(host, port)
    print(f"serving {said}", flush=True)
    os.execve(command[0], command, child_environment())


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on {host}:{port}",
            why=error.strerror or str(error),
            fix="name another with --host and --port, or stop what listens there",
        ) from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
