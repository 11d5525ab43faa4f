"""What all answers have in common: the release that speaks, and a receipt."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response, request
from gunicorn.http.errors import ParseException

from options_pricing.serving import metrics
from options_pricing.serving.answers import data_age_days
from options_pricing.serving.asked import LARGEST_BODY
from options_pricing.serving.problems import RequestProblemError, json_bytes
from options_pricing.serving.receipts import Receipt, digest, with_receipt
from options_pricing.serving.served import Served


def answered(served: Served, today: date, told: Mapping[str, Any], *, priced: int = 0, body: bytes = b"") -> Response:
    """An answer with its receipt.

    Parameters
    ----------
    served : Served
        The release that answers.
    today : date
        The day from which it counts the age of its data.
    told : mapping
        What it says.
    priced : int, optional
        How many options were priced for it.
    body : bytes, optional
        The body of the request.
    """
    metrics.OPTIONS.labels(request.endpoint).inc(priced)
    metrics.DATA_AGE.set(data_age_days(served.release, today))
    query = request.query_string.decode("ascii", "replace")
    answer = json_bytes(told)
    receipt = Receipt(
        release=served.release.manifest.release_id,
        asked_on=today,
        method="POST" if request.method == "POST" else "GET",
        target=f"{request.path}?{query}" if query else request.path,
        body=body,
        answer=digest(answer),
    )
    return Response(with_receipt(answer, receipt), mimetype="application/json")


def json_body() -> bytes:
    """The body of the request, which must be JSON and not too long."""
    if request.mimetype != "application/json" or "Content-Encoding" in request.headers:
        raise RequestProblemError(415, "send application/json, without a content encoding")
    try:
        body = request.get_data(cache=False)
    except ParseException as error:
        # Without its text, which repeats what was sent.
        raise RequestProblemError(400, f"the body is not sent as HTTP has it: {type(error).__name__}") from error
    if len(body) > LARGEST_BODY:
        raise RequestProblemError(413, f"the body has more than {LARGEST_BODY} bytes")
    return body
