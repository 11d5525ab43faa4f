"""What all sources on the network share: kept answers first, then the service; and the numbers in its answers."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from options_pricing.run.errors import BadDataError, UpstreamError
from options_pricing.sources.base import RawChain
from options_pricing.sources.http import HttpClient
from options_pricing.sources.payloads import Payload, PayloadStore

PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class LiveSource(ABC):
    """A service that shows the newest chain only.

    Parameters
    ----------
    client : HttpClient
    store : PayloadStore
        Where its answers are kept by trading day.
    base_url : str
        Where the service is.
    """

    name: str
    simulated = False

    def __init__(self, client: HttpClient, store: PayloadStore, base_url: str) -> None:
        self._client, self._store, self._base_url = client, store, base_url

    @abstractmethod
    def request(self, day: str) -> dict[str, Any]:
        """What is asked for `day`."""

    def chain(self, day: str) -> RawChain:
        """The chain of one trading day: from kept answers where there are some, else from the service.

        Answers are kept once they have proved to be of that day.

        Raises
        ------
        UpstreamError
            The service shows another day, or gives no usable answer.
        BadDataError
            An answer does not have the fields it must, or a kept one is damaged.
        """
        request = self.request(day)
        kept = self._store.read(request)
        payloads = self._download() if kept is None else kept
        chain = self._read(day, payloads)
        if kept is None and not chain.quotes.empty:
            self._store.keep(request, payloads)
        return chain

    @abstractmethod
    def _download(self) -> list[Payload]:
        """Ask the service; each answer is JSON already."""

    @abstractmethod
    def _read(self, day: str, payloads: Sequence[Payload]) -> RawChain:
        """Make the chain of `day` out of the answers, or an `UpstreamError` where they are of another day."""

    def _ask(self, path: str, params: Mapping[str, str] | None = None) -> Payload:
        query = "&".join(f"{name}={value}" for name, value in (params or {}).items())
        answer = self._client.json(f"{self._base_url}/{path}", params)
        return Payload(f"{self._base_url}/{path}{f'?{query}' if query else ''}", answer.codes, answer.body)

    def _other_day(self, day: str, held: str, what: str) -> UpstreamError:
        kept = self._store.days(self.request(day))
        return UpstreamError(
            f"{self.name} has no chain of {what} for {day}",
            why=f"it shows the newest day only, {held}; kept from earlier: {', '.join(kept) or 'no day'}",
            fix=f"ask for {held}, fetch each day after its close, or leave this one out: run.without: ['{day}']",
        )


def origins(payloads: Sequence[Payload]) -> dict[str, Any]:
    """What a `RawChain` says of its answers: ``response_codes`` and ``inputs``."""
    return {
        "response_codes": [code for payload in payloads for code in payload.codes],
        "inputs": [{"path": payload.url, "sha256": payload.sha256} for payload in payloads],
    }


def require_fields(given: Mapping[str, Any], needed: Sequence[str], what: str) -> None:
    """Refuse an object that lacks a field; what it has beside those needed is named, for a renamed one to be seen."""
    missing = [name for name in needed if name not in given]
    if missing:
        others = [str(name) for name in given if name not in needed]
        raise BadDataError(
            f"{what} does not have the fields of this source (rule F02)",
            why=f"missing: {', '.join(missing)}; there, and not known: {', '.join(others[:30]) or 'none'}",
            fix="the service has changed its layout: see whether a newer version of this project reads it",
        )


def table_of(rows: Sequence[Any], needed: Sequence[str], what: str) -> pd.DataFrame:
    """A list of JSON objects as a table of the fields needed; every row must be an object and some row have each."""
    if any(not isinstance(row, dict) for row in rows):
        raise BadDataError(
            f"{what} does not hold a list of objects",
            why="one of its items is something else",
            fix="see whether the service has changed its layout",
        )
    seen = {name: None for row in rows for name in row}
    if rows:
        require_fields(seen, needed, what)
    return pd.DataFrame(list(rows), columns=list(needed), dtype=object)


def numbers(values: pd.Series, unreadable: dict[str, int], name: str) -> pd.Series:
    """JSON values as floats; null where there is none, and where it is no finite number, which is counted.

    A text counts as a number only if it is a plain decimal: ``1,234.5``, ``N/A`` and ``-`` do not, nor do true and
    false.

    Parameters
    ----------
    values : Series of object
    unreadable : dict
        Gets the count of values that are not, under `name`; nothing where there are none.
    name : str
    """
    found = np.array([_number(value) for value in values], dtype=float)
    wrong = int((np.isnan(found) & values.notna().to_numpy()).sum())
    if wrong:
        unreadable[name] = unreadable.get(name, 0) + wrong
    return pd.Series(found, index=values.index)


def texts(values: pd.Series) -> pd.Series:
    """JSON values as texts; null where they are something else."""
    return values.where(values.map(lambda value: isinstance(value, str)).astype(bool)).astype("str")


def _number(value: Any) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if plain or (isinstance(value, str) and PLAIN_NUMBER.fullmatch(value)):
        try:
            number = float(value)
        except OverflowError:
            return np.nan
        return number if np.isfinite(number) else np.nan
    return np.nan
