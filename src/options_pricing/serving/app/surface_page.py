"""The model's surface of one underlying, as a relief and as a map."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from options_pricing.serving.app.look import SEQUENTIAL, Colours, framed
from options_pricing.serving.app.view import View, draw, draw_with_file, nothing
from options_pricing.serving.readings import surface_grid

WIDEST, STEPS = 30, 61
RELIEF = (
    "The model's vols as a relief; drag to turn it. Colours as on the map. Between "
    "listed expirations it is drawn straight."
)
MAP = "The same vols as a map, every listed expiration one row. "
BEYOND = {
    "Among quotes": "Empty: beyond the quotes that were fitted.",
    "Everywhere": "Beyond the quotes that were fitted these are the model's own extrapolation.",
}
EYE = {"x": 1.35, "y": -1.9, "z": 0.76}


def show(view: View) -> None:
    """Draw the page."""
    controls = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    width = controls.slider(
        "Moneyness shown, % either side", 5, 60, WIDEST, 5, key="width", bind="query-params", width=260
    )
    where = controls.segmented_control(
        "Where", list(BEYOND), default="Among quotes", required=True, key="where",
        bind="query-params", width="content",
    )  # fmt: skip
    table = _grid(
        view.release.model, view.key[0], view.chain.underlying, int(width), quoted_only=where == "Among quotes"
    )
    if table["implied_vol"].isna().all():
        nothing("The model has no vol here.")
        return
    left, right = st.columns(2)
    with left:
        draw(relief(table), RELIEF, key="relief")
    with right:
        name = f"surface_{view.chain.underlying}_{view.release.manifest.as_of}"
        draw_with_file(heat_map(table, view.colours), MAP + BEYOND[str(where)], table, name, key="map")


@st.cache_data(max_entries=16, show_spinner=False)
def _grid(_model: Any, release_id: str, underlying: str, width: int, *, quoted_only: bool) -> pd.DataFrame:
    moneyness = np.linspace(1 - width / 100, 1 + width / 100, STEPS)
    return surface_grid(_model, underlying, moneyness, quoted_only=quoted_only)


def _squared(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Vols in percent, a row an expiration, and the days of each."""
    days = table.drop_duplicates("expiration").set_index("expiration")["days"]
    vols = table["implied_vol"].to_numpy().reshape(len(days), -1)
    wide = pd.DataFrame(100 * vols, index=days.index, columns=table["moneyness"].to_numpy()[: vols.shape[1]])
    known = wide.notna().any(axis=1)
    return wide[known], days[known]


def relief(table: pd.DataFrame) -> go.Figure:
    """The surface in three dimensions; the days are drawn by their square root, as vol moves."""
    vols, days = _squared(table)
    figure = go.Figure(
        go.Surface(
            x=100 * vols.columns.to_numpy(),
            y=np.sqrt(days.to_numpy()),
            z=vols.to_numpy(),
            customdata=np.repeat(days.to_numpy()[:, None], vols.shape[1], axis=1),
            colorscale=SEQUENTIAL,
            showscale=False,
            lighting={"ambient": 0.85, "diffuse": 0.35, "specular": 0.05},
            contours={"x": {"show": True, "color": "rgba(255,255,255,0.18)", "start": 0, "end": 200, "size": 5}},
            hovertemplate="strike / forward %{x:.1f} %<br>%{customdata:.0f} days<br>vol %{z:.2f} %<extra></extra>",
        )
    )
    ticks = _day_ticks(days)
    figure.update_layout(
        scene={
            "xaxis": {"title": {"text": "strike / forward, %"}},
            "yaxis": {"title": {"text": "days to expiry"}, "tickvals": np.sqrt(ticks), "ticktext": [*map(str, ticks)]},
            "zaxis": {"title": {"text": "vol, %"}},
            "camera": {"eye": EYE, "center": {"x": 0, "y": 0, "z": -0.15}},
            "aspectratio": {"x": 1.1, "y": 1.2, "z": 0.7},
        },
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        height=520,
    )
    return figure


def heat_map(table: pd.DataFrame, colours: Colours) -> go.Figure:
    """The surface as a map: moneyness to the right, expirations upwards."""
    vols, days = _squared(table)
    names = [f"{at:%Y-%m-%d}" for at in vols.index]
    figure = go.Figure(
        go.Heatmap(
            x=100 * vols.columns.to_numpy(),
            y=names,
            z=vols.to_numpy(),
            customdata=np.repeat(days.to_numpy()[:, None], vols.shape[1], axis=1),
            colorscale=SEQUENTIAL,
            colorbar={"title": {"text": "vol, %"}, "thickness": 10},
            hovertemplate="%{x:.1f} % of forward<br>%{y}, %{customdata:.0f} days<br>vol %{z:.2f} %<extra></extra>",
            hoverongaps=False,
        )
    )
    figure.add_vline(x=100, line={"color": colours.quiet, "dash": "dot", "width": 1})
    framed(figure, x="strike / forward, %", y="expiration", height=520, margin={"l": 90, "r": 10, "t": 10, "b": 52})
    return figure.update_yaxes(type="category", showgrid=False)


def _day_ticks(days: pd.Series) -> np.ndarray:
    usual = np.array([1, 7, 30, 90, 180, 365, 730, 1825])
    return usual[(usual >= days.min() - 1) & (usual <= days.max() + 1)]
