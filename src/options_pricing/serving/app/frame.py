"""The frame of the app: which release, which chain, which page. All three stand in the address of the page."""

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from options_pricing.models.listing import spots_behind
from options_pricing.release.manifest import MANIFEST_FILE
from options_pricing.release.verify import TRAIN_AGAIN, Release, read_manifest
from options_pricing.run.errors import ModelRefusedError, TaskError
from options_pricing.serving.answers import age_text, new_york_today, provenance
from options_pricing.serving.app import (
    chain_page,
    compare_page,
    density_page,
    error_page,
    gate_page,
    model_page,
    quarantine_page,
    smile_page,
    surface_page,
    term_page,
    what_if_page,
)
from options_pricing.serving.app.look import DARK, LIGHT, STYLE
from options_pricing.serving.app.view import View, days_of, iso, plain, say_error
from options_pricing.serving.chains import Chain, listed_chains, quotes_of
from options_pricing.serving.current import CurrentRelease, Serving, is_release

FRESH_DAYS = 1
STALE_DAYS = 4
USUAL_DAYS = 30
STANDING = {"fixed": "this folder's own release", "live": "live", "staged": "staged, nothing is live"}
CHOICE, EXPIRATION = "choice", "choice-of-expiration"
PAGES: dict[str, Callable[[View], None]] = {
    "Smile": smile_page.show,
    "Chain": chain_page.show,
    "Surface": surface_page.show,
    "Term structure": term_page.show,
    "Density": density_page.show,
    "What if": what_if_page.show,
    "Errors": error_page.show,
    "Compare": compare_page.show,
    "Quarantine": quarantine_page.show,
    "Gate": gate_page.show,
    "Model": model_page.show,
}
OF_ONE_UNDERLYING = {"Surface", "Term structure"}
OF_NO_UNDERLYING = {"Quarantine", "Gate", "Model"}


def show(release_folder: Path, checkout: Path | None = None, *, today: Callable[[], date] = new_york_today) -> None:
    """Draw the app for the release in a folder; a refused release is said in its three lines.

    Parameters
    ----------
    release_folder : Path
    checkout : Path, optional
        Where ``data/``, ``reports/`` and ``releases/`` lie; pages that need them say so where it is not given.
    today : callable, optional
        Gives the date that the data's age is counted to.
    """
    st.set_page_config(page_title="Option prices", layout="wide")
    st.html(STYLE)
    try:
        current = _current_of(release_folder)
    except TaskError as error:
        say_error(error)
        return
    serving = current.serving
    release = serving.release
    _header(provenance(release, today()), serving)
    if current.trouble:
        st.warning(f"**Not what should be served:** {plain(current.trouble)}", icon=":material/warning:")
    chain, listed = _choose_chain(release)
    quotes = _quotes(release.model, release.manifest.release_id, chain)
    view = View(release, chain, listed, quotes, checkout, DARK if st.context.theme.type == "dark" else LIGHT)
    for tab, (name, page) in zip(_tabs(), PAGES.items(), strict=True):
        if tab.open:
            _hide(name)
            with tab:
                page(view)


def _hide(page: str) -> None:
    """Leave out of sight what a page does not depend on; it stays on the page, so that its choice is not lost."""
    if page in OF_NO_UNDERLYING or (page == "Errors" and not error_page.of_one_underlying()):
        hidden = CHOICE
    elif page in OF_ONE_UNDERLYING | {"Errors"}:
        hidden = EXPIRATION
    else:
        return
    st.html(f"<style>.st-key-{hidden} {{display: none}}</style>")


def _tabs() -> list[Any]:
    _say_unknown("page", PAGES, next(iter(PAGES)))
    return list(st.tabs(list(PAGES), key="page", bind="query-params", on_change="rerun"))


