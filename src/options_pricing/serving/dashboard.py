"""The app of the current release (Streamlit): ``streamlit run dashboard.py -- releases``; no network is needed."""

import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st

from options_pricing.models.listing import HIGHEST_STRIKE, LONGEST_YEARS
from options_pricing.release.manifest import MANIFEST_FILE
from options_pricing.release.verify import TRAIN_AGAIN, Release, read_manifest
from options_pricing.run.calendar import DAYS_A_YEAR
from options_pricing.run.errors import ModelRefusedError, TaskError
from options_pricing.serving import charts
from options_pricing.serving.answers import GREEKS, age_text, answers, new_york_today, provenance
from options_pricing.serving.chains import (
    Chain,
    at_the_money_vol,
    listed_chains,
    model_line,
    nearest_strikes,
    quote_for,
    quotes_of,
    two_sided,
    usual_strikes,
)
from options_pricing.serving.current import CurrentRelease, is_release

FRESH_DAYS = 1
STALE_DAYS = 4
USUAL_DAYS = 30
ASKED = ("underlying", "root", "expiration", "strike", "option_type")
STRIKES_SHOWN = {"30 around the forward": 30, "100": 100, "All": None}
# Streamlit leaves a hand's breadth of nothing above the first line.
STYLE = "<style>.stMainBlockContainer {padding-top: 2.5rem; padding-bottom: 2rem}</style>"
GREEK_UNITS = {
    "delta": "per 1 of spot",
    "gamma": "per 1 of spot²",
    "vega": "per 1.00 vol",
    "theta": "per day",
    "rho": "per 1.00 rate",
}


def show(release_folder: Path, *, today: Callable[[], date] = new_york_today) -> None:
    """Draw the whole page for the release in a folder; a refused release is said in its three lines."""
    st.set_page_config(page_title="Option prices", layout="wide")
    try:
        release = _release(release_folder)
    except TaskError as error:
        st.error(f"**{error.what}**\n\nWhy: {error.why}\n\nWhat to do: {error.fix}")
        return
    _header(release, provenance(release, today()))
    chain, listed = _choose_chain(release)
    forward, quotes = float(listed["forward"]), quotes_of(release.model, chain)
    smile, table, form, card = st.tabs(["Smile", "Chain", "Price an option", "Model"])
    drawable = len(quotes) > 0 and np.isfinite(forward)
    for tab, draw in ((smile, _smile), (table, _chain_table)):
        with tab:
            if drawable:
                draw(release, chain, forward, quotes)
            else:
                st.info("The model was fitted on no quote of this expiration.")
    with form:
        _price_form(release, chain, forward, quotes)
    with card:
        _card(release)


def _release(path: Path) -> Release:
    # The id of a folder's own release is part of the key: another one put into its place is loaded.
    fixed = read_manifest(path / MANIFEST_FILE).release_id if is_release(path) else ""
    serving = _current(str(path), fixed).serving
    if serving.unfit:
        raise ModelRefusedError(
            f"the model in {path} is refused; it is not as it was released", why=serving.unfit, fix=TRAIN_AGAIN
        )
    return serving.release


@st.cache_resource(max_entries=2, show_spinner="Checking and loading the release")
def _current(path: str, fixed: str) -> CurrentRelease:
    return CurrentRelease(Path(path))


def _header(release: Release, told: dict[str, Any]) -> None:
    st.html(STYLE)
    if told["simulated"]:
        st.error(
            "## SIMULATED MARKET\nNobody trades these instruments; their quotes and prices are made up by a program."
        )
    st.header("Option prices", anchor=False)
    age = told["data_age_days"]
    badges = st.container(horizontal=True)
    badges.badge(f"as of the close of {_iso(told['as_of'])}", color="blue")
    badges.badge(age_text(age), color=_age_colour(age), icon=":material/schedule:")
    badges.badge(f"model {told['model']}", color="gray")
    badges.badge(f"release {told['release_id']}", color="gray")


def _age_colour(days: int) -> Literal["green", "orange", "red"]:
    if 0 <= days <= FRESH_DAYS:
        return "green"
    return "orange" if 0 <= days <= STALE_DAYS else "red"


