"""What each path takes and gives, as OpenAPI 3.1 has it."""

from collections.abc import Mapping
from typing import Any

from options_pricing.models.listing import HIGHEST_STRIKE
from options_pricing.serving.answers import GREEKS
from options_pricing.serving.asked import FIELDS, MOST_ROWS, REQUIRED, ROOT, UNDERLYING
from options_pricing.serving.problems import PROBLEM
from options_pricing.serving.routes.inference import INPUTS, MODEL, OUTPUTS
from options_pricing.serving.routes.predict import RANGES
from options_pricing.serving.routes.surfaces import MOST_POINTS, USUAL_POINTS

Schema = dict[str, Any]
NUMBER: Schema = {"type": ["number", "null"]}
TEXT: Schema = {"type": "string"}
FIELD: dict[str, Schema] = {
    "underlying": {"type": "string", "pattern": UNDERLYING},
    "root": {"type": ["string", "null"], "pattern": ROOT},
    "expiration": {"type": "string", "format": "date"},
    "strike": {"type": "number", "exclusiveMinimum": 0, "maximum": HIGHEST_STRIKE},
    "option_type": {"type": "string", "enum": ["C", "P"]},
}


def _object(fields: Mapping[str, Schema], *, required: list[str] | None = None, closed: bool = False) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": dict(fields),
        "required": list(fields) if required is None else required,
    }
    return schema | ({"additionalProperties": False} if closed else {})


def _list(of: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": of, **limits}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


OPTION = _object(FIELD, required=REQUIRED, closed=True)
PROVENANCE = {
    "release_id": TEXT,
    "model_sha256": TEXT,
    "model": TEXT,
    "as_of": {"type": "string", "pattern": "^[0-9]{8}$"},
    "data_age_days": {"type": "integer"},
    "simulated": {"type": "boolean"},
    "note": TEXT,
}
RECEIPT = {"receipt": {"type": "string", "pattern": "^op1\\."}}
INTERVAL: Schema = {
    "oneOf": [
        _object(
            {
                "nominal": {"type": "number"},
                "days": {"type": "integer"},
                "low": {"type": "number"},
                "high": {"type": "number"},
            }
        ),
        {"type": "null"},
    ]
}
ANSWER = {
    **FIELD,
    "price": NUMBER,
    "implied_vol": NUMBER,
    "interval": INTERVAL,
    "greeks": _object(dict.fromkeys(GREEKS, NUMBER)),
    **dict.fromkeys(("underlying_price", "forward", "discount_factor", "year_fraction"), NUMBER),
    "exercise_style": {"type": ["string", "null"]},
    "listed": {"type": "boolean", "description": "whether an option of this series expires then"},
    "extrapolated": {"type": "boolean"},
    "reason": TEXT,
}
COLUMNS = {
    name: _list({"FP64": NUMBER, "BYTES": TEXT, "BOOL": {"type": "boolean"}}[datatype])
    for name, datatype in OUTPUTS.items()
}
ASKED_COLUMNS = {
    name: {"oneOf": [schema, _list(schema, minItems=1, maxItems=MOST_ROWS)]} for name, schema in FIELD.items()
}
TENSOR = _object(
    {
        "name": {"type": "string", "enum": list(INPUTS)},
        "shape": _list({"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, minItems=1, maxItems=1),
        "datatype": {"type": "string", "enum": sorted(set(INPUTS.values()))},
        "data": _list({"type": ["string", "number", "null"]}, minItems=1, maxItems=MOST_ROWS),
    },
    closed=True,
)
SIDE = _object({"price": {"type": "number"}, "greeks": _object(dict.fromkeys(GREEKS, NUMBER))})
SCHEMAS: dict[str, Schema] = {
    "Option": OPTION,
    "Price": _object(PROVENANCE | ANSWER | RECEIPT),
    "Greeks": _object(PROVENANCE | ANSWER | {"units": {"type": "object"}} | RECEIPT),
    "AskedBatch": {
        "oneOf": [
            _object({"options": _list(_ref("Option"), minItems=1, maxItems=MOST_ROWS)}, closed=True),
            _object({"columns": _object(ASKED_COLUMNS, required=REQUIRED, closed=True)}, closed=True),
        ]
    },
    "Batch": _object(
        PROVENANCE | {"options": _list(_object(ANSWER)), "columns": _object(COLUMNS)} | RECEIPT,
        required=[*PROVENANCE, *RECEIPT],
    ),
    "Smile": _object(
        PROVENANCE
        | {
            "underlying": TEXT,
            "expiration": TEXT,
            "forward": NUMBER,
            "at_the_money_vol": NUMBER,
            "rows": {"type": "integer"},
        }
        | {"columns": _object(COLUMNS), "quotes": {"type": "object"}}
        | RECEIPT
    ),
    "Surface": _object(
        PROVENANCE
        | {"underlying": TEXT, "expirations": _list({"type": "object"}), "rows": {"type": "integer"}}
        | {"columns": _object(COLUMNS)}
        | RECEIPT
    ),
    "Model": _object(
        PROVENANCE
        | {"card": {"type": "object"}, "manifest": {"type": "object"}, "listed": _list({"type": "object"})}
        | RECEIPT
    ),
    "Prediction": _object(
        PROVENANCE
        | {"says": TEXT, "uses_release": {"type": "boolean"}, "price": {"type": "number"}, "call": SIDE, "put": SIDE}
        | RECEIPT
    ),
    "InferenceRequest": _object(
        {
            "id": {"type": "string", "maxLength": 128, "pattern": "^[ -~]*$"},
            "parameters": {"type": "object"},
            "inputs": _list(TENSOR, minItems=len(REQUIRED), maxItems=len(INPUTS)),
            "outputs": _list(_object({"name": {"type": "string", "enum": list(OUTPUTS)}}), maxItems=len(OUTPUTS)),
        },
        required=["inputs"],
        closed=True,
    ),
    "InferenceResponse": _object(
        {
            "model_name": TEXT,
            "model_version": TEXT,
            "parameters": _object(PROVENANCE),
            "outputs": _list({"type": "object"}),
        }
        | RECEIPT
    ),
    "ModelMetadata": _object({"name": TEXT, "versions": _list(TEXT), "platform": TEXT} | RECEIPT),
    "Server": _object({"name": TEXT, "version": TEXT, "extensions": _list(TEXT)}),
    "Live": _object({"live": {"type": "boolean"}}),
    "Ready": _object({"ready": {"type": "boolean"}, "release_id": TEXT, "model_sha256": TEXT, "as_of": TEXT}),
    "OpenApi": {"type": "object"},
    "Problem": _object(
        {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "errors": _list(_object({"row": {"type": ["integer", "null"]}, "field": TEXT, "detail": TEXT})),
        }
    ),
}
ANSWERS: dict[str, Any] = {
    "default": {"description": "A problem, said in RFC 9457's way", "content": {PROBLEM: {"schema": _ref("Problem")}}}
}


def _gives(schema: str, description: str) -> dict[str, Any]:
    return {
        "responses": {"200": {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}}
    }


def _query(fields: Mapping[str, Schema], required: list[str], example: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        | ({"example": example[name]} if name in example else {})
        for name, schema in fields.items()
    ]
    return {"parameters": parameters}


def _body(schema: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: {"value": value} for name, value in examples.items()}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref(schema), "examples": told}}}
    }


