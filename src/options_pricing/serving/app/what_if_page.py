"""One option priced, and priced again after a move of spot, vol and time."""

from datetime import date, timedelta
from typing import Any, get_args
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from options_pricing.models.listing import HIGHEST_STRIKE, LONGEST_YEARS, LOWEST_STRIKE
from options_pricing.run.calendar import DAYS_A_YEAR
from options_pricing.serving.answers import GREEKS, answers
from options_pricing.serving.app.look import Colours, framed, line
from options_pricing.serving.app.quoted import knows_all_quotes, quoted
from options_pricing.serving.app.view import View, days_of, draw_with_file, iso, metrics, percent, with_minus
from options_pricing.serving.chains import Chain, listed_chains, nearest_strikes, quote_for
from options_pricing.serving.what_if import Move, Sticky, after

OF_CHAIN = "chain that the option is of"
ASKED = ("underlying", "root", "expiration", "strike", "option_type")
GREEK_UNITS = {
    "delta": "per 1 of spot",
    "gamma": "per 1 of spot²",
    "vega": "per 1.00 vol",
    "theta": "per day",
    "rho": "per 1.00 rate",
}
WIDEST_SPOT, WIDEST_VOL, MOST_DAYS, POINTS = 20.0, 20.0, 365, 61
DEVIATIONS_SHOWN, NARROWEST = 3.0, 0.02
STICKY = {"moneyness": "Vol moves with the forward", "strike": "Vol stays at its strike"}
CAPTION = (
    "Price by spot, today and after the move of vol and days; the band is its interval at that forward. Rate and "
    "dividend yield stay. It is today's smile moved, no forecast."
)


def show(view: View) -> None:
    """Draw the page."""
    chain, kind, strike = _asked(view)
    if not LOWEST_STRIKE <= strike <= HIGHEST_STRIKE:
        st.error(with_minus(f"A strike lies between {LOWEST_STRIKE} and {HIGHEST_STRIKE:,.0f}; {strike:,g} does not."))
        return
    asked = chain.asked(np.array([strike]), kind)
    (now,) = answers(view.release, asked)
    if now["price"] is None:
        st.error(f"This option has no price: {now['reason']}")
        return
    move = _move(now)
    then = after(view.release, asked, move).iloc[0]
    if now["extrapolated"]:
        st.warning(f"Extrapolated: {now['reason']}.", icon=":material/warning:")
    _figures(now, then)
    st.caption(f"{_quote_words(view, chain, strike, kind)} {_interval_words(now['interval'])}")
    if np.isfinite(then["predicted_price"]):
        table = _by_spot(view, asked, move, _reach(now, move.spot))
        name = f"what_if_{view.chain.underlying}_{now['expiration']}_{strike:g}{kind}"
        draw_with_file(spot_chart(table, move.spot, view.colours), CAPTION, table, name, key="spot")
    st.caption(f"{now['exercise_style'].capitalize()} exercise. The same option, unmoved, by the API:")
    query = urlencode({name: now[name] for name in ASKED if now[name] is not None})
    st.code(f"curl 'http://127.0.0.1:8000/price?{query}'", language="bash")


def _asked(view: View) -> tuple[Chain, str, float]:
    """The chain, letter and strike of the option that the fields name."""
    fields = st.columns([1, 1, 1, 1])
    near, step = _near_strike(view.quotes, view.forward)
    _begin_chain(view, near)
    # Its own bounds would redden it without a word, and leave the old price standing.
    strike = fields[0].number_input("Strike", value=near, step=step, key="strike", bind="query-params")
    kind = fields[1].segmented_control(
        "Type", ["Call", "Put"], default="Call", required=True, key="type", bind="query-params"
    )
    as_of = date.fromisoformat(iso(view.release.manifest.as_of))
    expiration = fields[2].date_input(
        "Expires on",
        view.chain.expiration.date(),
        min_value=as_of + timedelta(days=1),
        max_value=as_of + timedelta(days=int(LONGEST_YEARS * DAYS_A_YEAR)),
        key="expires",
        bind="query-params",
    )
    return _chain_on(view, pd.Timestamp(expiration)), str(kind)[0], float(strike)


def _chain_on(view: View, expiration: pd.Timestamp) -> Chain:
    """The chain that expires on a day: the one looked at, else as a price without a root is understood."""
    if expiration == view.chain.expiration:
        return view.chain
    listed = listed_chains(view.release.model, view.chain.underlying)
    on_day = [(own["settlement"] != "pm", chain.root or "") for chain, own in listed if chain.expiration == expiration]
    root = min(on_day)[1] if on_day else ""
    return Chain(view.chain.underlying, root or None, expiration)


def _begin_chain(view: View, strike: float) -> None:
    """Where another chain is looked at than before, begin with its own strike and day."""
    state = st.session_state
    if state.get(OF_CHAIN, view.key) != view.key:
        state["strike"], state["expires"] = strike, view.chain.expiration.date()
    state[OF_CHAIN] = view.key


