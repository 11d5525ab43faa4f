"""The OpenAPI document: what apiflask knows of the paths, and beside it what is asked and answered, with examples."""

from typing import Any, cast

from apiflask import APIFlask
from flask import Response

from options_pricing.serving.openapi_schemas import ANSWERS, SCHEMAS, operations
from options_pricing.serving.problems import json_response
from options_pricing.serving.served import Desk

TITLE_NOTE = (
    "Option prices, implied vols, intervals and greeks of one released model. Every answer names the release that gave "
    "it, the day of its data and how old that is, and ends with a receipt that `options-pricing replay` turns into the "
    "same bits again. Errors are application/problem+json (RFC 9457)."
)
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def described(app: APIFlask, desk: Desk, *, with_keys: bool) -> None:
    """Serve the document at ``/openapi.json``; there is no page of documentation, which would load scripts."""
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["AUTO_404_RESPONSE"] = False
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["INFO"] = {"description": TITLE_NOTE}
    app.config["AUTO_SERVERS"] = False
    made: dict[str, Any] = {}

    @app.get("/openapi.json")
    def openapi() -> Response:
        if not made:
            made.update(_filled(cast(dict[str, Any], app.spec), desk, with_keys))
        return json_response(made)


def _filled(spec: dict[str, Any], desk: Desk, with_keys: bool) -> dict[str, Any]:
    option = desk.now().release.manifest.golden_rows[0].asked()
    told = operations(option)
    for path, held in spec["paths"].items():
        for method, operation in held.items():
            operation |= told[f"{method.upper()} {path}"]
            operation["responses"] = operation["responses"] | ANSWERS
            if with_keys and not path.startswith("/v2/health/"):
                operation["security"] = [{name: []} for name in SCHEMES]
    spec.setdefault("components", {})["schemas"] = SCHEMAS
    if with_keys:
        spec["components"]["securitySchemes"] = SCHEMES
    return spec
