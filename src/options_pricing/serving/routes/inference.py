"""The Open Inference Protocol (version 2): options as tensors, one for each of their fields."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from options_pricing.serving.asked import REQUIRED, Columns, read_columns, require_rows, strict_json
from options_pricing.serving.problems import RequestProblemError, field_error, fields_refused, json_response
from options_pricing.serving.routes.answering import answered, json_body
from options_pricing.serving.routes.health import readiness
from options_pricing.serving.served import Desk, Served

MODEL = "options_pricing"
INPUTS = {"underlying": "BYTES", "root": "BYTES", "expiration": "BYTES", "strike": "FP64", "option_type": "BYTES"}
NUMBERS = (
    "price", "implied_vol", "interval_low", "interval_high", "delta", "gamma", "vega", "theta", "rho",
    "underlying_price", "forward", "discount_factor", "year_fraction",
)  # fmt: skip
OUTPUTS = {
    **dict.fromkeys(NUMBERS, "FP64"),
    "exercise_style": "BYTES",
    "listed": "BOOL",
    "extrapolated": "BOOL",
    "reason": "BYTES",
}


def blueprint(desk: Desk) -> APIBlueprint:
    """``/v2`` and ``/v2/models/<name>``, the latter also with ``/ready`` and ``/infer``."""
    routes = APIBlueprint("inference", __name__)

    @routes.get("/v2")
    def server() -> Response:
        return json_response({"name": "options-pricing", "version": "2", "extensions": []})

    @routes.get("/v2/models/<name>")
    def metadata(name: str) -> Response:
        _require_model(name)
        served, today = desk.now(), desk.today()
        return answered(served, today, _metadata(served) | {"parameters": served.provenance(today)})

    @routes.get("/v2/models/<name>/ready")
    def ready(name: str) -> Response:
        _require_model(name)
        return readiness(desk)

    @routes.post("/v2/models/<name>/infer")
    def infer(name: str) -> Response:
        _require_model(name)
        served, today, body = desk.now(), desk.today(), json_body()
        document = _document(body)
        wanted, asked = _wanted(document), _asked(document)
        made = served.columns(asked)
        told = {
            "model_name": MODEL,
            "model_version": served.release.manifest.release_id,
            **({"id": document["id"]} if "id" in document else {}),
            "parameters": served.provenance(today),
            "outputs": [
                {"name": name, "datatype": OUTPUTS[name], "shape": [len(asked)], "data": made[name]} for name in wanted
            ],
        }
        return answered(served, today, told, priced=len(asked), body=body)

    return routes


def _require_model(name: str) -> None:
    if name != MODEL:
        raise RequestProblemError(404, f"there is no model of this name, only {MODEL}")


def _metadata(served: Served) -> dict[str, Any]:
    manifest = served.release.manifest
    inputs, outputs = (
        [{"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in tensors.items()]
        for tensors in (INPUTS, OUTPUTS)
    )
    return {
        "name": MODEL,
        "versions": [manifest.release_id],
        "platform": f"options-pricing_{manifest.model}",
        "inputs": inputs,
        "outputs": outputs,
    }


def _document(body: bytes) -> dict[str, Any]:
    document = strict_json(body)
    if not isinstance(document, dict) or not isinstance(document.get("inputs"), list):
        raise fields_refused([field_error(None, "inputs", 'send {"inputs": [{"name", "shape", "datatype", "data"}]}')])
    wrong = [
        field_error(None, name, "no such field")
        for name in document
        if name not in {"id", "parameters", "inputs", "outputs"}
    ]
    if not isinstance(document.get("id", ""), str) or len(document.get("id", "")) > 128:
        wrong.append(field_error(None, "id", "must be a text of at most 128 characters"))
    elif not document.get("id", "").isprintable():
        wrong.append(field_error(None, "id", "must be printable"))
    if not isinstance(document.get("parameters", {}), dict):
        wrong.append(field_error(None, "parameters", "must be an object"))
    if wrong:
        raise fields_refused(wrong)
    return document


def _asked(document: dict[str, Any]) -> Columns:
    """The options that the input tensors hold; one element in a tensor stands for all rows."""
    columns: dict[str, Any] = {}
    for tensor in document["inputs"]:
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if not isinstance(name, str) or name not in INPUTS:
            raise fields_refused([field_error(None, "inputs", f"each is an object named one of {', '.join(INPUTS)}")])
        if name in columns:
            raise fields_refused([field_error(None, name, "is given more than once")])
        columns[name] = _data(name, tensor)
    missing = [field_error(None, name, "there is no input of this name") for name in REQUIRED if name not in columns]
    if missing:
        raise fields_refused(missing)
    return read_columns(columns)


def _data(name: str, tensor: dict[str, Any]) -> list[Any]:
    data, shape = tensor.get("data"), tensor.get("shape")
    if set(tensor) - {"name", "shape", "datatype", "data", "parameters"}:
        raise fields_refused([field_error(None, name, "has a field that is none of name, shape, datatype and data")])
    if tensor.get("datatype") != INPUTS[name]:
        raise fields_refused([field_error(None, name, f"its datatype must be {INPUTS[name]}")])
    if not isinstance(data, list):
        raise fields_refused([field_error(None, name, "its data must be a list: binary tensors are not taken")])
    require_rows(len(data))
    if not isinstance(shape, list) or shape != [len(data)] or not all(type(size) is int for size in shape):
        raise fields_refused([field_error(None, name, f"its shape must be [{len(data)}], as its data is")])
    return data


def _wanted(document: dict[str, Any]) -> list[str]:
    """The names of the outputs that are asked for; all, where none is named."""
    outputs = document.get("outputs", [])
    held = outputs if isinstance(outputs, list) else [None]
    names = [output.get("name") if isinstance(output, dict) else None for output in held]
    known = [name for name in names if isinstance(name, str) and name in OUTPUTS]
    if len({*known}) != len(names):
        raise fields_refused([field_error(None, "outputs", f"name each once, of {', '.join(OUTPUTS)}")])
    return known or list(OUTPUTS)