def _move(now: dict[str, Any]) -> Move:
    sliders = st.columns(4)
    longest = max(1, min(MOST_DAYS, int(days_of(now["year_fraction"]) - 0.001)))
    spot = sliders[0].slider(
        "Spot, %", -WIDEST_SPOT, WIDEST_SPOT, 0.0, 0.25, key="spot", bind="query-params", format="%+.2f"
    )
    vol = sliders[1].slider(
        "Vol, points", -WIDEST_VOL, WIDEST_VOL, 0.0, 0.25, key="vol", bind="query-params", format="%+.2f"
    )
    days = sliders[2].slider("Days passing", 0, longest, 0, 1, key="days", bind="query-params")
    sticky: Sticky = sliders[3].selectbox(
        "Smile", list(get_args(Sticky)), format_func=STICKY.__getitem__, key="smile", bind="query-params"
    )
    return Move(spot / 100, vol / 100, float(days), sticky)


def _figures(now: dict[str, Any], then: pd.Series) -> None:
    price = then["predicted_price"]
    if not np.isfinite(price):
        st.error("The model has no price for this option after this move.")
        return
    metrics(
        {
            "Model price": (f"{price:,.4f}", _change(price - now["price"], ",.4f")),
            "Interval": f"{then['low']:,.2f} to {then['high']:,.2f}" if np.isfinite(then["high"]) else "none",
            "Implied vol": percent(then["predicted_implied_vol"]),
            "Spot": f"{then['spot']:,.2f}",
            "Forward": f"{then['forward']:,.2f}",
            "Days to expiry": f"{days_of(then['year_fraction']):,.2f}",
        }
    )
    names = {greek: f"{greek.capitalize()}, {GREEK_UNITS[greek]}" for greek in GREEKS}
    metrics({name: _greek(then[greek], now["greeks"][greek]) for greek, name in names.items()})


def _quote_words(view: View, chain: Chain, strike: float, kind: str) -> str:
    """What the market said of an option at the close."""
    quote = quote_for(quoted(view, chain), strike, kind)
    if quote is None and knows_all_quotes(view):
        return "No quote of it at the close passed validation."
    if quote is None:
        return "It is not among the quotes that the model was fitted on."
    fitted = "" if quote["fitted"] else ", which the model was not fitted on"
    return f"Quoted at the close: {quote['bid']:,.2f} to {quote['ask']:,.2f}{fitted}."


def _greek(value: float, was: float | None) -> tuple[str, str | None]:
    moved = None if was is None else _change(value - was, ",.4g")
    return f"{value:,.5g}" if np.isfinite(value) else "none", moved


def _change(value: float, digits: str) -> str | None:
    """A change under a figure; None where nothing moved."""
    return f"{value:+{digits}}" if value and np.isfinite(value) else None


def _interval_words(interval: dict[str, Any] | None) -> str:
    if interval is None:
        return "This release has no interval: its model was not tried on days enough to calibrate one."
    return (
        f"Interval: where the next day's mid should lie {interval['nominal']:.0%} of the time, the forward staying; "
        f"calibrated on {interval['days']} days."
    )


def _reach(now: dict[str, Any], spot: float) -> float:
    """How far the chart goes to either side: three standard deviations, but at least to where the slider is."""
    deviations = DEVIATIONS_SHOWN * now["implied_vol"] * float(np.sqrt(now["year_fraction"]))
    return float(max(min(deviations, WIDEST_SPOT / 100), 1.2 * abs(spot), NARROWEST))


def _by_spot(view: View, asked: pd.DataFrame, move: Move, reach: float) -> pd.DataFrame:
    """Price today and after the move over a range of spots."""
    spots = np.linspace(-reach, reach, POINTS)
    rows = asked.loc[asked.index.repeat(POINTS)].reset_index(drop=True)
    today = after(view.release, rows, Move(sticky=move.sticky), spots=spots)
    later = after(view.release, rows, move, spots=spots)
    return pd.DataFrame(
        {
            "spot_move": spots,
            "price_today": today["predicted_price"],
            "price": later["predicted_price"],
            "low": later["low"],
            "high": later["high"],
            "extrapolated": later["extrapolated"],
        }
    )


def spot_chart(table: pd.DataFrame, spot: float, colours: Colours) -> go.Figure:
    """Price by spot, today and after the move, with the interval of the latter."""
    x, hover = 100 * table["spot_move"], "spot %{x:+.2f} %<br>%{y:,.4f}<extra>%{fullData.name}</extra>"
    figure = go.Figure()
    if table["low"].notna().any():
        figure.add_trace(go.Scatter(x=x, y=table["high"], line={"width": 0}, showlegend=False, hoverinfo="skip"))
        figure.add_trace(go.Scatter(x=x, y=table["low"], line={"width": 0}, fill="tonexty", fillcolor=colours.interval,
                                    name="interval after the move", hoverinfo="skip"))  # fmt: skip
    figure.add_trace(go.Scatter(x=x, y=table["price_today"], name="today", line=line(colours.quiet, dash="dash"),
                                hovertemplate=hover))  # fmt: skip
    figure.add_trace(go.Scatter(x=x, y=table["price"], name="after the move", line=line(colours.model),
                                hovertemplate=hover))  # fmt: skip
    figure.add_vline(x=100 * spot, line={"color": colours.call, "width": 1.5})
    return framed(figure, x="move of spot, %", y="price, currency per unit", height=360)


def _near_strike(quotes: pd.DataFrame, forward: float) -> tuple[float, float]:
    """A listed strike to begin with, the one nearest to the forward, and how far it is to the next."""
    if quotes.empty or not np.isfinite(forward):
        return 100.0, 1.0
    near = nearest_strikes(quotes, forward, 2)
    first = min(near, key=lambda strike: abs(strike - forward))
    return float(first), float(near[-1] - near[0]) or 1.0
