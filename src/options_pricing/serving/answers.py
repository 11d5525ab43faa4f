"""What the API and the app say of a release and of the options it prices: one place, so one number."""

from collections.abc import Hashable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from options_pricing.evaluation.intervals import served_intervals
from options_pricing.release.verify import Release
from options_pricing.run.calendar import NEW_YORK

GREEKS = ("delta", "gamma", "vega", "theta", "rho")

BEYOND = "its maturity or moneyness lies beyond the fitted quotes"


def new_york_today() -> date:
    """Today's date at the exchange."""
    return datetime.now(NEW_YORK).date()


def provenance(release: Release, today: date) -> dict[str, Any]:
    """Which release speaks, of which day its data is, how old that is, and whether the market is simulated."""
    manifest = release.manifest
    as_of = datetime.strptime(manifest.as_of, "%Y%m%d").date()
    age = (today - as_of).days
    return {
        "release_id": manifest.release_id,
        "model_sha256": release.model_sha256,
        "model": manifest.model,
        "as_of": manifest.as_of,
        "data_age_days": age,
        "simulated": manifest.simulated,
        "note": ("SIMULATED market; " if manifest.simulated else "")
        + f"prices as of the close of {as_of}, {age_text(age)}",
    }


def age_text(days: int) -> str:
    """An age in calendar days as a person says it."""
    if days == 0:
        return "today"
    count = f"{abs(days)} day{'s' if abs(days) > 1 else ''}"
    return f"{count} ago" if days > 0 else f"{count} ahead of this machine's clock"


def answers(release: Release, asked: pd.DataFrame) -> list[dict[str, Any]]:
    """Price options and tell each as a mapping fit for JSON: a number that is not finite is None.

    ``interval`` is where the next day's mid should lie nine times in ten (``nominal``), the forward being what it is
    now, calibrated on ``days`` days that the model had not seen; None where the card has none.

    Parameters
    ----------
    release : Release
    asked : DataFrame
        Columns underlying, expiration, strike, option_type and perhaps root.
    """
    priced = release.model.price_options(asked)
    told = pd.concat([asked.reset_index(drop=True), priced.reset_index(drop=True)], axis=1)
    calibrated = price_intervals(release)
    if calibrated is None:
        return [_answer(row, None) for row in told.to_dict("records")]
    ends = served_intervals(told, calibrated["half_widths"])
    known = {name: calibrated[name] for name in ("nominal", "days")}
    return [
        _answer(row, _interval(known, low, high))
        for row, low, high in zip(told.to_dict("records"), ends["price_low"], ends["price_high"], strict=True)
    ]


def price_intervals(release: Release) -> dict[str, Any] | None:
    """What the model card says of price intervals; None where it was trained on too few days for any."""
    calibrated = release.card.get("out_of_sample", {}).get("price_intervals") or {}
    return calibrated if calibrated.get("half_widths") else None


def _interval(known: dict[str, Any], low: float, high: float) -> dict[str, Any] | None:
    return (
        known | {"low": float(max(low, 0.0)), "high": float(high)} if np.isfinite(low) and np.isfinite(high) else None
    )


def _answer(row: Mapping[Hashable, Any], interval: dict[str, Any] | None) -> dict[str, Any]:
    extrapolated = bool(row["extrapolated"])
    return {
        "underlying": row["underlying"],
        "root": row["root"] if isinstance(row.get("root"), str) else None,
        "expiration": f"{row['expiration']:%Y-%m-%d}",
        "strike": row["strike"],
        "option_type": row["option_type"],
        "price": _number(row["predicted_price"]),
        "implied_vol": _number(row["predicted_implied_vol"]),
        "interval": interval,
        "greeks": {greek: _number(row[greek]) for greek in GREEKS},
        "forward": _number(row["forward"]),
        "discount_factor": _number(row["discount_factor"]),
        "year_fraction": _number(row["year_fraction"]),
        "exercise_style": row["exercise_style"] or None,
        "extrapolated": extrapolated,
        "reason": row["reason"] or (BEYOND if extrapolated else ""),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
