"""Prices and greeks of options, one or many."""

from apiflask import APIBlueprint
from flask import Response, request

from options_pricing.models.columns import Columns
from options_pricing.serving.asked import as_columns, read_body, read_query
from options_pricing.serving.problems import RequestProblemError, field_error, fields_refused
from options_pricing.serving.routes.answering import answered, json_body
from options_pricing.serving.served import Desk, Served

UNITS = {
    "delta": "change of price per 1 of the underlying",
    "gamma": "change of delta per 1 of the underlying",
    "vega": "change of price per 1.00 of implied vol",
    "theta": "change of price per calendar day that passes",
    "rho": "change of price per 1.00 of the continuous rate",
}


def blueprint(desk: Desk) -> APIBlueprint:
    """``/price`` and ``/greeks``."""
    routes = APIBlueprint("prices", __name__)

    @routes.get("/price")
    def price() -> Response:
        served, today = desk.now(), desk.today()
        return answered(served, today, served.provenance(today) | _one(served), priced=1)

    @routes.get("/greeks")
    def greeks() -> Response:
        served, today = desk.now(), desk.today()
        return answered(served, today, served.provenance(today) | _one(served) | {"units": UNITS}, priced=1)

    @routes.post("/price")
    def prices() -> Response:
        served, today, body = desk.now(), desk.today(), json_body()
        batch = read_body(body)
        kind = "columns" if batch.by_column else "options"
        made = served.columns(batch.asked) if batch.by_column else served.rows(batch.asked)
        told = served.provenance(today) | ({"rows": len(batch.asked)} if batch.by_column else {}) | {kind: made}
        return answered(served, today, told, priced=len(batch.asked), body=body)

    return routes


def require_known(served: Served, underlying: str) -> None:
    """A problem 404 for an underlying that the release does not have."""
    if underlying not in served.release.underlyings:
        detail = f"{underlying} is not in this release, which has {', '.join(served.release.underlyings)}"
        raise fields_refused([field_error(None, "underlying", detail)], status=404)


def _one(served: Served) -> dict[str, object]:
    asked: Columns = as_columns([read_query(request.args)])
    require_known(served, asked["underlying"][0])
    (answer,) = served.rows(asked)
    if answer["price"] is None:
        raise RequestProblemError(422, f"this option has no price: {answer['reason']}")
    return answer