def _choose_chain(release: Release) -> tuple[Chain, pd.Series]:
    left, right = st.columns([1, 2])
    underlyings = sorted(set(release.model.listed()["underlying"]))
    underlying = left.selectbox("Underlying", underlyings, key="underlying")
    chains = listed_chains(release.model, underlying)
    labels = [_chain_label(chain, listed) for chain, listed in chains]
    usual = int(np.argmin([abs(listed["year_fraction"] * DAYS_A_YEAR - USUAL_DAYS) for _, listed in chains]))
    at = right.selectbox(
        "Expiration", range(len(chains)), usual, format_func=lambda i: labels[i], key=f"chain of {underlying}"
    )
    return chains[at]


def _chain_label(chain: Chain, listed: pd.Series) -> str:
    days = listed["year_fraction"] * DAYS_A_YEAR
    root = f", {chain.root}" if chain.root else ""
    return f"{chain.expiration:%Y-%m-%d} ({days:.0f} days{root}, {listed['settlement']}, {listed['exercise_style']})"


def _smile(release: Release, chain: Chain, forward: float, quotes: pd.DataFrame) -> None:
    line = model_line(release.model, chain, forward, quotes["strike"].min(), quotes["strike"].max())
    vol = at_the_money_vol(line, forward)
    width = 100 * (quotes["ask_implied_vol"] - quotes["bid_implied_vol"]).median()
    figures = st.columns(4)
    figures[0].metric("Forward", f"{forward:,.2f}")
    figures[1].metric("Vol at the forward", _percent(vol))
    figures[2].metric("Quotes", f"{len(quotes):,}")
    figures[3].metric("Median bid to ask, vol points", f"{width:.2f}" if np.isfinite(width) else "none")
    title = f"{chain.underlying} {chain.expiration:%Y-%m-%d}"
    figure = charts.smile(quotes, line, forward, view=usual_strikes(quotes, forward, vol), title=title)
    st.plotly_chart(figure, config={"displaylogo": False})
    st.caption(
        "Out-of-the-money quotes; bars reach from the vol of the bid to the vol of the ask; a double click shows all "
        "strikes. The model was fitted on "
        "these very quotes: how well it predicts others is in the evaluation, not here."
    )


def _chain_table(release: Release, chain: Chain, forward: float, quotes: pd.DataFrame) -> None:
    shown = st.segmented_control("Strikes", list(STRIKES_SHOWN), default=next(iter(STRIKES_SHOWN)), required=True)
    strikes = nearest_strikes(quotes, forward, STRIKES_SHOWN[str(shown)])
    table = two_sided(release.model, chain, quotes, strikes)
    formats = {name: _column_format(name) for name in table.columns}
    styled = table.style.apply(_in_the_money, axis=None, forward=forward).apply(_outside_bid_ask, axis=None)
    st.dataframe(
        styled,
        hide_index=True,
        height="content" if len(table) < 40 else 900,
        placeholder="",
        column_config={name: st.column_config.NumberColumn(format=how) for name, how in formats.items()},
    )
    st.caption(
        f"Shaded: in the money (forward {forward:,.2f}). Bold orange: the model's price is outside bid and ask. "
        "Where bid and ask are empty the model was not fitted on that side; it prices it all the same."
    )


def _column_format(name: str) -> str:
    return "%.3f" if name.endswith("delta") else "%.2f"


def _in_the_money(table: pd.DataFrame, forward: float) -> pd.DataFrame:
    """Shade calls below the forward and puts above it."""
    styles = pd.DataFrame("", index=table.index, columns=table.columns)
    for side, inside in (("call", table["strike"] < forward), ("put", table["strike"] > forward)):
        styles.loc[inside, [name for name in table.columns if name.startswith(side)]] = "background-color: #8882"
    styles["strike"] = "font-weight: bold"
    return styles


def _outside_bid_ask(table: pd.DataFrame) -> pd.DataFrame:
    """Mark model prices outside their quote; a comparison with a missing quote is false."""
    styles = pd.DataFrame("", index=table.index, columns=table.columns)
    for side in ("call", "put"):
        price = table[f"{side} model"]
        outside = (price < table[f"{side} bid"]) | (price > table[f"{side} ask"])
        styles.loc[outside, f"{side} model"] = f"color: {charts.MODEL}; font-weight: bold"
    return styles