def _path(fields: Mapping[str, tuple[Schema, Any]]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema, "example": example}
        for name, (schema, example) in fields.items()
    ]
    return {"parameters": parameters}


def operations(option: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every operation by method and path; `option` is one that the release prices, for the examples."""
    columns = {name: option[name] for name in FIELDS if name in option} | {"strike": [option["strike"]] * 2}
    inputs = [
        {"name": name, "datatype": INPUTS[name], "shape": [1], "data": [option[name]]}
        for name in FIELDS
        if name in option
    ]
    one = {name: {**FIELD[name], "type": FIELD[name]["type"][0]} if name == "root" else FIELD[name] for name in FIELDS}
    one = {"type" if name == "option_type" else name: schema for name, schema in one.items()}
    required = ["type" if name == "option_type" else name for name in REQUIRED]
    example = {**option, "type": option["option_type"]}
    asked = _query(one, required, example)
    points = {"type": "integer", "minimum": 2, "maximum": MOST_POINTS, "default": USUAL_POINTS}
    smile = {"underlying": one["underlying"], "expiration": one["expiration"], "root": one["root"], "points": points}
    surface = {"underlying": one["underlying"], "points": points}
    ranges: dict[str, tuple[Schema, Any]] = {
        name: ({"type": "number", "minimum": low, "maximum": high}, number)
        for (name, (low, high)), number in zip(RANGES.items(), (0.2, 1.0, 0.1), strict=True)
    }
    model = _path({"name": ({"type": "string", "enum": [MODEL]}, MODEL)})
    return {
        "GET /price": asked | _gives("Price", "One option"),
        "GET /greeks": asked | _gives("Greeks", "One option, with the units of its greeks"),
        "POST /price": _body("AskedBatch", {"options": {"options": [option]}, "columns": {"columns": columns}})
        | _gives("Batch", f"At most {MOST_ROWS} options, answered as they were asked: in rows or in columns"),
        "GET /smile": _query(smile, ["underlying", "expiration"], option) | _gives("Smile", "One expiration"),
        "GET /surface": _query(surface, ["underlying"], option) | _gives("Surface", "All listed expirations"),
        "GET /model": _gives("Model", "Card, manifest and listed series"),
        "GET /predict/{implied_vol}/{moneyness}/{vol_time}": _path(ranges)
        | _gives("Prediction", "Black's formula at the vol that was given, per unit of the forward"),
        "GET /v2": _gives("Server", "The server"),
        "GET /v2/health/live": _gives("Live", "The process answers"),
        "GET /v2/health/ready": _gives("Ready", "The release gives its golden prices"),
        "GET /v2/models/{name}": model | _gives("ModelMetadata", "The model's tensors"),
        "GET /v2/models/{name}/ready": model | _gives("Ready", "The release gives its golden prices"),
        "POST /v2/models/{name}/infer": model
        | _body("InferenceRequest", {"one": {"inputs": inputs}})
        | _gives("InferenceResponse", "A tensor for each output; null stands for a number that is not known"),
        "GET /openapi.json": _gives("OpenApi", "This document"),
        "GET /metrics": {
            "responses": {
                "200": {"description": "Prometheus's text format", "content": {"text/plain": {"schema": TEXT}}}
            }
        },
    }
