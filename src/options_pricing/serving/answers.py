"""What the API and the app say of a release and of the options it prices: one place, so one number."""

from collections.abc import Hashable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.evaluation.intervals import interval_ends, served_intervals
from options_pricing.models.columns import Columns
from options_pricing.release.verify import Release
from options_pricing.run.calendar import NEW_YORK

GREEKS = ("delta", "gamma", "vega", "theta", "rho")

BEYOND = "its maturity or moneyness lies beyond the fitted quotes"
UNLISTED = "no listed option expires then"
# By whether it is extrapolated, and listed.
REMARKS = {
    (False, True): "",
    (False, False): UNLISTED,
    (True, True): BEYOND,
    (True, False): f"{UNLISTED}, and {BEYOND}",
}


def new_york_today() -> date:
    """Today's date at the exchange."""
    return datetime.now(NEW_YORK).date()


def data_age_days(release: Release, today: date) -> int:
    """How many calendar days ago the day of the release's data was."""
    return (today - _day_of(release.manifest.as_of)).days


@cache
def _day_of(as_of: str) -> date:
    return datetime.strptime(as_of, "%Y%m%d").date()


def provenance(release: Release, today: date) -> dict[str, Any]:
    """Which release speaks, of which day its data is, how old that is, and whether the market is simulated."""
    manifest = release.manifest
    as_of, age = _day_of(manifest.as_of), data_age_days(release, today)
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
    now, calibrated on the last ``days`` days, none of which the model had seen; None where the card has none.

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
        "root": row["series_root"] or None,
        "expiration": row["expiration"].isoformat()[:10],
        "strike": row["strike"],
        "option_type": row["option_type"],
        "price": _number(row["predicted_price"]),
        "implied_vol": _number(row["predicted_implied_vol"]),
        "interval": interval,
        "greeks": {greek: _number(row[greek]) for greek in GREEKS},
        "underlying_price": _number(row["spot"]),
        "forward": _number(row["forward"]),
        "discount_factor": _number(row["discount_factor"]),
        "year_fraction": _number(row["year_fraction"]),
        "exercise_style": row["exercise_style"] or None,
        "listed": bool(row["listed"]),
        "extrapolated": extrapolated,
        "reason": row["reason"] or REMARKS[extrapolated, bool(row["listed"])],
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def answers_of_columns(release: Release, asked: Columns, priced: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """What `answers` says, of options that a `Pricer` has priced."""
    low, high = _ends(release, asked, priced)
    known = {name: (price_intervals(release) or {}).get(name) for name in ("nominal", "days")}
    names = [*asked.held, *priced]
    rows = zip(*(values.tolist() for values in (*asked.held.values(), *priced.values())), strict=True)
    return [
        _answer(dict(zip(names, row, strict=True)), _interval(known, *ends))
        for row, ends in zip(rows, zip(low.tolist(), high.tolist(), strict=True), strict=True)
    ]


def columns_told(release: Release, asked: Columns, priced: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What `answers` says, column by column: the same numbers, NaN where one is None, the interval as its two ends."""
    low, high = _ends(release, asked, priced)
    reason = priced["reason"]
    for (extrapolated, listed), remark in REMARKS.items():
        of_this = (priced["extrapolated"] == extrapolated) & (priced["listed"] == listed)
        if remark and of_this.any():
            reason = np.where((reason == "") & of_this, remark, reason)
    return {
        "price": priced["predicted_price"],
        "implied_vol": priced["predicted_implied_vol"],
        "interval_low": np.maximum(low, 0.0),
        "interval_high": high,
        **{name: priced[name] for name in GREEKS},
        "underlying_price": priced["spot"],
        **{name: priced[name] for name in ("forward", "discount_factor", "year_fraction")},
        **{name: priced[name] for name in ("exercise_style", "listed", "extrapolated")},
        "reason": reason,
    }


def _ends(
    release: Release, asked: Columns, priced: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of each interval; NaN where either is not finite or the card has none."""
    calibrated = price_intervals(release)
    if calibrated is None:
        return np.full(len(asked), np.nan), np.full(len(asked), np.nan)
    ends = interval_ends(Columns({**asked.held, **priced}), calibrated["half_widths"])
    low, high = ends["price_low"], ends["price_high"]
    known = np.isfinite(low) & np.isfinite(high)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)
