"""Smiles and surfaces: what the model says along strikes, and of all expirations."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from apiflask import APIBlueprint
from flask import Response, request
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from options_pricing.models.columns import Columns
from options_pricing.serving.asked import STRICT, Expiration, Root, Underlying, given_once
from options_pricing.serving.problems import RequestProblemError, field_error, fields_refused
from options_pricing.serving.routes.answering import answered
from options_pricing.serving.routes.prices import require_known
from options_pricing.serving.served import Desk, Served

# A grid reaches so many standard deviations at the money to either side of the forward.
REACH = 3.0
MOST_POINTS, USUAL_POINTS = 201, 41
MOST_EXPIRATIONS = 40
TERMS = ("underlying_price", "forward", "discount_factor", "year_fraction")
QUOTED = ("strike", "option_type", "bid", "ask", "mid", "implied_vol")


class AskedSurface(BaseModel):
    """A surface that a client wants to see: how many strikes there are at each expiration."""

    model_config = STRICT

    underlying: Underlying
    points: int = Field(USUAL_POINTS, ge=2, le=MOST_POINTS)


class AskedSmile(AskedSurface):
    """A smile that a client wants to see."""

    expiration: Expiration
    root: Root = None


def blueprint(desk: Desk) -> APIBlueprint:
    """``/smile`` and ``/surface``."""
    routes = APIBlueprint("surfaces", __name__)

    @routes.get("/smile")
    def smile() -> Response:
        asked = _read(AskedSmile)
        served, today = desk.now(), desk.today()
        require_known(served, asked.underlying)
        told = _smile(served, asked)
        return answered(served, today, served.provenance(today) | told, priced=asked.points)

    @routes.get("/surface")
    def surface() -> Response:
        asked = _read(AskedSurface)
        served, today = desk.now(), desk.today()
        require_known(served, asked.underlying)
        told = _surface(served, asked)
        return answered(served, today, served.provenance(today) | told, priced=len(told["columns"]["strike"]))

    return routes


def _read(kind: type[Any]) -> Any:
    fields: dict[str, Any] = given_once(request.args)
    if fields.get("points", "").isascii() and fields.get("points", "").isdigit() and len(fields["points"]) < 10:
        fields["points"] = int(fields["points"])
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise fields_refused(
            [field_error(None, str(e["loc"][0]), e["msg"].removeprefix("Value error, ")) for e in found]
        ) from error


def _smile(served: Served, asked: AskedSmile) -> dict[str, Any]:
    series = (asked.underlying, asked.root, asked.expiration)
    middle = _at_the_money(served, [series])
    if not np.isfinite(middle["price"][0]):
        raise RequestProblemError(422, f"this expiration has no price: {middle['reason'][0]}")
    told = _on_grid(served, [series], middle, asked.points)
    return {
        "underlying": asked.underlying,
        "root": asked.root,
        "expiration": asked.expiration.isoformat(),
        **{name: float(middle[name][0]) for name in TERMS},
        "at_the_money_vol": float(middle["implied_vol"][0]),
        "rows": asked.points,
        "columns": told,
        "quotes": _quotes(served, asked),
    }


def _surface(served: Served, asked: AskedSurface) -> dict[str, Any]:
    listed = served.release.model.listed()
    own = listed[listed["underlying"] == asked.underlying].sort_values("year_fraction", kind="stable")
    # Evenly over time where there are many, the first and the last among them.
    some = np.unique(np.linspace(0, len(own) - 1, min(len(own), MOST_EXPIRATIONS)).round().astype(int))
    series = [(asked.underlying, row["root"] or None, row["expiration"].date()) for _, row in own.iloc[some].iterrows()]
    middle = _at_the_money(served, series)
    known = np.flatnonzero(np.isfinite(middle["price"]))
    series, middle = [series[at] for at in known], {name: values[known] for name, values in middle.items()}
    names = {**{name: name for name in TERMS}, "at_the_money_vol": "implied_vol"}
    expirations = [
        {"root": root, "expiration": at.isoformat()} | {name: float(middle[held][row]) for name, held in names.items()}
        for row, (_, root, at) in enumerate(series)
    ]
    told = _on_grid(served, series, middle, asked.points)
    return {"underlying": asked.underlying, "expirations": expirations, "rows": len(told["strike"]), "columns": told}


def _at_the_money(served: Served, series: list[tuple[str, str | None, date]]) -> dict[str, NDArray[Any]]:
    """What the model says at each forward."""
    # Any strike tells the forward.
    forward = served.columns(_asked(series, np.ones(len(series)), "C"))["forward"]
    known = np.isfinite(forward)
    return served.columns(_asked(series, np.where(known, forward, 1.0), "C"))


def _on_grid(
    served: Served, series: list[tuple[str, str | None, date]], middle: dict[str, NDArray[Any]], points: int
) -> dict[str, Any]:
    """Out-of-the-money options on strikes of equal steps in standard deviations, expiration by expiration."""
    deviation = middle["implied_vol"] * np.sqrt(middle["year_fraction"])
    steps = np.linspace(-REACH, REACH, points)
    strikes = (middle["forward"][:, None] * np.exp(deviation[:, None] * steps)).ravel()
    types = np.where(np.tile(steps, len(series)) >= 0, "C", "P").astype(object)
    asked = _asked([at for at in series for _ in range(points)], strikes, types)
    held = {"expiration": [at.isoformat() for at in asked["expiration"]], "root": asked["root"]}
    return held | {"strike": strikes, "option_type": types} | served.columns(asked)


def _asked(
    series: list[tuple[str, str | None, date]], strikes: NDArray[np.float64], types: NDArray[Any] | str
) -> Columns:
    underlying, root, expiration = (np.array([row[at] for row in series], dtype=object) for at in range(3))
    return Columns(
        {
            "underlying": underlying,
            "root": root,
            "expiration": expiration,
            "strike": strikes,
            "option_type": np.full(len(series), types, dtype=object) if isinstance(types, str) else types,
        }
    )


def _quotes(served: Served, asked: AskedSmile) -> dict[str, Any]:
    """The quotes of this expiration that the model was fitted on."""
    quotes = served.release.model.quotes()
    own = quotes[(quotes["underlying"] == asked.underlying) & (quotes["expiration"] == pd.Timestamp(asked.expiration))]
    if asked.root is not None:
        own = own[own["root"] == asked.root]
    own = own.sort_values(["strike", "option_type"])
    return {"root": own["root"].tolist()} | {name: own[name].tolist() for name in QUOTED}
