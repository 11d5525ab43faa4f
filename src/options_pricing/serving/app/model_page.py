"""The model card: what the released model is made of, what is known of it, and its fingerprints."""

from typing import Any

import pandas as pd
import streamlit as st

from options_pricing.serving.app.view import View, metrics, plain


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
    told = {name: card.get(name, []) for name in ("sources", "underlyings", "days")}
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
    table = pd.DataFrame({"value": [_text(value) for value in held.values()]}, index=list(held))
    place.table(table, hide_header=True)


def _text(value: Any) -> str:
    """A value of a card as a person reads it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(held)}" for name, held in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
