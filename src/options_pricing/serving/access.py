"""Who may ask, how often, and what is noted of it: keys, rates, headers, metrics and the access log."""

import json
import logging
import math
import os
import re
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request
from limits import RateLimitItem, parse

from options_pricing.serving import metrics
from options_pricing.serving.keys import Keys
from options_pricing.serving.problems import RequestProblemError

RATE_VARIABLE = "OPTIONS_PRICING_API_RATE"
# For each client and worker; far above what one of them can do in prices, so that it only stops a flood.
USUAL_RATE = "3000/second"
WITHOUT_KEY = {"health.live", "health.ready"}
LOCAL_NAME = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.ASCII)
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
SERVER_LOG = "options-pricing"


def guard(app: Flask, keys: Keys, rate: str | None) -> None:
    """Let in only who has a key (everyone, where there are none), at most at this rate; note every request."""
    steps: list[Callable[[], None]] = [_begin]
    if not keys:
        steps.append(_require_local_name)
    steps.append(lambda: _find_client(keys))
    if rate is not None:
        steps.append(_rate_check(rate))
    if keys:
        steps.append(_require_client)

    @app.before_request
    def let_in() -> None:
        for step in steps:
            step()

    app.after_request(_end)


def log_to_stderr() -> None:
    """Write the log of requests, and of what is served, to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    server = logging.getLogger(SERVER_LOG)
    server.handlers, server.propagate = [handler], False
    server.setLevel(logging.INFO)


def rate_of_environment() -> str:
    """How often one client may ask one worker."""
    return os.environ.get(RATE_VARIABLE, USUAL_RATE)


def _begin() -> None:
    g.began = time.perf_counter()
    g.client = None
    g.request_id = secrets.token_hex(8)


def _require_local_name() -> None:
    """Answer only to this machine's own names: a page may have its own name point here (DNS rebinding)."""
    # A server without keys is for this machine alone.
    if not LOCAL_NAME.fullmatch(request.headers.get("Host", "")):
        raise RequestProblemError(400, "without keys this API answers to localhost, 127.0.0.1 and [::1] only")


def _find_client(keys: Keys) -> None:
    g.client = keys.client_of(_presented()) if keys else None
    g.stranger = bool(keys) and g.client is None


def is_stranger() -> bool:
    """Whether who asks has no key where one is needed, and may only know how the server does."""
    return bool(g.get("stranger", False))


def _require_client() -> None:
    if g.client is None and request.endpoint not in WITHOUT_KEY:
        raise RequestProblemError(401, "send a valid key: Authorization: Bearer KEY, or X-API-Key: KEY")


def _rate_check(rate: str) -> Callable[[], None]:
    """What lets each client ask so often: by its name where it has a key, else by its address."""
    window = Window(parse(rate))

    def check() -> None:
        who = f"client {g.client}" if g.client else f"address {request.remote_addr}"
        if request.endpoint not in WITHOUT_KEY and not window.admits(who):
            seconds = window.seconds_left()
            raise RequestProblemError(429, f"more than {rate} are asked for; wait {seconds} s", retry_after=seconds)

    return check


class Window:
    """How often each client has asked since the window began; it forgets them all when the next one begins.

    The library's own limiter starts a thread a hundred times a second to forget them one by one.
    """

    def __init__(self, allowed: RateLimitItem) -> None:
        self._amount, self._seconds = allowed.amount, allowed.get_expiry()
        self._asked: Counter[str] = Counter()
        self._until = 0.0
        self._lock = threading.Lock()

    def admits(self, who: str) -> bool:
        """Count a request; whether it is still one of those that are allowed."""
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._asked, self._until = Counter(), now + self._seconds
            self._asked[who] += 1
            return self._asked[who] <= self._amount

    def seconds_left(self) -> int:
        """Whole seconds until the next window, at least one."""
        return max(1, math.ceil(self._until - time.monotonic()))


def _presented() -> str:
    """The key that a request carries, empty where it carries none; never one in its address, which is noted."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else request.headers.get("X-API-Key", "")


def _end(response: Response) -> Response:
    response.headers.extend(HEADERS | {"X-Request-ID": g.get("request_id", "")})
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="options-pricing"'
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    endpoint = request.endpoint or "none"
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
