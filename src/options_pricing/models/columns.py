"""Tables as plain arrays: what pandas takes half a millisecond to say of one option, these say in a microsecond."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """Columns of one length, by name; models that only read columns by name take it in the place of a DataFrame."""

    held: dict[str, NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.held[name]

    def __len__(self) -> int:
        return len(next(iter(self.held.values())))

    def take(self, rows: NDArray[Any]) -> "Columns":
        """Some of the rows, by their places or a mask."""
        return Columns({name: values[rows] for name, values in self.held.items()})


Table = pd.DataFrame | Columns


def numbers(table: Table, name: str) -> Array:
    """A column as floats."""
    return np.asarray(table[name], dtype=float)


def rows_of(table: Table, rows: NDArray[Any]) -> Any:
    """Rows by their places, as a table of the same kind."""
    return table.take(rows) if isinstance(table, Columns) else table.iloc[rows]


def own_rows(table: Table, places: NDArray[np.intp]) -> Any:
    """Rows by the places that `places_of` gives; the table itself where they are all of it."""
    return table if len(places) == len(table) else rows_of(table, places)


def places_of(table: Table, name: str) -> dict[Any, NDArray[np.intp]]:
    """The places of the rows of each value of a column of text."""
    if not isinstance(table, Columns):
        return {value: np.asarray(rows) for value, rows in table.groupby(name, observed=True).indices.items()}
    values = set(table[name].tolist())
    if len(values) == 1:
        return {values.pop(): np.arange(len(table))}
    return {value: np.flatnonzero(table[name] == value) for value in values}
