"""Term structures of one underlying: vol at the money, and skew."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from options_pricing.serving.app.look import Colours, framed, line
from options_pricing.serving.app.view import View, draw, draw_with_file
from options_pricing.serving.readings import term_structure

ATM = "The model's vol at each expiration's forward. It is of one close and says nothing of how it will move."
SKEW = (
    "Circles: vol of the put of delta 25 less that of the call. Diamonds: their mean less the vol at the money. Deltas "
    "are on the forward."
)
TICKS = [1, 2, 7, 14, 30, 60, 90, 180, 365, 730, 1825]


def show(view: View) -> None:
    """Draw the page."""
    table = _terms(view.release.model, view.key[0], view.chain.underlying)
    left, right = st.columns(2)
    with left:
        draw(at_the_money(table, view.colours), ATM, key="atm")
    with right:
        name = f"term_structure_{view.chain.underlying}_{view.release.manifest.as_of}"
        draw_with_file(skew(table, view.colours), SKEW, table, name, key="skew")
    shown = table.assign(**{name: 100 * table[name] for name in ("atm_vol", "skew_25", "butterfly_25")})
    st.dataframe(
        shown.rename(columns={"atm_vol": "atm vol %", "skew_25": "skew 25, points", "butterfly_25": "butterfly 25"}),
        hide_index=True,
        height=300,
        row_height=26,
        column_config={
            "expiration": st.column_config.DateColumn(),
            "days": st.column_config.NumberColumn(format="%.1f"),
            "forward": st.column_config.NumberColumn(format="%.2f"),
            "atm vol %": st.column_config.NumberColumn(format="%.2f"),
            "skew 25, points": st.column_config.NumberColumn(format="%.2f"),
            "butterfly 25": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Term structure by expiration",
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _terms(_model: Any, release_id: str, underlying: str) -> pd.DataFrame:
    return term_structure(_model, underlying)


def at_the_money(table: pd.DataFrame, colours: Colours) -> go.Figure:
    """Vol at the money by days to expiry, days on a logarithmic axis."""
    return _by_days([(table, "atm_vol", "vol at the money", colours.model, "circle")], y="implied vol, % a year")


def skew(table: pd.DataFrame, colours: Colours) -> go.Figure:
    """Skew and butterfly of delta 25 by days to expiry."""
    series = [
        (table, "skew_25", "skew: put 25 less call 25", colours.put, "circle"),
        (table, "butterfly_25", "butterfly: their mean less at the money", colours.call, "diamond"),
    ]
    figure = _by_days(series, y="vol points")
    return figure.add_hline(y=0, line={"color": colours.quiet, "width": 1})


def _by_days(series: list[tuple[pd.DataFrame, str, str, str, str]], *, y: str) -> go.Figure:
    figure = go.Figure()
    for table, column, name, colour, symbol in series:
        figure.add_trace(
            go.Scatter(
                x=table["days"],
                y=100 * table[column],
                mode="lines+markers",
                name=name,
                line=line(colour, width=1.6),
                marker={"symbol": symbol, "size": 6},
                text=[f"{at:%Y-%m-%d}" for at in table["expiration"]],
                hovertemplate="%{text}, %{x:.1f} days<br>%{y:.2f}<extra>" + name + "</extra>",
            )
        )
    return by_log_days(framed(figure, x="days to expiry (logarithmic)", y=y, showlegend=True))


def by_log_days(figure: go.Figure) -> go.Figure:
    """Days to expiry on a logarithmic axis, with the ticks that people think in."""
    return figure.update_xaxes(type="log", tickvals=TICKS, ticktext=[*map(str, TICKS)])
