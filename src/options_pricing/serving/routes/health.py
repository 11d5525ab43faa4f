"""Health, after the Open Inference Protocol, and metrics."""

from apiflask import APIBlueprint
from flask import Response

from options_pricing.serving import metrics
from options_pricing.serving.access import is_stranger
from options_pricing.serving.problems import RequestProblemError, json_response
from options_pricing.serving.served import Desk


def blueprint(desk: Desk) -> APIBlueprint:
    """``/v2/health/live``, ``/v2/health/ready`` and ``/metrics``."""
    routes = APIBlueprint("health", __name__)
    metrics.READY.set(0.0 if desk.current.serving.unfit else 1.0)

    @routes.get("/v2/health/live")
    def live() -> Response:
        return json_response({"live": True})

    @routes.get("/v2/health/ready")
    def ready() -> Response:
        return readiness(desk)

    @routes.get("/metrics")
    def exposition() -> Response:
        return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)

    return routes


def readiness(desk: Desk) -> Response:
    """Which release is ready; a problem 503 where it is not fit to be served."""
    serving = desk.current.serving
    if serving.unfit:
        raise RequestProblemError(503, "the release is not fit to be served" if is_stranger() else serving.unfit)
    # The reason may be what a process wrote as it died.
    troubles = {"trouble": None if is_stranger() else desk.current.trouble, "refused": desk.current.refused}
    return json_response({"ready": True} | serving.told() | troubles)