def _price_form(release: Release, chain: Chain, forward: float, quotes: pd.DataFrame) -> None:
    fields = st.columns([2, 2, 1])
    as_of = date.fromisoformat(_iso(release.manifest.as_of))
    expiration = fields[0].date_input(
        "Expires on",
        chain.expiration.date(),
        min_value=as_of + timedelta(days=1),
        max_value=as_of + timedelta(days=int(LONGEST_YEARS * DAYS_A_YEAR)),
        key=f"expires {chain}",
    )
    near, step = _near_strike(quotes, forward)
    strike = fields[1].number_input(
        "Strike", min_value=0.01, max_value=HIGHEST_STRIKE, value=near, step=step, key=f"strike {chain}"
    )
    kind = fields[2].segmented_control("Type", ["Call", "Put"], default="Call", required=True, key="type")
    same = pd.Timestamp(expiration) == chain.expiration
    asked = Chain(chain.underlying, chain.root if same else None, pd.Timestamp(expiration))
    (answer,) = answers(release, asked.asked(np.array([strike]), str(kind)[0]))
    with st.container(border=True):
        _answer(answer, quote_for(quotes, strike, str(kind)[0]) if same else None)


def _answer(answer: dict[str, Any], quote: pd.Series | None) -> None:
    if answer["price"] is None:
        st.error(f"This option has no price: {answer['reason']}")
        return
    if answer["extrapolated"]:
        st.warning(f"Extrapolated: {answer['reason']}.", icon=":material/warning:")
    figures = st.columns(5)
    figures[0].metric("Model price", f"{answer['price']:,.4f}")
    figures[1].metric("Bid - ask", "no quote" if quote is None else f"{quote['bid']:,.2f} - {quote['ask']:,.2f}")
    figures[2].metric("Implied vol", _percent(answer["implied_vol"]))
    figures[3].metric("Forward", f"{answer['forward']:,.2f}")
    figures[4].metric("Days to expiry", f"{DAYS_A_YEAR * answer['year_fraction']:,.2f}")
    for column, greek in zip(st.columns(5), GREEKS, strict=True):
        value = answer["greeks"][greek]
        column.metric(f"{greek.capitalize()}, {GREEK_UNITS[greek]}", "none" if value is None else f"{value:,.5g}")
    st.caption(f"{answer['exercise_style'].capitalize()} exercise. The same option by the API:")
    query = urlencode({name: answer[name] for name in ASKED if answer[name] is not None})
    st.code(f"curl 'http://127.0.0.1:8000/price?{query}'", language="bash")


def _near_strike(quotes: pd.DataFrame, forward: float) -> tuple[float, float]:
    """A listed strike to begin with, the one nearest to the forward, and how far it is to the next."""
    if quotes.empty or not np.isfinite(forward):
        return 100.0, 1.0
    near = nearest_strikes(quotes, forward, 2)
    first = min(near, key=lambda strike: abs(strike - forward))
    return float(first), float(near[-1] - near[0]) or 1.0


def _card(release: Release) -> None:
    card = release.card
    figures = st.columns(4)
    figures[0].metric("Model", str(card["model"]))
    figures[1].metric("Days trained on", f"{len(card['days'])}")
    figures[2].metric("Rows", f"{card.get('rows', 0):,}")
    figures[3].metric("Underlyings", f"{len(card.get('underlyings', []))}")
    left, right = st.columns(2)
    left.subheader("Training", anchor=False)
    told = {name: card.get(name, []) for name in ("sources", "underlyings", "days")}
    _named_values(left, told | card.get("training_metrics", {}) | card.get("hyperparameters", {}))
    right.subheader("Days it had not seen", anchor=False)
    _named_values(right, _unseen(card.get("out_of_sample", {})))
    right.subheader("Limits", anchor=False)
    right.markdown("\n".join(f"- {limit}" for limit in card.get("limits", [])) or "None are stated.")
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


def _percent(value: float | None, decimals: int = 2) -> str:
    return "none" if value is None or not np.isfinite(value) else f"{100 * value:.{decimals}f} %"


def _iso(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


if __name__ == "__main__":
    show(Path(sys.argv[1]))
