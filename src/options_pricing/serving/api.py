"""The HTTP API of the current release (Flask); gunicorn serves it, see `options_pricing.serving.commands`."""

from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask import Response, request
from werkzeug.exceptions import HTTPException

from options_pricing.serving.access import guard, rate_of_environment
from options_pricing.serving.answers import new_york_today
from options_pricing.serving.asked import LARGEST_BODY
from options_pricing.serving.current import CurrentRelease
from options_pricing.serving.keys import Keys
from options_pricing.serving.openapi import described
from options_pricing.serving.problems import RequestProblemError, problem
from options_pricing.serving.routes import health, inference, model, predict, prices, surfaces
from options_pricing.serving.served import Desk

PATHS = (
    "GET /price, POST /price, GET /greeks, GET /smile, GET /surface, GET /model, "
    "GET /predict/<implied_vol>/<moneyness>/<vol_time>, GET /metrics, GET /openapi.json and the Open Inference paths "
    "under /v2"
)
KEPT_HEADERS = {"Allow", "Location", "Retry-After"}


def create_app(
    release_folder: str | Path,
    *,
    today: Callable[[], date] = new_york_today,
    keys: Keys | None = None,
    rate: str | None = None,
) -> APIFlask:
    """Load a release and make the application that serves it, and whatever takes its place.

    Parameters
    ----------
    release_folder : path
        The folder of a release, or of releases, as `CurrentRelease` takes it.
    today : callable, optional
        Gives the date that the data's age is counted to; New York's by default.
    keys : Keys, optional
        Who is let in; everyone, from this machine alone, without any.
    rate : str, optional
        How often one client may ask one worker, as ``3000/second``; without it as often as it likes.

    Raises
    ------
    MissingInputError, ModelRefusedError
        As `CurrentRelease`: where there is no release to begin with, nothing is served at all.
    """
    desk = Desk(CurrentRelease(Path(release_folder)), today)
    nowhere: dict[str, Any] = dict.fromkeys(("spec_path", "docs_path", "static_folder"))
    app = APIFlask(__name__, title="options-pricing", version=version("options-pricing"), json_errors=False, **nowhere)
    # One more, so that a body in chunks, which is cut off there without a word, is seen to be too long.
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY + 1
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    guard(app, keys or Keys(), rate)
    for routes in (health, prices, surfaces, model, predict, inference):
        app.register_blueprint(routes.blueprint(desk))
    described(app, desk, with_keys=bool(keys))
    _add_errors(app)
    return app


def app_of_environment(release_folder: str | Path) -> APIFlask:
    """`create_app` with the keys and the rate that the environment names."""
    return create_app(release_folder, keys=Keys.from_environment(), rate=rate_of_environment())


def _add_errors(app: APIFlask) -> None:
    @app.errorhandler(RequestProblemError)
    def refused(error: RequestProblemError) -> Response:
        response = problem(error.status, error.detail, error.errors)
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(HTTPException)
    def of_http(error: HTTPException) -> Response:
        status = error.code or 500
        detail = f"there are {PATHS}" if status == 404 else error.description or ""
        response = problem(status, detail)
        # Allow of a 405, Location of a redirect: without them the status says only half.
        response.headers.extend([pair for pair in error.get_headers() if pair[0] in KEPT_HEADERS])
        return response

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        # The traceback is for the log; the client only learns that it is not their fault.
        app.logger.error("bug while answering %s %s", request.method, request.path, exc_info=error)
        return problem(500, "the server failed on this request; its log says why")
