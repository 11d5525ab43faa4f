"""Two releases, or two days of the market, side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from options_pricing.release.manifest import MANIFEST_FILE
from options_pricing.release.verify import Release, load_release, read_manifest
from options_pricing.run.errors import TaskError
from options_pricing.serving import beside
from options_pricing.serving.app.look import Colours, add_terms, framed, line
from options_pricing.serving.app.term_page import by_log_days
from options_pricing.serving.app.view import View, draw, draw_with_file, iso, nothing, plain, say_error
from options_pricing.serving.readings import surface_grid, term_structure

RELEASES, DAYS = "Two releases", "Two days"
STEPS, REACH = 61, 0.25
VOL, HOVER = "implied vol, % a year", "%{x:,.1f}<br>%{y:.2f} %<extra>%{fullData.name}</extra>"
ALONE = "Other releases and days are in a checkout; the app was started on a release alone."
OF_RELEASES = (
    "This expiration's smile by both models, as far as the quotes each was fitted on. It says not which is better."
)
OF_DAYS = (
    "Market vols of this expiration's quotes out of the money at both closes, over moneyness: the market moved here, "
    "not the model."
)
OF_TERMS = (
    "Vol at the money by expiration, in both releases: those that both list. Hollow and dotted: beyond the maturities "
    "that the release was fitted on."
)


def show(view: View) -> None:
    """Draw the page."""
    if view.checkout is None:
        nothing(ALONE)
        return
    left, right, _ = st.columns([1, 1, 2])
    what = left.segmented_control(
        "Compare", [RELEASES, DAYS], default=RELEASES, required=True, key="compare", bind="query-params"
    )
    try:
        (_releases if what == RELEASES else _days)(view, view.checkout, right)
    except TaskError as error:
        say_error(error)


def _releases(view: View, checkout: Path, place: Any) -> None:
    known = beside.other_releases(checkout, view.release.manifest.release_id)
    if not known:
        nothing("The checkout keeps no other release.")
        return
    other = place.selectbox("With release", list(known), key="with", bind="query-params")
    if not other:
        return
    release = _other(str(known[other]), read_manifest(known[other] / MANIFEST_FILE).release_id)
    told = release.manifest
    st.caption(f"Release {told.release_id}: model {plain(told.model)}, as of {iso(told.as_of)}"
               + (", SIMULATED market" if told.simulated else ""))  # fmt: skip
    if view.chain.underlying not in set(release.model.listed()["underlying"]):
        nothing(f"That release has no options on {view.chain.underlying}.")
        return
    smiles = _both_smiles(view, release)
    left, right = st.columns(2)
    names = (f"this: {view.release.manifest.release_id}", f"other: {told.release_id}")
    with left:
        draw(two_lines(smiles, names, view.colours), OF_RELEASES, key="releases")
    terms = _both_terms(view, release)
    with right:
        figure = two_terms(terms, names, view.colours)
        name = f"compared_{view.release.manifest.release_id}_{told.release_id}"
        draw_with_file(figure, OF_TERMS, terms, name, key="terms of both")


@st.cache_resource(max_entries=3, show_spinner="Checking and loading the other release")
def _other(folder: str, release_id: str) -> Release:
    return load_release(Path(folder))


def _both_smiles(view: View, other: Release) -> pd.DataFrame:
    """Vols of both releases over strike / forward in percent, for the chain's expiration."""
    moneyness = np.linspace(1 - REACH, 1 + REACH, STEPS)
    table = pd.DataFrame({"moneyness": 100 * moneyness})
    for name, release in (("this", view.release), ("other", other)):
        grid = surface_grid(release.model, view.chain.underlying, moneyness, quoted_only=True)
        own = grid[grid["expiration"] == view.chain.expiration]
        table[name] = own["implied_vol"].to_numpy() if len(own) else np.nan
    return table


def _both_terms(view: View, other: Release) -> pd.DataFrame:
    """Vol at the money of both releases at the expirations that both list; days as this release counts them."""
    key, underlying = ["expiration", "root"], view.chain.underlying
    these, those = (
        term_structure(release.model, underlying)
        .fillna({"root": ""})
        .rename(columns={"atm_vol": name, "extrapolated": f"{name}_extrapolated"})
        for name, release in (("this", view.release), ("other", other))
    )
    return these[[*key, "days", "this", "this_extrapolated"]].merge(
        those[[*key, "other", "other_extrapolated"]], on=key
    )


