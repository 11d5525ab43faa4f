"""How far the model is off, by moneyness and maturity: on days it had not seen, and on the quotes it was fitted on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.colors import hex_to_rgb

from options_pricing.evaluation.buckets import BUCKET, MATURITY, SMILE, with_buckets
from options_pricing.run.errors import TaskError
from options_pricing.serving.app.look import SEQUENTIAL, Colours, framed, readable_on
from options_pricing.serving.app.view import View, draw_with_file, iso, nothing, plain, with_minus
from options_pricing.serving.beside import Evaluation, evaluation_of, release_of_model
from options_pricing.serving.chains import all_quotes

UNSEEN, FITTED = "Days it had not seen", "Quotes it was fitted on"


@dataclass(frozen=True)
class Measure:
    """A column of the table by bucket, and how its cells are written."""

    column: str
    signed: bool
    digits: str


MEASURES = {
    "Median error, half-spreads": Measure("median_error_half_spreads", False, ".2f"),
    "Vol error (RMSE), points": Measure("iv_rmse_vol_points", False, ".2f"),
    "Vol bias, points": Measure("iv_bias_vol_points", True, "+.2f"),
    "Share inside bid and ask": Measure("inside_bid_ask", False, ".0%"),
}


def show(view: View) -> None:
    """Draw the page."""
    controls = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    chosen = controls.segmented_control(
        "Measure", list(MEASURES), default=next(iter(MEASURES)), required=True, key="measure", bind="query-params",
        width="content",
    )  # fmt: skip
    source = controls.segmented_control(
        "Of", [UNSEEN, FITTED], default=UNSEEN, required=True, key="of", bind="query-params", width="content"
    )
    if source == UNSEEN:
        table, caption, another = _unseen(view)
        if another:
            st.warning(another, icon=":material/warning:")
    else:
        table, caption = _fitted(view.release.model, view.key[0], view.chain.underlying)
        caption = f"{view.chain.underlying}, {caption}"
    if table.empty:
        nothing(caption)
        return
    name = f"errors_{view.release.manifest.model}_{view.release.manifest.as_of}"
    draw_with_file(error_map(table, str(chosen), view.colours), caption, table, name, key="errors")


def of_one_underlying() -> bool:
    """Whether the page shows one underlying, not all of them."""
    return st.session_state.get("of", st.query_params.get("of")) == FITTED


def _unseen(view: View) -> tuple[pd.DataFrame, str, str]:
    """The evaluation by bucket, what it is, and what must be said first where it is not of this release."""
    manifest = view.release.manifest
    if view.checkout is None:
        words = "The evaluation is in reports/ of a checkout; the app was started on a release alone."
        return pd.DataFrame(), words, ""
    try:
        found = evaluation_of(view.checkout)
    except TaskError as error:
        return pd.DataFrame(), plain(f"{error.what}: {error.why}. To have it: {error.fix}"), ""
    table = found.by_bucket[found.by_bucket["model"] == manifest.model]
    days = f"{len(found.days)} days, {iso(found.days[0])} to {iso(found.days[-1])}"
    caption = (
        f"{plain(manifest.model)} fitted on the days before and asked for the next: {days}; all underlyings; "
        "moneyness is the delta at the market's vol. Cells of few quotes say little; point at one for its count."
    )
    another = _of_another(view, view.checkout, found)
    return (
        table.drop(columns="model"),
        caption if len(table) else f"{manifest.model} is not in the evaluation.",
        another,
    )


def _of_another(view: View, checkout: Path, found: Evaluation) -> str:
    """That an evaluation is not of this release's model, and of which it is; empty where it is."""
    release = view.release
    if found.model_sha256 == release.model_sha256:
        return ""
    of = release_of_model(checkout, found.model_sha256) if found.model_sha256 else None
    whose = f"release {plain(of)}" if of else "another model" if found.model_sha256 else "a model that it does not name"
    manifest = release.manifest
    return (
        f"**Not the errors of this release.** The evaluation is of {whose} and ends on {iso(found.days[-1])}; this "
        f"release, {manifest.release_id}, is as of {iso(manifest.as_of)}."
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _fitted(_model: Any, release_id: str, underlying: str) -> tuple[pd.DataFrame, str]:
    quotes = all_quotes(_model, underlying)
    placed = with_buckets(quotes, quotes["implied_vol"].to_numpy(dtype=float))
    apart = 100 * (placed["predicted_implied_vol"] - placed["implied_vol"])
    inside = placed["predicted_price"].between(placed["bid"], placed["ask"])
    placed = placed.assign(apart=apart, squared=apart**2, size=placed["error_half_spreads"].abs(), inside=inside)
    by = placed.groupby(BUCKET, observed=True)
    table = pd.DataFrame(
        {
            "quotes": by.size(),
            "iv_rmse_vol_points": np.sqrt(by["squared"].mean()),
            "iv_bias_vol_points": by["apart"].mean(),
            "median_error_half_spreads": by["size"].median(),
            "inside_bid_ask": by["inside"].mean(),
        }
    ).reset_index()
    caption = (
        "the last day's quotes, which the model was fitted on: how close the fit is, not how well it forecasts. "
        "Moneyness is the delta at the market's vol."
    )
    return table.astype(dict.fromkeys(BUCKET, str)), caption


def error_map(table: pd.DataFrame, chosen: str, colours: Colours) -> go.Figure:
    """One measure by place in the smile and maturity, the value written in each cell."""
    measure = MEASURES[chosen]
    places = [place for place in SMILE if place in set(table["delta_bucket"])]
    times = [time for time in MATURITY.values() if time in set(table["maturity_bucket"])]
    cells = table.set_index(BUCKET)[[measure.column, "quotes"]].astype(float)
    asked = pd.MultiIndex.from_product([places, times], names=BUCKET)
    shape = len(places), len(times)
    values, counts = (cells[name].reindex(asked).to_numpy().reshape(shape).T for name in (measure.column, "quotes"))
    scale: dict[str, Any] = {"colorscale": SEQUENTIAL, "zmin": 0.0, "zmax": float(np.nanmax(values))}
    if measure.signed:
        reach = float(np.nanmax(np.abs(values)))
        steps = [f"rgb{hex_to_rgb(colour)}" for colour in colours.signed]
        scale = {"colorscale": steps, "zmin": -reach, "zmax": reach}
    figure = go.Figure(
        go.Heatmap(
            x=places,
            y=times,
            z=values,
            customdata=counts,
            hovertemplate="%{x}, %{y}<br>%{z:" + measure.digits + "}<br>%{customdata:,.0f} quotes<extra></extra>",
            xgap=2,
            ygap=2,
            colorbar={"thickness": 10},
            hoverongaps=False,
            **scale,
        )
    )
    for (down, across), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = readable_on(scale["colorscale"], _share(value, scale["zmin"], scale["zmax"]))
            text = with_minus(f"{value:{measure.digits}}")
            figure.add_annotation(x=places[across], y=times[down], text=text, showarrow=False, font_color=colour)
    framed(figure, x="place in the smile: delta, in hundredths", y="days to expiry", height=360,
           margin={"l": 110, "r": 10, "t": 10, "b": 52})  # fmt: skip
    return figure.update_xaxes(showgrid=False).update_yaxes(showgrid=False, autorange="reversed")


def _share(value: float, low: float, high: float) -> float:
    """How far a value is from low to high."""
    return (value - low) / (high - low) if high > low else 0.0
