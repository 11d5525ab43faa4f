"""All quotes of a chain at the close: those that the model was fitted on, and where a checkout has them the others."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from options_pricing.serving import beside
from options_pricing.serving.app.view import View
from options_pricing.serving.chains import Chain, chain_beside_model, quotes_of


def quoted(view: View, chain: Chain) -> pd.DataFrame:
    """The quotes of a chain as `quotes_of` gives them; ``fitted`` is False of those that the model did not see."""
    release = view.release
    seen = view.quotes if chain == view.chain else quotes_of(release.model, chain)
    day = _day(view)
    return seen if day is None else _with_unseen(release.model, release.manifest.release_id, chain, seen, day)


def knows_all_quotes(view: View) -> bool:
    """Whether the checkout has the very quotes of the day that the release was made of."""
    return _day(view) is not None


def _day(view: View) -> pd.DataFrame | None:
    as_of, sha256 = view.release.manifest.as_of, trained_on(view.release.card, view.release.manifest.as_of)
    if view.checkout is None or sha256 is None:
        return None
    stamp = beside.stamps(view.checkout / beside.DAY_FEATURES.format(day=as_of))
    return _read(str(view.checkout), as_of, sha256, stamp)


def trained_on(card: dict[str, Any], day: str) -> str | None:
    """The SHA-256 of the features of a day that a model was trained on, by its card."""
    name = Path(beside.DAY_FEATURES.format(day=day)).name
    return next((file["sha256"] for file in card.get("features", []) if Path(file["path"]).name == name), None)


@st.cache_resource(max_entries=2, show_spinner="Reading the day's quotes")
def _read(checkout: str, day: str, sha256: str, stamp: Any) -> pd.DataFrame | None:
    return beside.all_quotes_on(Path(checkout), day, sha256)


@st.cache_data(max_entries=64, show_spinner=False)
def _with_unseen(
    _model: Any, release_id: str, chain: Chain, _seen: pd.DataFrame, _quotes: pd.DataFrame
) -> pd.DataFrame:
    return chain_beside_model(_model, chain, _quotes, _seen)
