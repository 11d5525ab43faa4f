"""The model that speaks: its card, its manifest, what it lists; and the document that describes the API."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from options_pricing.serving.routes.answering import answered
from options_pricing.serving.served import Desk, Served


def blueprint(desk: Desk) -> APIBlueprint:
    """``/model``."""
    routes = APIBlueprint("model", __name__)

    @routes.get("/model")
    def model() -> Response:
        served, today = desk.now(), desk.today()
        release = served.release
        held = {"card": release.card, "manifest": release.manifest.model_dump(), "listed": _listed(served)}
        return answered(served, today, served.provenance(today) | held)

    return routes


def _listed(served: Served) -> list[dict[str, Any]]:
    """Every series that can be asked for by name."""
    listed = served.release.model.listed().assign(expiration=lambda rows: rows["expiration"].dt.strftime("%Y-%m-%d"))
    names = ["underlying", "root", "expiration", "settlement", "exercise_style", "forward", "discount_factor"]
    found: list[dict[str, Any]] = listed[[*names, "year_fraction"]].to_dict("records")  # type: ignore[assignment]
    return found
