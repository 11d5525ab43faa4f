"""What every source of option chains gives: one trading day as a raw table, and where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from options_pricing.quotes.osi import describe_roots, parse_symbols
from options_pricing.quotes.schema import RAW, TRUTH
from options_pricing.quotes.tables import conform

STANDARD_MULTIPLIER = 100.0


@dataclass(frozen=True)
class RawChain:
    """One trading day as a source gave it, nothing repaired and nothing dropped.

    Parameters
    ----------
    quotes : DataFrame
        The raw table (schema `RAW`), row 0 being the first row of the file that will be written.
    request : dict
        What was asked of the source, of JSON values only. Equal params and day give an equal request.
    response_codes : sequence of int
        HTTP status codes in the order of the answers; empty where no network was used.
    captured_at : str
        ISO time in UTC at which the quotes were captured, as the source says it (never the clock of this machine).
    inputs : sequence of dict
        ``{"path", "sha256"}`` of every local file that was read, or of every answer, its URL being the path.
    unreadable : mapping of str to int
        Column -> how many of its cells were written, but are no number, date or time, and so are null here.
    notes : dict
        What a reader should know of how the table was made, of JSON values only: fields that were not known; units
        that were converted.
    truth : DataFrame, optional
        What a simulated market knows about each row (schema `TRUTH`).
    """

    quotes: pd.DataFrame
    request: dict[str, Any]
    captured_at: str
    response_codes: Sequence[int] = ()
    inputs: Sequence[dict[str, str]] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    truth: pd.DataFrame | None = None
    unreadable: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quotes", conform(self.quotes, RAW))
        if self.truth is not None:
            object.__setattr__(self, "truth", conform(self.truth, TRUTH))


class Source(Protocol):
    """Where chains come from. A new source is one file with this method and one line in the registry."""

    name: str
    simulated: bool

    def request(self, day: str) -> dict[str, Any]:
        """What would be asked for `day`; the same dict that `chain(day)` puts into its answer."""

    def chain(self, day: str) -> RawChain:
        """The chain of one trading day ``YYYYMMDD``.

        Raises
        ------
        UpstreamError
            The source has no chain of that day; never another day's quotes under that date.
        BadDataError
            It has one that cannot be read.
        """


def contract_terms(symbols: pd.Series) -> pd.DataFrame:
    """What OSI symbols say of their contracts, in columns of `RAW`: symbol, root, exercise, settlement, multiplier.

    The multiplier (units of the underlying) is null where a corporate action adjusted the contract.
    """
    root = parse_symbols(symbols)["root"]
    facts = describe_roots(root)
    return pd.DataFrame(
        {
            "contract_symbol": symbols,
            "root": root,
            "exercise_style": facts["exercise_style"],
            "settlement": facts["settlement"],
            "multiplier": np.where(facts["adjusted"], np.nan, STANDARD_MULTIPLIER),
        }
    )