def two_lines(table: pd.DataFrame, names: tuple[str, str], colours: Colours) -> go.Figure:
    """Two smiles, `this` and `other`, one full and one dashed."""
    figure = go.Figure()
    for column, name, style in _both(names, colours):
        figure.add_trace(
            go.Scatter(x=table["moneyness"], y=100 * table[column], name=name, line=style, mode="lines",
                       hovertemplate=HOVER)
        )  # fmt: skip
    return framed(figure, x="strike / forward, %", y=VOL)


def two_terms(table: pd.DataFrame, names: tuple[str, str], colours: Colours) -> go.Figure:
    """Two term structures, `this` and `other`; each is dotted beyond the maturities that it was fitted on."""
    figure = go.Figure()
    for (column, name, style), symbol in zip(_both(names, colours), ("circle", "diamond"), strict=True):
        beyond = table[f"{column}_extrapolated"]
        add_terms(figure, table["days"], 100 * table[column], beyond, name=name, style=style, symbol=symbol,
                  hovertemplate=HOVER)  # fmt: skip
    return by_log_days(framed(figure, x="days to expiry (logarithmic)", y=VOL))


def _both(names: tuple[str, str], colours: Colours) -> list[tuple[str, str, dict[str, Any]]]:
    return [("this", names[0], line(colours.model)), ("other", names[1], line(colours.call, dash="dash"))]


def _days(view: View, checkout: Path, place: Any) -> None:
    as_of = view.release.manifest.as_of
    days = [day for day in beside.days_of(checkout, beside.DAY_FEATURES) if day != as_of]
    if not days:
        nothing("The checkout has features of no other day.")
        return
    before = next((i for i, day in enumerate(days) if day < as_of), 0)
    other = str(place.selectbox("With day", days, before, format_func=iso, key="day", bind="query-params"))
    reach = view.release.model.model.days_to_expiry
    quotes = _day_quotes(str(checkout), other, reach, beside.stamps(checkout / beside.DAY_FEATURES.format(day=other)))
    chain = view.chain
    own = quotes[(quotes["underlying"] == chain.underlying) & (quotes["expiration"] == chain.expiration)]
    own = own if chain.root is None else own[own["root"] == chain.root]
    if own.empty:
        nothing(f"{view.name} has no fitted quotes on {iso(other)}.")
        return
    forward = float(own["forward"].iloc[0])
    st.caption(f"Forward {view.forward:,.2f} on {iso(as_of)}, {forward:,.2f} on {iso(other)}: "
               f"{100 * (view.forward / forward - 1):+.2f} % from there to here.")  # fmt: skip
    figure = two_days(view.quotes, own, (iso(as_of), iso(other)), view.colours)
    columns = ["expiration", "strike", "option_type", "bid", "ask", "mid", "forward", "implied_vol"]
    both = pd.concat([own.assign(day=iso(other)), view.quotes.assign(day=iso(as_of))])[["day", *columns]]
    draw_with_file(figure, OF_DAYS, both, f"two_days_{other}_{as_of}", key="days")


@st.cache_data(max_entries=4, show_spinner="Reading the other day")
def _day_quotes(checkout: str, day: str, reach: tuple[int, int], stamp: Any) -> pd.DataFrame:
    return beside.quotes_on(Path(checkout), day, reach)


def two_days(these: pd.DataFrame, those: pd.DataFrame, names: tuple[str, str], colours: Colours) -> go.Figure:
    """Market vols of two days over strike / forward."""
    figure = go.Figure()
    for quotes, name, colour, symbol in (
        (these, names[0], colours.model, "circle"),
        (those, names[1], colours.call, "diamond-open"),
    ):
        figure.add_trace(
            go.Scatter(
                x=100 * quotes["strike"] / quotes["forward"],
                y=100 * quotes["implied_vol"],
                mode="markers",
                name=name,
                marker={"color": colour, "symbol": symbol, "size": 6},
                hovertemplate="%{x:.2f} % of the forward<br>%{y:.2f} %<extra>" + name + "</extra>",
            )
        )
    return framed(figure, x="strike / forward, %", y="implied vol of the mid, % a year", height=420)
