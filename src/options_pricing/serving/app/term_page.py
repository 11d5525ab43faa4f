"""Term structures of one underlying: vol at the money, and skew."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from pandas.io.formats.style import Styler

from options_pricing.serving.app.look import Colours, add_terms, framed, line
from options_pricing.serving.app.view import View, draw, say_with_file, written
from options_pricing.serving.readings import term_structure

ATM = (
    "The model's vol at each expiration's forward. It is of one close and says nothing of how it will move. Hollow and "
    "dotted: beyond the maturities that it was fitted on, so carried on from the nearest."
)
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
        draw(skew(table, view.colours), SKEW, key="skew")
    st.dataframe(
        in_words(table),
        hide_index=True,
        height="content",
        row_height=26,
        alt="Term structure by expiration",
    )
    name = f"term_structure_{view.chain.underlying}_{view.release.manifest.as_of}"
    say_with_file("The file has every digit, and vols as decimals.", table, name, key="skew")


@st.cache_data(max_entries=16, show_spinner=False)
def _terms(_model: Any, release_id: str, underlying: str) -> pd.DataFrame:
    return term_structure(_model, underlying)


def in_words(table: pd.DataFrame) -> Styler:
    """The term structure as a person reads it: vols in percent and points, and where it is the model's own guess."""
    shown = pd.DataFrame(
        {
            "expiration": table["expiration"],
            "root": table["root"],
            "days": table["days"],
            "forward": table["forward"],
            "vol at the money, %": 100 * table["atm_vol"],
            "skew 25, points": 100 * table["skew_25"],
            "butterfly 25, points": 100 * table["butterfly_25"],
            "beyond the quotes": np.where(table["extrapolated"], "yes", ""),
        }
    )
    digits = {name: 1 if name == "days" else 2 for name in shown.select_dtypes("number")}
    days = {"expiration": "{:%Y-%m-%d}"}
    return shown.style.format(days | {name: written(decimals) for name, decimals in digits.items()}, na_rep="")


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
        add_terms(
            figure,
            table["days"],
            100 * table[column],
            table["extrapolated"],
            name=name,
            style=line(colour, width=1.6),
            symbol=symbol,
            text=[f"{at:%Y-%m-%d}" for at in table["expiration"]],
            hovertemplate="%{text}, %{x:.1f} days<br>%{y:.2f}<extra>" + name + "</extra>",
        )
    return by_log_days(framed(figure, x="days to expiry (logarithmic)", y=y, showlegend=True))


def by_log_days(figure: go.Figure) -> go.Figure:
    """Days to expiry on a logarithmic axis, with the ticks that people think in."""
    return figure.update_xaxes(type="log", tickvals=TICKS, ticktext=[*map(str, TICKS)])
