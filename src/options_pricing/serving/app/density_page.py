"""What the prices of one chain say of where the underlying will be."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from options_pricing.serving.app.look import Colours, framed, line
from options_pricing.serving.app.view import View, draw_with_file, metrics, nothing, percent
from options_pricing.serving.chains import Chain
from options_pricing.serving.readings import chain_density, density_figures

# Of the lognormal density's height: the first look is as wide as it is above a two-thousandth of that, and at most
# four times as high.
LEAST_SHOWN, HIGHEST_SHOWN = 2000.0, 4.0
# What rounding leaves of a density that is nowhere negative.
NEGLIGIBLE = 5e-5
CAPTION = (
    "Second derivative of the model's prices by strike: risk-neutral, so what options cost, not what is likely. "
    "Shaded: beyond the quotes. Dashed: lognormal with the forward's vol."
)


def show(view: View) -> None:
    """Draw the page."""
    table = _density(view.release.model, view.key, view.chain, view.listed) if np.isfinite(view.forward) else None
    if table is None or table.empty or table["density"].isna().all():
        nothing("The model has no vol at the forward of this expiration.")
        return
    told = density_figures(table)
    level = st.slider(
        "A level, % of the forward", 50.0, 150.0, 100.0, 0.5, key="level", bind="query-params", format="%.1f %%",
        width=420,
    )  # fmt: skip
    at = view.forward * float(level) / 100
    below = float(np.interp(at, table["price"], table["probability_below"]))
    metrics(
        {
            f"Ends below {at:,.2f}": percent(below),
            "5 % lie below": f"{told['low']:,.2f}",
            "Half lie below": f"{told['middle']:,.2f}",
            "95 % lie below": f"{told['high']:,.2f}",
            "Negative mass (arbitrage)": percent(told["negative"]),
        }
    )
    quoted = (float(view.quotes["strike"].min()), float(view.quotes["strike"].max())) if len(view.quotes) else None
    figure = density_chart(table, view.forward, at, quoted, view.colours)
    caption = " ".join([CAPTION, _of_negative(told["negative"]), *_of_spikes(table)])
    draw_with_file(figure, caption, table, f"density_{view.file_name}", key="density")


@st.cache_data(max_entries=64, show_spinner=False)
def _density(_model: Any, key: tuple[str, ...], _chain: Chain, _listed: pd.Series) -> pd.DataFrame:
    return chain_density(_model, _chain, _listed)


def density_chart(
    table: pd.DataFrame, forward: float, level: float, quoted: tuple[float, float] | None, colours: Colours
) -> go.Figure:
    """The density over prices at the expiry, beside the lognormal one; what lies beyond the quotes is shaded."""
    hover = "%{x:,.2f}<br>%{y:.4g}<extra>%{fullData.name}</extra>"
    figure = go.Figure(
        [
            go.Scatter(x=table["price"], y=table["density"], name="model", line=line(colours.model),
                       hovertemplate=hover),
            go.Scatter(x=table["price"], y=table["lognormal"], name="lognormal", line=line(colours.quiet, dash="dash"),
                       hovertemplate=hover),
        ]
    )  # fmt: skip
    low, high = (float(table["price"].iloc[place]) for place in (0, -1))
    for start, end in [(low, quoted[0]), (quoted[1], high)] if quoted else []:
        if start < end:
            figure.add_vrect(x0=start, x1=end, fillcolor=colours.band, line_width=0, layer="below")
    figure.add_vline(x=forward, line={"color": colours.quiet, "dash": "dot", "width": 1})
    figure.add_vline(x=level, line={"color": colours.call, "width": 1.5})
    framed(figure, x="price of the underlying at the expiry", y="density per unit of price", height=420)
    across, upwards = _first_look(table)
    return figure.update_xaxes(range=across).update_yaxes(range=upwards)


def _of_negative(mass: float) -> str:
    """What the negative mass means."""
    if mass < NEGLIGIBLE:
        return "No part of it is negative: no butterfly of these prices costs less than nothing."
    return f"{percent(mass)} of it is negative: there the model's own prices allow arbitrage."


def _of_spikes(table: pd.DataFrame) -> list[str]:
    """That the chart does not show all of the density, where it does not."""
    (first, last), (_, top) = _first_look(table)
    highest = float(table.loc[table["price"].between(first, last), "density"].max())
    if highest <= top:
        return []
    return [
        f"Cut off above {top:.2g}: the highest spike reaches {highest:.2g}; a double click shows it. Spikes, with next "
        "to nothing between them, stand at strikes where the fitted smile bends; the market does not name such levels."
    ]


def _first_look(table: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Where the lognormal density is more than nothing, and as high as the model's is there, within reason.

    A model whose wings allow arbitrage may have spikes there, which must not flatten the rest.
    """
    highest = float(table["lognormal"].max())
    seen = table[table["lognormal"] > highest / LEAST_SHOWN]
    top = 1.1 * min(max(float(seen["density"].max()), highest), HIGHEST_SHOWN * highest)
    bottom = max(min(1.1 * float(seen["density"].min()), 0.0), -top / 2)
    return [float(seen["price"].iloc[0]), float(seen["price"].iloc[-1])], [bottom, top]
