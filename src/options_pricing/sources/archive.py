"""Chains out of files on disk whose layout is described by parameters: no code for one more vendor."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from options_pricing.quotes.osi import INDEX_ROOTS, build_symbols, describe_roots, parse_symbols
from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import conform
from options_pricing.run.calendar import parse_day
from options_pricing.run.errors import BadDataError, MissingInputError, UpstreamError
from options_pricing.run.layouts import Columns, Layout
from options_pricing.sources.base import STANDARD_MULTIPLIER, RawChain
from options_pricing.sources.cells import Cells, read_cells
from options_pricing.sources.delimited import content_of, read_texts

DAYS_NAMED = 3
PUNCTUATION = r"[^A-Za-z0-9]"


class ReadFile(NamedTuple):
    """One file's rows of a day: the raw table, when it was captured, and by column the cells that could not be read."""

    path: Path
    sha256: str
    quotes: pd.DataFrame
    captured_at: str
    unreadable: dict[str, int]


class Archive:
    """Files below a folder, all of one layout.

    Parameters
    ----------
    name : str
        What ``source`` says in the raw table.
    folder : Path
    files : str
        Pattern of the file of a day, `options_pricing.run.layouts.check_pattern`.
    layout : Layout
    tickers : mapping of str to str
        ``{ticker}`` of the pattern -> the underlying.
    underlyings : sequence of str
        Only these; all where it is empty.
    roots : mapping of str to str
        Underlying -> root, where neither a symbol nor a column says it.
    """

    simulated = False

    def __init__(
        self,
        name: str,
        folder: Path,
        files: str,
        layout: Layout,
        *,
        tickers: Mapping[str, str] | None = None,
        underlyings: Sequence[str] = (),
        roots: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self._folder, self._files, self._layout = name, Path(folder), files, layout
        self._tickers, self._underlyings, self._roots = dict(tickers or {}), tuple(underlyings), dict(roots or {})

    def request(self, day: str) -> dict[str, Any]:
        """What is asked for `day`; with the layout, so that a corrected one reads the files again."""
        return {
            "source": self.name,
            "folder": self._folder.as_posix(),
            "files": self._files,
            "tickers": self._tickers,
            "underlyings": list(self._underlyings),
            "roots": self._roots,
            "layout": self._layout.model_dump(mode="json", exclude_defaults=True),
            "day": day,
        }

    def chain(self, day: str) -> RawChain:
        """The chain of `day`, file by file in the order of the tickers, rows in their order; of a row with a call and a
        put the call comes first.

        Raises
        ------
        UpstreamError
            There is no file of that day, or the file holds other days; the nearest are named.
        MissingInputError
            The folder is not there.
        BadDataError
            A file cannot be read as its layout says.
        """
        if not self._folder.is_dir():
            raise MissingInputError(
                f"the archive {self._folder} is not a folder",
                why="`source` in the parameter file points at it",
                fix="point source.folder at the folder that holds the files",
            )
        named: dict[str, str | None] = {**self._tickers} or {"": None}
        read = [self._read(self._file(ticker, day), day, underlying) for ticker, underlying in named.items()]
        return RawChain(
            quotes=pd.concat([file.quotes for file in read], ignore_index=True),
            request=self.request(day),
            captured_at=max(file.captured_at for file in read),
            inputs=[{"path": file.path.as_posix(), "sha256": file.sha256} for file in read],
            unreadable=_together(file.unreadable for file in read),
        )

    def _file(self, ticker: str, day: str) -> Path:
        pattern = self._files.format(date=parse_day(day).date(), ticker=ticker)
        found = sorted(path for path in self._folder.glob(pattern) if path.is_file())
        if not found and "{date" not in self._files:
            raise MissingInputError(
                f"{self._folder / pattern} is not there",
                why="`source` in the parameter file points at it",
                fix="correct `source`, or put the file there",
            )
        if not found:
            raise UpstreamError(
                f"the archive {self._folder} has no chain of {ticker or 'anything'} for {day}",
                why=f"no file is named {pattern}",
                fix=f"correct source.files, or list the day: run.without: ['{day}']",
            )
        if len(found) > 1:
            raise BadDataError(
                f"{len(found)} files may hold {day}",
                why=f"{', '.join(str(path) for path in found[:DAYS_NAMED])} are all named {pattern}",
                fix="make source.files narrower, or take all but one away",
            )
        return found[0]

    def _read(self, path: Path, day: str, underlying: str | None) -> ReadFile:
        content = content_of(path)
        table, undated = _rows_of(read_texts(content, path, self._layout), day, path, self._layout)
        sides = [self._side(table, side, path, day, underlying) for side in self._layout.sides]
        quotes = pd.concat([quotes for quotes, _ in sides]).sort_index(kind="stable")
        if self._underlyings:
            quotes = quotes[quotes["underlying"].isin(self._underlyings)]
        unreadable = _together([undated, *(counted for _, counted in sides)])
        return ReadFile(
            path, hashlib.sha256(content).hexdigest(), quotes, _captured_at(table, quotes, self._layout), unreadable
        )

    def _side(
        self, table: pa.Table, side: Columns, path: Path, day: str, underlying: str | None
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """The raw table of one option a row, on the row numbers of `table`."""
        found = {name: read_cells(table, given, self._layout) for name, given in side.given() if name != "trade_date"}
        unreadable = _counted(found, path, self._layout.unreadable)
        made = {name: cells.values for name, cells in found.items()}
        made.setdefault("underlying", pd.Series([underlying] * table.num_rows, dtype="str"))
        made |= _terms(made, self._roots, path)
        quotes = pd.DataFrame(made, index=pd.RangeIndex(table.num_rows))
        return conform(quotes.assign(source=self.name, trade_date=parse_day(day)), RAW), unreadable


def _rows_of(table: pa.Table, day: str, path: Path, layout: Layout) -> tuple[pa.Table, dict[str, int]]:
    """The rows of one trading day; and how many rows of the file are of none, for their date cannot be read."""
    given = layout.columns.trade_date
    if given is None:
        return table, {}
    cells = read_cells(table, given, layout)
    days = cells.values
    if given.greatest and not days.isna().all():
        days = pd.Series([days.max()] * len(days))
    wanted = (days == parse_day(day)).to_numpy()
    if not wanted.any():
        raise _another_day(day, days, path)
    undated = Cells(days, days.isna().to_numpy(), cells.written)
    return table.filter(pa.array(wanted)), _counted({"trade_date": undated}, path, layout.unreadable)


def _another_day(day: str, days: pd.Series, path: Path) -> UpstreamError | BadDataError:
    held = sorted(days.dropna().unique())
    if not held:
        return BadDataError(
            f"{path} does not say which trading day it holds",
            why="no row has a date in the column of layout.columns.trade_date that can be read",
            fix="correct its format in the parameter file, or get the file again",
        )
    near = sorted(held, key=lambda at: abs(at - parse_day(day)))[:DAYS_NAMED]
    return UpstreamError(
        f"{path} has no chain for {day}",
        why=f"it holds {len(held)} trading days, the nearest {', '.join(f'{at:%Y%m%d}' for at in sorted(near))}",
        fix=f"ask for a day that it has (run.date), or list this one: run.without: ['{day}']",
    )


def _counted(found: Mapping[str, Cells], path: Path, most: float) -> dict[str, int]:
    """By column how many cells could not be read; more than a share of them is another layout."""
    counts = {name: int(cells.unreadable.sum()) for name, cells in found.items()}
    wrong = {name: count for name, count in counts.items() if count > most * len(found[name].values)}
    if wrong:
        name, count = next(iter(wrong.items()))
        row = int(np.argmax(found[name].unreadable))
        raise BadDataError(
            f"{path} does not hold what its layout says in {', '.join(wrong)}",
            why=f"{count} cells of {name} cannot be read, the first {found[name].written[row].as_py()!r:.60} in row "
            f"{row} (from 0); at most {most:.1%} of a column may be so",
            fix="correct layout.columns (format, scale, match), layout.nulls or thousands, or get the file again",
        )
    return {name: count for name, count in counts.items() if count}


def _together(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    return dict(sum(map(Counter, counts), Counter()))


def _terms(made: Mapping[str, pd.Series], roots: Mapping[str, str], path: Path) -> dict[str, pd.Series]:
    """What a contract symbol or a root tells of the columns that the file does not have."""
    terms: dict[str, pd.Series] = {}
    if "contract_symbol" in made:
        terms["contract_symbol"] = made["contract_symbol"].str.replace(" ", "")
        spelt = parse_symbols(terms["contract_symbol"])
        terms |= {name: spelt[name] for name in ("root", "expiration", "option_type", "strike")}
    else:
        plain = made["underlying"].str.replace(PUNCTUATION, "", regex=True)
        terms["root"] = plain.where(~made["underlying"].isin(list(roots)), made["underlying"].map(roots).astype("str"))
    terms = {name: values for name, values in terms.items() if name not in made or name == "contract_symbol"}
    known = {**made, **terms}
    if "contract_symbol" not in made:
        terms["contract_symbol"] = build_symbols(
            *(known[name] for name in ("root", "expiration", "option_type", "strike"))
        )
    facts = describe_roots(known["root"])
    facts["multiplier"] = np.where(facts["adjusted"] | known["root"].isna(), np.nan, STANDARD_MULTIPLIER)
    if "root" not in made and "contract_symbol" not in made and "settlement" not in made:
        _require_one_root(made["underlying"], roots, path)
    return terms | {name: facts[name] for name in ("exercise_style", "settlement", "multiplier") if name not in made}


def _require_one_root(underlying: pd.Series, roots: Mapping[str, str], path: Path) -> None:
    """Refuse to guess between SPX (settled in the morning) and SPXW (in the afternoon)."""
    for name in underlying.dropna().unique():
        possible = sorted(root for root, facts in INDEX_ROOTS.items() if facts.underlying == name)
        if len(possible) > 1 and name not in roots:
            raise BadDataError(
                f"{path} does not say of which root the options on {name} are",
                why=f"{' and '.join(possible)} settle or are exercised differently, and dates of theirs coincide",
                fix=f"give a column for root or contract_symbol, or, if all are of one: source.roots: {{{name}: ...}}",
            )


def _captured_at(table: pa.Table, quotes: pd.DataFrame, layout: Layout) -> str:
    """When a file says it was made: in UTC where its zone is known, else as it is written; empty where it does not."""
    if layout.captured is not None:
        latest = read_cells(table, layout.captured, layout).values.max()
        if pd.notna(latest) and layout.captured.zone is None:
            return latest.isoformat()
        latest = latest.tz_localize(layout.captured.zone) if pd.notna(latest) else latest
    else:
        latest = quotes["quote_time"].max()
    return "" if pd.isna(latest) else f"{latest.tz_convert('UTC').tz_localize(None).isoformat()}Z"