def _current_of(path: Path) -> CurrentRelease:
    # The id of a folder's own release is part of the key: another one put into its place is loaded.
    fixed = read_manifest(path / MANIFEST_FILE).release_id if is_release(path) else ""
    current = _current(str(path), fixed)
    if unfit := current.serving.unfit:
        raise ModelRefusedError(
            f"the model in {path} is refused; it is not as it was released", why=unfit, fix=TRAIN_AGAIN
        )
    return current


@st.cache_resource(max_entries=2, show_spinner="Checking and loading the release")
def _current(path: str, fixed: str) -> CurrentRelease:
    return CurrentRelease(Path(path))


@st.cache_data(max_entries=256, show_spinner=False)
def _quotes(_model: Any, release_id: str, chain: Chain) -> pd.DataFrame:
    return quotes_of(_model, chain)


def _header(told: dict[str, Any], serving: Serving) -> None:
    age = told["data_age_days"]
    top = st.container(horizontal=True, vertical_alignment="center", gap="small")
    top.markdown("#### Option prices", width="content")
    if told["simulated"]:
        top.badge("SIMULATED", color="red", icon=":material/science:")
    top.badge(f"as of the close of {iso(told['as_of'])}", color="blue")
    top.badge(age_text(age), color=_age_colour(age), icon=":material/schedule:")
    top.badge(f"model {plain(told['model'])}", color="gray")
    top.badge(f"release {told['release_id']}", color="gray")
    top.badge(STANDING[serving.standing], color="green" if serving.standing == "live" else "gray")
    signature = serving.release.signature
    top.badge(signature, color="green" if signature == "signed" else "gray", icon=":material/key:")
    if told["simulated"]:
        st.error(
            "**SIMULATED MARKET.** Nobody trades these instruments; their quotes and prices are made up by a program."
        )


def _age_colour(days: int) -> Literal["green", "orange", "red"]:
    if 0 <= days <= FRESH_DAYS:
        return "green"
    return "orange" if 0 <= days <= STALE_DAYS else "red"


def _choose_chain(release: Release) -> tuple[Chain, pd.Series]:
    left, right = st.container(key=CHOICE).columns([2, 7], vertical_alignment="bottom")
    underlyings = release.underlyings
    _say_unknown("underlying", underlyings, underlyings[0])
    underlying = left.selectbox("Underlying", underlyings, key="underlying", bind="query-params")
    chains = listed_chains(release.model, underlying)
    several = len({chain.root for chain, _ in chains}) > 1
    by_name = {_chain_name(chain, several): (chain, listed) for chain, listed in chains}
    usual = int(np.argmin([abs(days_of(listed["year_fraction"]) - USUAL_DAYS) for _, listed in chains]))
    _say_unknown("expiration", by_name, list(by_name)[usual])
    right, words = right.container(key=EXPIRATION).columns([2, 5], vertical_alignment="bottom")
    name = right.selectbox("Expiration", list(by_name), usual, key="expiration", bind="query-params")
    chain, listed = by_name[name]
    words.caption(_key_figures(listed))
    return chain, listed


def _say_unknown(field: str, known: Iterable[str], shown: str) -> None:
    """Where the address asks for what is not there, say what is shown instead."""
    asked = st.query_params.get(field)
    if asked is not None and asked not in known:
        st.warning(f"There is no {field} {plain(asked)} here; this is {plain(shown)}.", icon=":material/warning:")


def _chain_name(chain: Chain, several_roots: bool) -> str:
    return f"{chain.expiration:%Y-%m-%d}" + (f" {chain.root}" if several_roots and chain.root else "")


def _key_figures(listed: pd.Series) -> str:
    (spot,) = spots_behind(listed.to_frame().T)
    return " · ".join(
        [
            f"{days_of(listed['year_fraction']):,.1f} days",
            f"forward {listed['forward']:,.2f}",
            f"spot {spot:,.2f} (quoted {listed['underlying_price']:,.2f})",
            f"discount factor {listed['discount_factor']:.5f}",
            f"{listed['exercise_style']}, settled {listed['settlement']}",
        ]
    )
