"""A release tried as it will be served: API and app started on it, asked over HTTP, stopped."""

import json
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode

from options_pricing.release.manifest import GoldenRow, Manifest
from options_pricing.release.staging import Check
from options_pricing.serving.commands import api_command, app_command
from options_pricing.serving.processes import LOOPBACK, Answer, Service, fetch, free_port, running

LIVE = "/v2/health/live"
READY = "/v2/health/ready"
APP_HEALTH = "/_stcore/health"
APP_PAGE_DRAWN = "/_stcore/script-health-check"


def try_release(folder: Path, manifest: Manifest, *, timeout: float) -> list[Check]:
    """Start both services of a release, ask everything there is to ask, stop them.

    Raises
    ------
    UnhealthyError
        One of them did not come up within `timeout` seconds.
    """
    folder = Path(folder).resolve()
    api, app = free_port(), free_port()
    services = [
        Service("API", api_command(folder, LOOPBACK, api, workers=1), api, LIVE),
        Service("app", app_command(folder, LOOPBACK, app, trial=True), app, APP_HEALTH),
    ]
    with running(services, timeout=timeout):
        return [
            _ready(api, manifest),
            _single_price(api, manifest.golden_rows[0]),
            _golden_prices(api, manifest.golden_rows),
            _answers("app_health", app, APP_HEALTH, timeout),
            _answers("app_page", app, "/", timeout),
            _answers("app_page_drawn", app, APP_PAGE_DRAWN, timeout),
        ]


def _ready(port: int, manifest: Manifest) -> Check:
    answer, told = _json(port, READY)
    passed = answer.status == 200 and told.get("release_id") == manifest.release_id
    return Check("api_ready", passed, f"status {answer.status}, release {told.get('release_id')}")


def _single_price(port: int, row: GoldenRow) -> Check:
    answer, told = _json(port, f"/price?{urlencode(row.asked())}")
    passed = answer.status == 200 and told.get("price") == row.predicted_price
    return Check("api_single_price", passed, f"status {answer.status}, {_compared([told], [row])}")


def _golden_prices(port: int, rows: list[GoldenRow]) -> Check:
    body = json.dumps({"options": [row.asked() for row in rows]}).encode()
    answer, told = _json(port, "/price", body)
    given = told.get("options", [])
    passed = answer.status == 200 and [g.get("price") for g in given] == [r.predicted_price for r in rows]
    return Check("api_golden_prices", passed, f"status {answer.status}, {_compared(given, rows)}")


def _compared(given: list[dict], rows: list[GoldenRow]) -> str:
    pairs = zip(given, rows, strict=False)
    return f"{sum(g.get('price') == r.predicted_price for g, r in pairs)} of {len(rows)} prices equal to the last bit"


def _json(port: int, path: str, body: bytes | None = None) -> tuple[Answer, dict]:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        answer = fetch(port, path, body=body, headers=headers)
        told = json.loads(answer.body)
    except (OSError, HTTPException, ValueError) as error:
        return Answer(0, str(error).encode()), {}
    return answer, told if isinstance(told, dict) else {}


def _answers(name: str, port: int, path: str, timeout: float) -> Check:
    try:
        answer = fetch(port, path, timeout=timeout)
    except (OSError, HTTPException) as error:
        return Check(name, False, f"no answer ({error})")
    return Check(name, answer.status == 200, f"status {answer.status}")
