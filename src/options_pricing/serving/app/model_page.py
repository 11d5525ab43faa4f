"""The model card: what the released model is made of, what is known of it, and its fingerprints."""

from typing import Any

import pandas as pd
import streamlit as st

from options_pricing.serving.app.view import View, iso, metrics, plain, with_minus

# What the names in a model card mean; one that is not here is shown as it stands.
WORDS = {
    "days": "days it was trained on",
    "fitted_quotes": "quotes it was fitted on, of the last day",
    "in_sample_iv_rmse_vol_points": "vol error on those quotes (RMSE), points",
    "in_sample_mae_price": "mean size of the price error on them",
    "moves": "moves from day to day that it learned from",
    "belief_in_response": "how far it believes those moves, 0 to 1",
    "without_arbitrage": "its surface of the last day is free of arbitrage",
    "seed": "seed of its random numbers",
    "min_days_to_expiry": "shortest maturity fitted, days",
    "max_days_to_expiry": "longest maturity fitted, days",
    "r2_price": "R² of prices",
    "r2_implied_vol_vs_random_walk": "R² of vols against yesterday's surface",
    "iv_rmse_vol_points": "vol error (RMSE), points",
    "iv_bias_vol_points": "vol bias, points",
    "mae_price": "mean size of the price error",
    "median_error_half_spreads": "median error, half-spreads",
    "inside_bid_ask": "share inside bid and ask",
    "coverage": "share of quotes that it has a price for",
}


def show(view: View) -> None:
    """Draw the page."""
    release = view.release
    card = release.card
    metrics(
        {
            "Model": str(card["model"]),
            "Days trained on": f"{len(card['days'])}",
            "Rows": f"{card.get('rows', 0):,}",
            "Underlyings": f"{len(card.get('underlyings', []))}",
        }
    )
    left, right = st.columns(2)
    left.subheader("Training", anchor=False)
    told = {name: card.get(name, []) for name in ("sources", "underlyings")}
    told["days"] = [iso(day) for day in card["days"]]
    _named_values(left, told | card.get("training_metrics", {}) | card.get("hyperparameters", {}))
    right.subheader("Days it had not seen", anchor=False)
    _named_values(right, _unseen(card.get("out_of_sample", {})))
    right.subheader("Limits", anchor=False)
    right.markdown("\n".join(f"- {plain(limit)}" for limit in card.get("limits", [])) or "None are stated.")
    right.subheader("Made with", anchor=False)
    _named_values(right, card["versions"])
    st.subheader("Fingerprints (SHA-256)", anchor=False)
    # Not in a table, whose cells cut a word of this length.
    lines = [f"{sha256}  {name}" for name, sha256 in release.manifest.files.items()]
    st.code("\n".join(lines), language=None, wrap_lines=True)


def _unseen(told: dict[str, Any]) -> dict[str, str]:
    """Figures of a model card on unseen days, each with its interval."""
    if "figures" not in told:
        return {"figures": told.get("not_possible", "none are stated")}
    return {name: _interval(figure) for name, figure in told["figures"].items()}


def _interval(figure: dict[str, Any]) -> str:
    value, low, high = (_text(figure[name]) for name in ("value", "low", "high"))
    return value if figure["low"] is None else f"{value} ({low} to {high})"


def _named_values(place: Any, held: dict[str, Any]) -> None:
    names = [WORDS.get(name, name.replace("_", " ")) for name in held]
    table = pd.DataFrame({"value": [plain(_text(value)) for value in held.values()]}, index=names)
    place.table(table, hide_header=True)


def _text(value: Any) -> str:
    """A value of a card as a person reads it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(held)}" for name, held in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return with_minus(f"{value:.4g}") if isinstance(value, float) else str(value)
