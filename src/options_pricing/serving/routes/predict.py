"""The first contract that this project had: a price from a vol, a moneyness and a vol time, by Black's formula."""

from typing import Any

import numpy as np
from apiflask import APIBlueprint
from flask import Response

from options_pricing.pricing.black import price_and_greeks
from options_pricing.serving.answers import GREEKS
from options_pricing.serving.asked import DECIMAL
from options_pricing.serving.problems import field_error, fields_refused
from options_pricing.serving.routes.answering import answered
from options_pricing.serving.served import Desk

RANGES = {"implied_vol": (0.1, 2.0), "moneyness": (0.5, 2.0), "vol_time": (0.0, 0.5)}
SAYS = (
    "Black (1976) at the vol that was given, per unit of the forward and undiscounted; this is arithmetic on the three "
    "numbers, not a prediction of the released model. GET /price asks the model"
)


def blueprint(desk: Desk) -> APIBlueprint:
    """``/predict/<implied_vol>/<moneyness>/<vol_time>``."""
    routes = APIBlueprint("predict", __name__)

    @routes.get("/predict/<implied_vol>/<moneyness>/<vol_time>")
    def predict(implied_vol: str, moneyness: str, vol_time: str) -> Response:
        given = _read({"implied_vol": implied_vol, "moneyness": moneyness, "vol_time": vol_time})
        served, today = desk.now(), desk.today()
        return answered(served, today, served.provenance(today) | _priced(**given), priced=2)

    return routes


def _read(given: dict[str, str]) -> dict[str, float]:
    """Three numbers within their ranges; a problem 422 that names each one that is not."""
    wrong = []
    for name, text in given.items():
        low, high = RANGES[name]
        if not DECIMAL.fullmatch(text) or not low <= float(text) <= high:
            wrong.append(field_error(None, name, f"must be a decimal number from {low} to {high}"))
    if wrong:
        raise fields_refused(wrong)
    return {name: float(text) for name, text in given.items()}


def _priced(implied_vol: float, moneyness: float, vol_time: float) -> dict[str, Any]:
    """Call and put struck at `moneyness` on a forward of 1, over the time in which the vol adds up to `vol_time`."""
    years = (vol_time / implied_vol) ** 2
    found = price_and_greeks(1.0, moneyness, years, 1.0, implied_vol, ["C", "P"])._asdict()
    if years == 0 and moneyness == 1:  # Delta jumps there: what stands for gamma is no number of anything.
        found["gamma"] = np.full(2, np.nan)
    sides = ({name: float(values[side]) for name, values in found.items()} for side in (0, 1))
    call, put = ({"price": side["price"], "greeks": {name: side[name] for name in GREEKS}} for side in sides)
    return {
        "model": "black_1976",
        "uses_release": False,
        "says": SAYS,
        "implied_vol": implied_vol,
        "moneyness": moneyness,
        "vol_time": vol_time,
        "year_fraction": years,
        "price": call["price"],
        "call": call,
        "put": put,
        "interval": None,
        "extrapolated": False,
    }
