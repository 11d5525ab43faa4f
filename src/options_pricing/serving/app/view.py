"""What every page of the app is given, and the small things that all of them do."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from options_pricing.release.verify import Release
from options_pricing.run.calendar import DAYS_A_YEAR
from options_pricing.run.errors import TaskError
from options_pricing.serving.app.look import CONFIG, Colours
from options_pricing.serving.chains import Chain

# Such texts come from a vendor's file, or from who wrote a reason into the ledger; a number may begin so.
FORMULA = re.compile(r"(?!\s*[+-]?\d*\.?\d+([eE][+-]?\d+)?$)(\s*[=+\-@]|[\t\r])")
HYPHEN = re.compile(r"(?<![\w.)])-(?=[\d.])")
MARKDOWN = re.compile(r"([\\`*_\[\]()!<>:$~#|])")


@dataclass(frozen=True)
class View:
    """A release, the chain that is looked at, and the checkout beside it where there is one."""

    release: Release
    chain: Chain
    listed: pd.Series
    quotes: pd.DataFrame
    checkout: Path | None
    colours: Colours

    @property
    def forward(self) -> float:
        """The forward of the chain; NaN where there is none."""
        return float(self.listed["forward"])

    @property
    def years(self) -> float:
        """Years from the close to the chain's expiry."""
        return float(self.listed["year_fraction"])

    @property
    def drawable(self) -> bool:
        """Whether the chain has quotes and a forward."""
        return len(self.quotes) > 0 and bool(np.isfinite(self.forward))

    @property
    def name(self) -> str:
        """The chain in words."""
        return f"{self.chain.root or self.chain.underlying} {self.chain.expiration:%Y-%m-%d}"

    @property
    def file_name(self) -> str:
        """The chain in the name of a file."""
        return f"{self.chain.root or self.chain.underlying}_{self.chain.expiration:%Y%m%d}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells this release and chain from all others."""
        chain = self.chain
        return self.release.manifest.release_id, chain.underlying, chain.root or "", f"{chain.expiration:%Y%m%d}"


def metrics(told: dict[str, str | tuple[str, str | None]]) -> None:
    """Figures in a row that wraps where the page is narrow; a pair is a figure and how it changed."""
    row = st.container(horizontal=True, gap="medium")
    for label, value in told.items():
        figure, change = value if isinstance(value, tuple) else (value, None)
        arrow: Any = "auto" if change is None else "down" if change.startswith("-") else "up"
        change = change and with_minus(change)
        row.metric(label, with_minus(figure), change, delta_color="off", delta_arrow=arrow, width="content")


def draw(figure: go.Figure, caption: str, *, key: str) -> None:
    """Show a chart and under it what it shows and what not, which screen readers are told too."""
    st.plotly_chart(figure, config=CONFIG, key=f"chart {key}", alt=caption)
    st.caption(caption)


def draw_with_file(figure: go.Figure, caption: str, table: pd.DataFrame, name: str, *, key: str) -> None:
    """Show a chart as `draw` does, and beside the words a button that gives its table."""
    st.plotly_chart(figure, config=CONFIG, key=f"chart {key}", alt=caption)
    say_with_file(caption, table, name, key=key)


def say_with_file(caption: str, table: pd.DataFrame, name: str, *, key: str) -> None:
    """A caption, and beside it a button that gives a table as CSV, every number in full."""
    row = st.container(horizontal=True, vertical_alignment="top")
    row.caption(caption)
    row.download_button(
        "CSV",
        csv_of(table),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download {key}",
    )


def csv_of(table: pd.DataFrame) -> bytes:
    """A table as CSV; a text that a spreadsheet would run as a formula is led by an apostrophe, so that it is shown."""
    safe = table.copy(deep=False)
    for name in table.select_dtypes(include=["object", "string", "category"]):
        safe[name] = table[name].astype(object).map(_no_formula)
    return safe.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n").encode()


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def plain(text: str) -> str:
    """A text from a file as it stands, whatever Markdown it may hold: a picture in it would ask another machine."""
    return MARKDOWN.sub(r"\\\1", text)


def say_error(error: TaskError) -> None:
    """A failure in its three lines."""
    st.error(f"**{plain(error.what)}**\n\nWhy: {plain(error.why)}\n\nWhat to do: {plain(error.fix)}")


def nothing(words: str) -> None:
    """Say why a page is empty."""
    st.info(words, icon=":material/info:")


def written(decimals: int) -> Callable[[object], str]:
    """Writes numbers with so many decimals and a true minus, zero without one, for the cells of a table."""
    return lambda value: with_minus(f"{value:z,.{decimals}f}")


def with_minus(text: str) -> str:
    """A text whose negative numbers have a minus, not a hyphen; dates keep theirs."""
    return HYPHEN.sub("−", text)


def percent(value: float | None, decimals: int = 2) -> str:
    """A decimal as a person reads it."""
    return "none" if value is None or not np.isfinite(value) else f"{100 * value:.{decimals}f} %"


def iso(day: str) -> str:
    """YYYYMMDD with dashes."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def days_of(years: float) -> float:
    """Days of a time in years."""
    return years * DAYS_A_YEAR
