"""The chain as a trader reads it: calls, strike, puts; the quotes beside the model's prices."""

import numpy as np
import pandas as pd
import streamlit as st

from options_pricing.serving.app.quoted import knows_all_quotes, quoted
from options_pricing.serving.app.smile_page import UNQUOTED
from options_pricing.serving.app.view import View, nothing, say_with_file, written
from options_pricing.serving.chains import SIDES as SIDES_BY_LETTER
from options_pricing.serving.chains import long_chain, nearest_strikes, two_sided

STRIKES_SHOWN = {"30 near the forward": 30, "100": 100, "All": None}
SIDES = {"Both sides": ("call", "put"), "Calls": ("call",), "Puts": ("put",)}
ROWS_BEFORE_SCROLLING = 32
CAPTION = (
    "Shaded: in the money. Bold: the model's price is outside bid and ask. Error is model less mid in half-spreads, so "
    "−1 to 1 is inside. "
)
UNSEEN = "Grey: quoted, but not what the model was fitted on. Empty: no quote passed validation."
UNKNOWN = "Empty: the model was not fitted on a quote of it; what else was quoted is not known here."


def show(view: View) -> None:
    """Draw the page."""
    quotes = quoted(view, view.chain)
    if quotes.empty or not np.isfinite(view.forward):
        nothing(UNQUOTED)
        return
    controls = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    shown = controls.segmented_control(
        "Strikes", list(STRIKES_SHOWN), default=next(iter(STRIKES_SHOWN)), required=True, key="strikes",
        bind="query-params", width="content",
    )  # fmt: skip
    sides = controls.segmented_control(
        "Sides", list(SIDES), default="Both sides", required=True, key="sides", bind="query-params", width="content"
    )
    beyond = controls.slider(
        "Error at least, half-spreads", 0.0, 5.0, 0.0, 0.25, key="error", bind="query-params", width=240
    )
    strikes = nearest_strikes(quotes, view.forward, STRIKES_SHOWN[str(shown)])
    table = two_sided(view.release.model, view.chain, quotes, strikes)
    table = _chosen(table, SIDES[str(sides)], float(beyond))
    if table.empty:
        nothing("No strike is left by these filters.")
    else:
        _draw_table(table, view, quotes)
    everything = long_chain(view.release.model, view.chain, quotes)
    caption = CAPTION + (UNSEEN if knows_all_quotes(view) else UNKNOWN)
    say_with_file(caption, everything, f"chain_{view.file_name}", key="chain")


def _chosen(table: pd.DataFrame, sides: tuple[str, ...], beyond: float) -> pd.DataFrame:
    kept = [name for name in table.columns if name == "strike" or name.startswith(sides)]
    errors = table[[name for name in kept if name.endswith("error")]].abs().max(axis=1)
    return table.loc[errors.ge(beyond) if beyond > 0 else table.index, kept]


def _draw_table(table: pd.DataFrame, view: View, quotes: pd.DataFrame) -> None:
    styled = table.style.apply(_in_the_money, axis=None, forward=view.forward)
    styled = styled.apply(_not_fitted, axis=None, quotes=quotes, colour=view.colours.quiet)
    styled = styled.apply(_outside_bid_ask, axis=None, colour=view.colours.model)
    styled = styled.format({name: written(_decimals(name)) for name in table.columns}, na_rep="")
    st.dataframe(
        styled,
        hide_index=True,
        height="content" if len(table) <= ROWS_BEFORE_SCROLLING else 760,
        placeholder="",
        row_height=26,
        alt=f"Calls and puts of {view.name} by strike, with bid, ask and the model's price",
    )


def _decimals(name: str) -> int:
    return 3 if name.endswith("delta") else 2


def _in_the_money(table: pd.DataFrame, forward: float) -> pd.DataFrame:
    """Shade calls below the forward and puts above it."""
    styles = pd.DataFrame("", index=table.index, columns=table.columns)
    for side, inside in (("call", table["strike"] < forward), ("put", table["strike"] > forward)):
        styles.loc[inside, [name for name in table.columns if name.startswith(side)]] = "background-color: #8882"
    return styles


def _not_fitted(table: pd.DataFrame, quotes: pd.DataFrame, colour: str) -> pd.DataFrame:
    """Grey quotes that the model was not fitted on."""
    styles = pd.DataFrame("", index=table.index, columns=table.columns)
    for letter, side in SIDES_BY_LETTER:
        unseen = quotes.loc[(quotes["option_type"] == letter) & ~quotes["fitted"], "strike"]
        greyed = [name for name in (f"{side} bid", f"{side} ask", f"{side} error") if name in table]
        styles.loc[table["strike"].isin(unseen), greyed] = f"color: {colour}"
    return styles


def _outside_bid_ask(table: pd.DataFrame, colour: str) -> pd.DataFrame:
    """Mark model prices outside their quote; a comparison with a missing quote is false."""
    styles = pd.DataFrame("", index=table.index, columns=table.columns)
    for side in (side for side in ("call", "put") if f"{side} model" in table):
        price = table[f"{side} model"]
        outside = (price < table[f"{side} bid"]) | (price > table[f"{side} ask"])
        styles.loc[outside, [f"{side} model", f"{side} error"]] = f"color: {colour}; font-weight: bold"
    return styles
