"""The command lines that serve a release: the API by gunicorn, the app by Streamlit, never by a development server."""

import os
import sys
from pathlib import Path

from options_pricing.run.errors import BadParamsError
from options_pricing.serving.current import require_servable
from options_pricing.serving.keys import VARIABLE, Keys, is_loopback
from options_pricing.serving.ports import require_free
from options_pricing.serving.processes import api_settings, child_environment
from options_pricing.serving.theme import THEME

SETTINGS = "python:options_pricing.serving.gunicorn_settings"
WORKERS = 2
DASHBOARD = Path(__file__).with_name("dashboard.py")


def api_command(release: Path, host: str, port: int, *, workers: int) -> list[str]:
    """The command that serves the API of a release."""
    application = f"options_pricing.serving.api:app_of_environment({str(release)!r})"
    options = ["--config", SETTINGS, "--bind", f"{_bracketed(host)}:{port}", "--workers", str(workers)]
    return [sys.executable, "-m", "gunicorn", *options, application]


def app_command(release: Path, host: str, port: int, *, trial: bool = False, checkout: Path | None = None) -> list[str]:
    """The command that serves the app of a release.

    A `trial` also answers whether its page can be drawn. Of a `checkout` it shows quarantine, evaluation and other
    days and releases.
    """
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
        **THEME,
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    shown = [str(release), *([str(checkout)] if checkout else [])]
    return [sys.executable, "-m", "options_pricing.serving.app", "run", str(DASHBOARD), *flags, "--", *shown]


def serve_api(release: Path, host: str, port: int) -> int:
    """Become the API of a release; returns only by raising.

    Raises
    ------
    BadParamsError
        Others reach the address, and there are no API keys.
    MissingInputError, ModelRefusedError
        The release is missing or is not what its manifest names.
    CannotListenError
        The port is taken, or the address is not this machine's.
    """
    if not Keys.from_environment() and not is_loopback(host):
        raise BadParamsError(
            f"the API is not served on {host} without keys",
            why="every machine that reaches this one could ask it",
            fix=f"make one with `options-pricing keys new NAME` and set {VARIABLE}, or listen on 127.0.0.1",
        )
    return _become(api_command(release, host, port, workers=WORKERS), release, host, port, api_settings())


def serve_app(release: Path, host: str, port: int, *, checkout: Path | None = None) -> int:
    """Become the app of a release, and of a checkout beside it; returns only by raising, as `serve_api` does."""
    return _become(app_command(release, host, port, checkout=checkout), release, host, port, {})


def _become(command: list[str], release: Path, host: str, port: int, settings: dict[str, str]) -> int:
    # Told here in three lines with an exit code, rather than by a worker that fails to boot.
    said = require_servable(release)
    require_free(host, port)
    print(f"serving {said}", flush=True)
    os.execve(command[0], command, child_environment() | settings)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
