"""The HTTP API of one release (Flask); gunicorn serves it, see `options_pricing.serving.commands`."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from options_pricing.release.golden import golden_differences
from options_pricing.release.verify import Release, load_release
from options_pricing.serving.answers import answers, new_york_today, provenance
from options_pricing.serving.asked import LARGEST_BODY, as_frame, read_body, read_query
from options_pricing.serving.problems import (
    RequestProblemError,
    field_error,
    fields_refused,
    json_response,
    problem,
)

PATHS = "GET /price, POST /price, GET /model, GET /v2/health/live, GET /v2/health/ready"


def create_app(release_folder: str | Path, *, today: Callable[[], date] = new_york_today) -> Flask:
    """Load a release and make the application that serves it.

    Parameters
    ----------
    release_folder : path
        A folder that `model_deploy` staged.
    today : callable, optional
        Gives the date that the data's age is counted to; New York's by default.

    Raises
    ------
    MissingInputError, ModelRefusedError
        As `options_pricing.release.verify.load_release`: a refused model serves nothing at all.
    """
    release = load_release(Path(release_folder))
    app = Flask(__name__, static_folder=None)
    # One more, so that a body in chunks, which is cut off there without a word, is seen to be too long.
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY + 1
    _add_health(app, release)
    _add_model(app, release, today)
    _add_prices(app, release, today)
    _add_errors(app)
    return app


def _add_health(app: Flask, release: Release) -> None:
    manifest = release.manifest
    # Once per process: a loaded model does not change, and a probe must stay cheap.
    differences = golden_differences(release.model, manifest.golden_rows)

    @app.get("/v2/health/live")
    def live() -> Response:
        return json_response({"live": True})

    @app.get("/v2/health/ready")
    def ready() -> Response:
        if differences:
            detail = f"{len(differences)} of {len(manifest.golden_rows)} golden prices differ; {differences[0]}"
            raise RequestProblemError(503, detail)
        return json_response(
            {
                "ready": True,
                "release_id": manifest.release_id,
                "model_sha256": release.model_sha256,
                "as_of": manifest.as_of,
                "simulated": manifest.simulated,
                "golden_rows": len(manifest.golden_rows),
            }
        )


def _add_model(app: Flask, release: Release, today: Callable[[], date]) -> None:
    @app.get("/model")
    def model() -> Response:
        held = {"card": release.card, "manifest": release.manifest.model_dump()}
        return json_response(provenance(release, today()) | held)


def _add_prices(app: Flask, release: Release, today: Callable[[], date]) -> None:
    underlyings = sorted(set(release.model.listed()["underlying"]))

    @app.get("/price")
    def price() -> Response:
        asked = read_query(request.args)
        if asked.underlying not in underlyings:
            detail = f"{asked.underlying} is not in this release, which has {', '.join(underlyings)}"
            raise fields_refused([field_error(0, "underlying", detail)], status=404)
        (answer,) = answers(release, as_frame([asked]))
        if answer["price"] is None:
            raise RequestProblemError(422, f"this option has no price: {answer['reason']}")
        return json_response(provenance(release, today()) | answer)

    @app.post("/price")
    def prices() -> Response:
        asked = as_frame(read_body(_json_body()))
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
