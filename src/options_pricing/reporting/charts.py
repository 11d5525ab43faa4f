"""The report's four charts as SVG: the same data give the same bytes, and text is drawn as shapes.

Each chart has a wide form (a page) and a narrow one (a phone). Colours are those of `COLOURS`, so that a page can
put its own in their place.
"""

import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from options_pricing.reporting.inputs import Validation
from options_pricing.reporting.smiles import Smile
from options_pricing.reporting.wording import as_day, counted, decimal, visible, whole

# Blue and vermilion of Okabe and Ito (2008) stay apart in every kind of colour blindness.
COLOURS = {
    "ink": "#1b2733",
    "muted": "#5d6b78",
    "grid": "#d9dfe5",
    "paper": "#ffffff",
    "market": "#0072b2",
    "model": "#d55e00",
}
HEAT = LinearSegmentedColormap.from_list("heat", ["#eaf2fa", "#9ec5e3", "#3f86bd", "#0b3c6b"])
HEAT_DARK_TEXT, HEAT_LIGHT_TEXT = "#0f1a24", "#fdfeff"
WIDE, NARROW = 9.4, 3.75
WORST_SHOWN = -1.0
STYLE = {
    "svg.hashsalt": "options_pricing",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 8.5,
    "axes.labelcolor": COLOURS["muted"],
    "axes.edgecolor": COLOURS["grid"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.unicode_minus": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.6,
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["grid"],
    "ytick.color": COLOURS["grid"],
    "xtick.labelcolor": COLOURS["muted"],
    "ytick.labelcolor": COLOURS["muted"],
    "figure.facecolor": COLOURS["paper"],
    "axes.facecolor": COLOURS["paper"],
    "savefig.facecolor": COLOURS["paper"],
}


@contextmanager
def _styled() -> Iterator[None]:
    """Our style on top of matplotlib's defaults, whatever a matplotlibrc of this machine says."""
    with matplotlib.style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def _svg(draw: Callable[[Figure], None], width: float, height: float) -> str:
    with _styled():
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        made = io.StringIO()
        unsaid = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(made, metadata=unsaid)
    return "\n".join(line.rstrip() for line in made.getvalue().splitlines()) + "\n"


def empty_chart(message: str, *, narrow: bool = False) -> str:
    """A small picture that says why there is nothing to draw."""

    def draw(figure: Figure) -> None:
        figure.text(0.5, 0.5, visible(message), ha="center", va="center", color=COLOURS["muted"], wrap=True)

    return _svg(draw, NARROW if narrow else WIDE, 0.9)


def smiles_chart(smiles: Sequence[Smile], line: str, *, narrow: bool = False) -> str:
    """Implied vol over moneyness, one panel an expiration: bid-ask bars, and the model's prediction as a line.

    `line` says in the legend what the line is.
    """
    if not smiles:
        return empty_chart("No smile to draw: no expiration of the day has five quotes with a vol.", narrow=narrow)
    columns = 1 if narrow else min(3, len(smiles))
    rows = math.ceil(len(smiles) / columns)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(rows, columns, squeeze=False)
        for panel, smile in zip(panels.flat, smiles, strict=False):
            _draw_smile(panel, smile)
        for panel in panels.flat[len(smiles) :]:
            panel.set_axis_off()
        for panel in panels[:, 0]:
            panel.set_ylabel("implied vol, %")
        for column in range(columns):
            panels[(len(smiles) - 1 - column) // columns, column].set_xlabel("strike / forward, %")
        handles = [Line2D([], [], color=COLOURS["market"], lw=3, label="market, bid to ask")]
        if any(len(smile.predicted_vol) for smile in smiles):
            handles.append(Line2D([], [], color=COLOURS["model"], lw=1.6, label=visible(line)))
        figure.legend(handles=handles, loc="outside upper left", ncols=1 if narrow else 2, frameon=False)

    return _svg(draw, NARROW if narrow else WIDE, rows * (2.0 if narrow else 2.35) + 0.45)


def _draw_smile(panel: Axes, smile: Smile) -> None:
    low, high = _vol_range(smile)
    at = 100 * smile.moneyness
    panel.vlines(
        at,
        np.clip(100 * smile.bid_vol, low, high),
        np.clip(100 * smile.ask_vol, low, high),
        color=COLOURS["market"],
        lw=2.2,
        capstyle="round",
        zorder=3,
    )
    for piece in np.unique(smile.piece):
        line = smile.piece == piece
        # A line of one point is seen only as a point.
        panel.plot(
            100 * smile.predicted_moneyness[line],
            100 * smile.predicted_vol[line],
            color=COLOURS["model"],
            lw=1.5,
            marker="." if line.sum() == 1 else None,
        )
    panel.set_ylim(low, high)
    panel.set_title(f"{visible(smile.root or smile.underlying)[:18]}  {smile.expiration}", pad=14)
    panel.text(0, 1.03, f"{counted(smile.days, 'day')}, {counted(smile.quotes, 'quote')}", transform=panel.transAxes,
               color=COLOURS["muted"], fontsize=8)  # fmt: skip


def _vol_range(smile: Smile) -> tuple[float, float]:
    """What the vol axis spans: all finite vols but the widest bars, which would flatten the rest."""
    finite = smile.ask_vol[np.isfinite(smile.ask_vol)]
    shown = 100 * np.concatenate([smile.bid_vol[smile.bid_vol > 0], finite, smile.predicted_vol])
    if not len(shown):
        return 0.0, 1.0
    low, high = np.quantile(shown, [0.02, 0.98])
    low, high = min([low, *(100 * smile.predicted_vol)]), max([high, *(100 * smile.predicted_vol)])
    room = 0.08 * max(high - low, 1.0)
    return max(0.0, low - room), high + room


def r2_by_day_chart(days: pd.DataFrame | None, *, narrow: bool = False) -> str:
    """R² of vol against yesterday's surface, day by day, over a small panel with R² of price.

    Parameters
    ----------
    days : DataFrame or None
        ``date``, ``r2_implied_vol_vs_random_walk``, ``r2_price``; None where no model was evaluated.
    """
    if days is None or days["r2_implied_vol_vs_random_walk"].isna().all():
        why = "there is no evaluation to draw" if days is None else "no day has the surface of a day before it"
        return empty_chart(f"No R² by day: {why}.", narrow=narrow)

    def draw(figure: Figure) -> None:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        _draw_lollipops(top, days["r2_implied_vol_vs_random_walk"].to_numpy(dtype=float), narrow)
        top.set_title("R² of implied vol against yesterday's surface")
        bottom.plot(range(len(days)), days["r2_price"], color=COLOURS["muted"], lw=1, marker="o", ms=3)
        bottom.set_title("R² of price")
        _name_days(bottom, [str(day) for day in days["date"]], most=5 if narrow else 12)

    return _svg(draw, NARROW if narrow else WIDE, 3.4)


def live_chart(days: pd.DataFrame, *, narrow: bool = False) -> str:
    """R² of vol of the release in use by day: against yesterday's surface, and against that of its own last day.

    Parameters
    ----------
    days : DataFrame
        ``date``, ``fresh``, ``own``; perhaps without rows.
    """
    if days[["fresh", "own"]].isna().all(axis=None):
        return empty_chart("No live day to draw.", narrow=narrow)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(2, 1, sharex=True)
        titles = {"fresh": "R² against yesterday's surface", "own": "R² against its own last day's surface"}
        for panel, (name, title) in zip(panels, titles.items(), strict=True):
            _draw_lollipops(panel, days[name].to_numpy(dtype=float), narrow)
            panel.set_title(title)
        _name_days(panels[-1], [str(day) for day in days["date"]], most=5 if narrow else 12)

    return _svg(draw, NARROW if narrow else WIDE, 4.2)


def _draw_lollipops(panel: Axes, values: np.ndarray[Any, np.dtype[np.float64]], narrow: bool) -> None:
    shown = np.clip(values, WORST_SHOWN, None)
    colours = [COLOURS["model"] if value < 0 else COLOURS["market"] for value in values]
    at = np.arange(len(values))
    panel.vlines(at, 0, shown, color=colours, lw=2)
    panel.scatter(at, shown, color=colours, s=22, marker="o", zorder=3)
    panel.axhline(0, color=COLOURS["ink"], lw=1)
    few = len(values) <= (10 if narrow else 24)
    for place, value in enumerate(values):
        if np.isfinite(value) and (few or value < WORST_SHOWN):
            panel.annotate(
                _not_zero(value),
                (place, shown[place]),
                (0, -11 if value < 0 else 5),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
            )
    panel.margins(y=0.18)


def _not_zero(value: float) -> str:
    """Two decimals, and more where they would call nothing what is a little."""
    digits = 2
    while value and digits < 6 and round(value, digits) == 0:
        digits += 1
    return decimal(value, digits)


def _name_days(panel: Axes, days: list[str], *, most: int) -> None:
    step = math.ceil(len(days) / most)
    places = list(range(len(days) - 1, -1, -step))[::-1]
    panel.set_xticks(places, [as_day(days[place]) if len(days) == 1 else as_day(days[place])[5:] for place in places])


def error_by_bucket_chart(buckets: pd.DataFrame | None, *, narrow: bool = False) -> str:
    """Error of implied vol by delta and maturity as a heat map with its figures.

    Parameters
    ----------
    buckets : DataFrame or None
        ``delta_bucket``, ``maturity_bucket``, ``quotes``, ``iv_rmse_vol_points`` of one model.
    """
    if buckets is None or buckets["iv_rmse_vol_points"].isna().all():
        return empty_chart("No error by bucket: there is no evaluation to draw.", narrow=narrow)
    across = sorted(buckets["delta_bucket"].unique(), key=_along_the_smile)
    down = sorted(buckets["maturity_bucket"].unique(), key=_place)
    grid = np.full((len(down), len(across)), np.nan)
    quotes = np.zeros_like(grid)
    for _, cell in buckets.iterrows():
        place = down.index(cell["maturity_bucket"]), across.index(cell["delta_bucket"])
        grid[place], quotes[place] = cell["iv_rmse_vol_points"], cell["quotes"]

    def draw(figure: Figure) -> None:
        panel = figure.subplots()
        _draw_heat(panel, grid, quotes, narrow)
        panel.set_xticks(
            range(len(across)),
            [visible(name) for name in across],
            rotation=40 if narrow else 0,
            ha="right" if narrow else "center",
        )
        panel.set_yticks(range(len(down)), [visible(name) for name in down])
        panel.set_xlabel("delta in hundredths")
        panel.set_ylabel("maturity")
        panel.set_title(
            "vol points" if narrow else "Root mean squared error of implied vol, vol points; quotes below it"
        )

    return _svg(draw, NARROW if narrow else WIDE, 1.2 + (0.36 if narrow else 0.5) * len(down) + (0.4 if narrow else 0))


def _place(bucket: str) -> tuple[float, bool, str]:
    """Where a maturity stands: by its first number, and "under 30 days" before "30-90 days"."""
    number = re.search(r"\d+(\.\d+)?", bucket)
    return float(number[0]) if number else math.inf, bucket[:1].isdigit(), bucket


def _along_the_smile(bucket: str) -> tuple[bool, float]:
    """Puts from far to near, then calls from near to far."""
    call, first = bucket.startswith("call"), _place(bucket)[0]
    return call, -first if call else first


def _draw_heat(
    panel: Axes,
    grid: np.ndarray[Any, np.dtype[np.float64]],
    quotes: np.ndarray[Any, np.dtype[np.float64]],
    narrow: bool,
) -> None:
    largest = float(np.nanmax(grid)) or 1.0
    edges = [np.arange(size + 1) - 0.5 for size in grid.shape]
    panel.pcolormesh(
        edges[1],
        edges[0],
        np.ma.masked_invalid(grid),
        cmap=HEAT,
        vmin=0,
        vmax=largest,
        edgecolors=COLOURS["paper"],
        lw=2,
    )
    panel.invert_yaxis()
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    for (row, column), value in np.ndenumerate(grid):
        known = np.isfinite(value)
        colour = COLOURS["muted"] if not known else HEAT_LIGHT_TEXT if value > 0.5 * largest else HEAT_DARK_TEXT
        lift = 0 if narrow or not known else -0.12
        panel.text(
            column, row + lift, decimal(value), ha="center", va="center", color=colour, fontsize=7.5 if narrow else 9.5
        )
        if lift:
            panel.text(
                column,
                row + 0.24,
                whole(float(quotes[row, column])),
                ha="center",
                va="center",
                color=colour,
                fontsize=7,
            )


def waterfall_chart(day: Validation, *, narrow: bool = False) -> str:
    """Rows that each quarantine rule took out on one day, each bar beginning where the one above it ends."""
    steps = [step for step in day.waterfall if step.removed]
    if not steps:
        return empty_chart(f"{as_day(day.date)}: no rule took out a row of {whole(day.rows.raw)}.", narrow=narrow)
    ends = np.cumsum([step.removed for step in steps])
    longest = 44 if narrow else 90

    def draw(figure: Figure) -> None:
        panel = figure.subplots()
        for row, (step, end) in enumerate(zip(steps, ends, strict=True)):
            panel.barh(row, step.removed, left=end - step.removed, height=0.34, color=COLOURS["model"])
            title = f"{visible(step.id)}  {visible(step.title)}"
            panel.text(0, row - 0.28, title if len(title) <= longest else title[: longest - 1] + "…", va="bottom")
            panel.text(ends[-1], row - 0.28, f"{whole(step.removed)}", va="bottom", ha="right")
        panel.barh(len(steps), ends[-1], height=0.34, color=COLOURS["muted"])
        panel.text(0, len(steps) - 0.28, "all rules together", va="bottom", fontweight="bold")
        panel.text(ends[-1], len(steps) - 0.28, whole(int(ends[-1])), va="bottom", ha="right", fontweight="bold")
        panel.set_ylim(len(steps) + 0.4, -0.9)
        panel.set_xlim(0, ends[-1])
        panel.set_yticks([])
        panel.spines["left"].set_visible(False)
        panel.set_xlabel(
            "rows taken out, one rule after the other"
            + ("" if narrow else f"; {whole(day.rows.validated)} of {whole(day.rows.raw)} remain")
        )

    return _svg(draw, NARROW if narrow else WIDE, 0.75 + 0.36 * (len(steps) + 1))
