"""Who may ask, how often, and what is noted of it: keys, rates, headers, metrics and the access log."""

import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request
from flask_limiter import Limiter

from options_pricing.serving import metrics
from options_pricing.serving.keys import Keys
from options_pricing.serving.problems import RequestProblemError

RATE_VARIABLE = "OPTIONS_PRICING_API_RATE"
# For each client and worker; far above what one of them can do in prices, so that it only stops a flood.
USUAL_RATE = "3000/second"
WITHOUT_KEY = {"health.live", "health.ready"}
LOCAL_NAMES = ["localhost", "127.0.0.1", "[::1]"]
LONGEST_NOTED = 200
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
log = logging.getLogger("options-pricing.access")


def guard(app: Flask, keys: Keys, rate: str | None) -> None:
    """Let in only who has a key (everyone, where there are none), at most at this rate; note every request."""
    if not keys:
        # A server without keys is for this machine alone. A page that has its own name point here is not of it.
        app.config["TRUSTED_HOSTS"] = LOCAL_NAMES
    app.before_request(_begin)
    app.before_request(_key_check(keys))
    if rate is not None:
        Limiter(
            _client,
            app=app,
            application_limits=[rate],
            application_limits_exempt_when=lambda: request.endpoint in WITHOUT_KEY,
            storage_uri="memory://",
            strategy="fixed-window",
        )
    app.after_request(_end)


def log_to_stderr() -> None:
    """Write the access log to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)


def rate_of_environment() -> str:
    """How often one client may ask one worker."""
    return os.environ.get(RATE_VARIABLE, USUAL_RATE)


def _begin() -> None:
    g.began = time.perf_counter()
    g.client = None
    g.request_id = secrets.token_hex(8)


def _key_check(keys: Keys) -> Callable[[], None]:
    def check() -> None:
        if not keys or request.endpoint in WITHOUT_KEY:
            return
        g.client = keys.client_of(_presented())
        if g.client is None:
            raise RequestProblemError(401, "send a valid key: Authorization: Bearer KEY, or X-API-Key: KEY")

    return check


def _presented() -> str:
    """The key that a request carries, empty where it carries none; never one in its address, which is noted."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else request.headers.get("X-API-Key", "")


def _client() -> str:
    return getattr(g, "client", None) or request.remote_addr or "unknown"


def _end(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="options-pricing"'
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    endpoint = request.endpoint or "none"
    response.headers["X-Request-ID"] = g.get("request_id", "")
    metrics.REQUESTS.labels(endpoint, response.status_code).inc()
    metrics.DURATION.labels(endpoint).observe(seconds)
    if log.isEnabledFor(logging.INFO):
        log.info(json.dumps(_noted(response, seconds)))
    return response


def _noted(response: Response, seconds: float) -> dict[str, Any]:
    """What the access log says of a request: neither its query, nor its headers, nor its body."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "id": g.get("request_id"),
        "from": request.remote_addr,
        "client": g.get("client"),
        "method": request.method[:LONGEST_NOTED],
        "path": request.path[:LONGEST_NOTED],
        "status": response.status_code,
        "bytes": response.content_length,
        "ms": round(1000 * seconds, 3),
    }
