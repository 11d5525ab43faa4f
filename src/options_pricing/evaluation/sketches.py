"""What is kept of a day to hold other days against it: for each cell of a fixed grid, how a few quantities lie.

Raw moneyness and maturity roll every day. A cell is a place in the smile, counted in deviations of the underlying until
the expiry at yesterday's vol, and a range of days to expiry, so that each day has quotes in the same cells. There

- ``residual`` is what happened to the log of market vol over the model's vol since yesterday, at the same place;
- ``move`` the same of market vol alone, against yesterday's surface;
- ``spread`` the log of the bid-ask spread over the mid.
"""

from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from options_pricing.evaluation.buckets import MATURITY
from options_pricing.evaluation.metrics import SMALLEST_HALF_SPREAD, Array
from options_pricing.run.calendar import DAYS_A_YEAR

QUANTITIES = ("residual", "move", "spread")
PLACES = {-np.inf: "low strikes", -0.5: "the money", 0.5: "high strikes"}
ATOMS = 5
LEVELS = [(place + 0.5) / ATOMS for place in range(ATOMS)]
CELL = ["underlying", "maturity", "place"]


class Sketches(NamedTuple):
    """Cells of one or more days, a row each; `atoms` has for each quantity the middles of its fifths.

    Shapes: (rows,) and for atoms (rows, quantities, ATOMS). Plain arrays, so that a release can keep them.
    """

    date: NDArray[np.str_]
    underlying: NDArray[np.str_]
    maturity: NDArray[np.str_]
    place: NDArray[np.str_]
    quotes: Array
    atoms: Array

    @classmethod
    def of(cls, told: pd.DataFrame) -> Self:
        """From PREDICTIONS of one model; `known_residual` is 0 where there is no such column."""
        rows = _measured(told)
        by_cell = rows.groupby(["date", *CELL], sort=True)
        atoms = by_cell[list(QUANTITIES)].quantile(np.array(LEVELS)).to_numpy(dtype=float)
        cells = by_cell.size().rename("quotes").reset_index()
        date, underlying, maturity, place = (cells[name].to_numpy(dtype=str) for name in ("date", *CELL))
        by_quantity = atoms.reshape(len(cells), ATOMS, len(QUANTITIES)).transpose(0, 2, 1).copy()
        return cls(date, underlying, maturity, place, cells["quotes"].to_numpy(dtype=float), by_quantity)

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Some of the rows."""
        return type(self)(
            self.date[chosen],
            self.underlying[chosen],
            self.maturity[chosen],
            self.place[chosen],
            self.quotes[chosen],
            self.atoms[chosen],
        )

    @property
    def days(self) -> list[str]:
        """The days, in order."""
        return sorted(set(self.date.tolist()))

    def last(self, days: int) -> Self:
        """The last days alone."""
        return self.where(np.isin(self.date, self.days[-days:]))


def _measured(told: pd.DataFrame) -> pd.DataFrame:
    """The quotes that have all quantities, with their cells."""
    vol, model, before = (
        told[name].to_numpy(dtype=float) for name in ("implied_vol", "predicted_implied_vol", "random_walk_implied_vol")
    )
    known = told["known_residual"].to_numpy(dtype=float) if "known_residual" in told else 0.0
    strike, forward, years = (told[name].to_numpy(dtype=float) for name in ("strike", "forward", "year_fraction"))
    spread = np.maximum((told["ask"] - told["bid"]).to_numpy(dtype=float), 2 * SMALLEST_HALF_SPREAD)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = np.log(strike / forward) / (before * np.sqrt(years))
        measured = np.column_stack(
            [np.log(vol / model) - known, np.log(vol / before), np.log(spread / told["mid"].to_numpy(dtype=float))]
        )
    rows = pd.DataFrame(measured, columns=list(QUANTITIES)).assign(
        date=told["date"].to_numpy(),
        underlying=told["underlying"].to_numpy(),
        maturity=_named(years * DAYS_A_YEAR, MATURITY),
        place=_named(deviations, PLACES),
    )
    return rows[np.isfinite(measured).all(axis=1)]


def _named(values: Array, edges: dict[float, str]) -> NDArray[np.object_]:
    places = np.searchsorted(list(edges), values, side="right") - 1
    return np.array(list(edges.values()), dtype=object)[places]
