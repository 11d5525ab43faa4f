"""The feature files of a window as one table."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from options_pricing.models.base import day_names
from options_pricing.quotes.schema import FEATURES
from options_pricing.quotes.tables import read_csv, require_contracts
from options_pricing.run.calendar import is_session, why_no_session
from options_pricing.run.errors import BadDataError


def read_features(paths: Sequence[Path], *, until: str | None = None) -> pd.DataFrame:
    """Read feature files, one or more days each, as one table in the order of days and rows.

    Parameters
    ----------
    paths : sequence of Path
    until : str, optional
        The day ``YYYYMMDD`` that the files must end on.

    Raises
    ------
    MissingInputError, BadDataError
        As `read_csv` and `require_contracts`; also where two files hold rows of the same day, a day is no trading
        day, or the last one is not `until`.
    """
    tables = [(path, read_csv(path, FEATURES)) for path in paths]
    holder: dict[str, Path] = {}
    for path, table in tables:
        require_contracts(table, path)
        for day in day_names(table).unique():
            if not is_session(day):
                raise BadDataError(
                    f"{path} holds quotes of no trading day", why=why_no_session(day), fix="make its features again"
                )
            if day in holder:
                raise BadDataError(
                    f"{path} and {holder[day]} both hold quotes of {day}",
                    why="a day's quotes must be counted once",
                    fix="give one feature file for each day",
                )
            holder[day] = path
    if until is not None and max(holder, default=None) != until:
        raise BadDataError(
            f"the features do not end on {until}",
            why=f"the last day they have quotes of is {max(holder, default='none')}",
            fix="give the feature files of the days up to --date",
        )
    together = pd.concat([table for _, table in tables])
    return together.sort_values(["trade_date", "raw_row"], kind="stable", ignore_index=True)
