"""The HTTP API of the current release (Flask); gunicorn serves it, see `options_pricing.serving.commands`."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from options_pricing.serving.answers import answers, new_york_today, provenance
from options_pricing.serving.asked import LARGEST_BODY, as_frame, read_body, read_query
from options_pricing.serving.current import CurrentRelease
from options_pricing.serving.problems import (
    RequestProblemError,
    field_error,
    fields_refused,
    json_response,
    problem,
)

PATHS = "GET /price, POST /price, GET /model, GET /v2/health/live, GET /v2/health/ready"


def create_app(release_folder: str | Path, *, today: Callable[[], date] = new_york_today) -> Flask:
    """Load a release and make the application that serves it, and whatever takes its place.

    Parameters
    ----------
    release_folder : path
        The folder of a release, or of releases, as `CurrentRelease` takes it.
    today : callable, optional
        Gives the date that the data's age is counted to; New York's by default.

    Raises
    ------
    MissingInputError, ModelRefusedError
        As `CurrentRelease`: where there is no release to begin with, nothing is served at all.
    """
    current = CurrentRelease(Path(release_folder))
    app = Flask(__name__, static_folder=None)
    # One more, so that a body in chunks, which is cut off there without a word, is seen to be too long.
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY + 1
    _add_health(app, current)
    _add_model(app, current, today)
    _add_prices(app, current, today)
    _add_errors(app)
    return app


def _add_health(app: Flask, current: CurrentRelease) -> None:
    @app.get("/v2/health/live")
    def live() -> Response:
        return json_response({"live": True})

    @app.get("/v2/health/ready")
    def ready() -> Response:
        # A loaded model does not change: its golden rows were priced when it was loaded, and a probe stays cheap.
        serving = current.serving
        if serving.unfit:
            raise RequestProblemError(503, serving.unfit)
        troubles = {"trouble": current.trouble, "refused": current.refused}
        return json_response({"ready": True} | serving.told() | troubles)


def _add_model(app: Flask, current: CurrentRelease, today: Callable[[], date]) -> None:
    @app.get("/model")
    def model() -> Response:
        release = current.now()
        held = {"card": release.card, "manifest": release.manifest.model_dump()}
        return json_response(provenance(release, today()) | held)


def _add_prices(app: Flask, current: CurrentRelease, today: Callable[[], date]) -> None:
    @app.get("/price")
    def price() -> Response:
        release, asked = current.now(), read_query(request.args)
        if asked.underlying not in release.underlyings:
            detail = f"{asked.underlying} is not in this release, which has {', '.join(release.underlyings)}"
            raise fields_refused([field_error(0, "underlying", detail)], status=404)
        (answer,) = answers(release, as_frame([asked]))
        if answer["price"] is None:
            raise RequestProblemError(422, f"this option has no price: {answer['reason']}")
        return json_response(provenance(release, today()) | answer)

    @app.post("/price")
    def prices() -> Response:
        release, asked = current.now(), as_frame(read_body(_json_body()))
        return json_response(provenance(release, today()) | {"options": answers(release, asked)})


def _json_body() -> bytes:
    if request.mimetype != "application/json" or "Content-Encoding" in request.headers:
        raise RequestProblemError(415, "send the options as application/json, without a content encoding")
    body = request.get_data(cache=False)
    if len(body) > LARGEST_BODY:
        raise RequestProblemError(413, f"the body has more than {LARGEST_BODY} bytes")
    return body


def _add_errors(app: Flask) -> None:
    @app.errorhandler(RequestProblemError)
    def refused(error: RequestProblemError) -> Response:
        return problem(error.status, error.detail, error.errors)

    @app.errorhandler(HTTPException)
    def of_http(error: HTTPException) -> Response:
        status = error.code or 500
        detail = f"there are {PATHS}" if status == 404 else error.description or ""
        response = problem(status, detail)
        # Allow of a 405, Location of a redirect: without them the status says only half.
        kept = [pair for pair in error.get_headers() if pair[0] in {"Allow", "Location", "Retry-After"}]
        response.headers.extend(kept)
        return response

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        # The traceback is for the log; the client only learns that it is not their fault.
        app.logger.error("bug while answering %s %s", request.method, request.path, exc_info=error)
        return problem(500, "the server failed on this request; its log says why")
