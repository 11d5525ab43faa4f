"""The feature files of a window as one table."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from options_pricing.models.base import day_names
from options_pricing.quotes.schema import FEATURES
from options_pricing.quotes.tables import read_csv
from options_pricing.run.errors import BadDataError


def read_features(paths: Sequence[Path]) -> pd.DataFrame:
    """Read feature files, one or more days each, as one table in the order of days and rows.

    Raises
    ------
    MissingInputError, BadDataError
        As `read_csv`; also where two files hold rows of the same day.
    """
    tables = {path: read_csv(path, FEATURES) for path in paths}
    holder: dict[str, Path] = {}
    for path, table in tables.items():
        for day in day_names(table).unique():
            if day in holder:
                raise BadDataError(
                    f"{path} and {holder[day]} both hold quotes of {day}",
                    why="a day's quotes must be counted once",
                    fix="give one feature file for each day",
                )
            holder[day] = path
    together = pd.concat(list(tables.values()))
    return together.sort_values(["trade_date", "raw_row"], kind="stable", ignore_index=True)
