"""What the cells of somebody else's text file say, read strictly: what is no number or date is null, and counted."""

import re
from collections.abc import Callable
from functools import reduce
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from options_pricing.run.layouts import (
    ISO,
    UNIX_UNITS,
    DateFrom,
    Given,
    InstantFrom,
    Layout,
    NumberFrom,
    TextFrom,
    Timed,
)

Mask: TypeAlias = NDArray[np.bool_]
EXPONENT = r"(?:[eE][+-]?\d{1,9})?"
ISO_DATE = r"\d{4}-\d{2}-\d{2}(?:[T ].*)?$"
ZONE_AT_THE_END = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


class Cells(NamedTuple):
    """The values of a column, which of them were written but could not be read, and what is written."""

    values: pd.Series
    unreadable: Mask
    written: pa.Array


def read_cells(table: pa.Table, given: Given, layout: Layout) -> Cells:
    """A column of ours out of the file's texts, as a number, text, day or moment."""
    constant = getattr(given, "constant", None)
    if constant is not None:
        written = pa.array([str(constant)] * table.num_rows)
        return Cells(pd.Series([constant] * table.num_rows), np.zeros(table.num_rows, dtype=bool), written)
    texts = _written(table, given, layout)
    if isinstance(given, TextFrom):
        return Cells(_texts(texts, given), np.zeros(table.num_rows, dtype=bool), texts)
    taken = _matched(texts, given.match) if given.match else texts
    values = _times(taken, given) if isinstance(given, Timed) else _numbers(taken, given, layout)
    return Cells(values, pc.is_valid(texts).to_numpy(zero_copy_only=False) & values.isna().to_numpy(), texts)


def _written(table: pa.Table, given: Given, layout: Layout) -> pa.Array:
    """What stands in the cells, without the spaces around it, null where it is one of ``nulls``."""
    columns = [pc.utf8_trim_whitespace(table[name]).combine_chunks() for name in given.columns]
    columns = [
        pc.if_else(pc.is_in(column, value_set=pa.array(layout.nulls, pa.string())), None, column) for column in columns
    ]
    return reduce(lambda left, right: pc.binary_join_element_wise(left, right, " "), columns)


def _by_kind(texts: pa.Array, read: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Read each different text once; a chain repeats its few dates and spellings thousands of times."""
    coded = texts.dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    found = read(pd.Series(coded.dictionary.to_pylist(), dtype="str"))
    return found.reindex(codes).reset_index(drop=True)


def _taken(text: str, match: re.Pattern[str]) -> str | None:
    found = match.search(text)
    return None if found is None else "".join(found.groups(""))


def _matched(texts: pa.Array, match: str) -> pa.Array:
    pattern = re.compile(match)
    taken = _by_kind(texts, lambda kinds: kinds.map(lambda text: _taken(text, pattern)))
    return pa.array(taken, type=pa.string(), from_pandas=True)


def _texts(texts: pa.Array, given: TextFrom) -> pd.Series:
    pattern = re.compile(given.match)

    def spelt(text: str) -> str:
        taken = _taken(text, pattern) if given.match else text
        taken = text if taken is None else taken
        return given.values.get(taken, taken)

    return _by_kind(texts, lambda kinds: kinds.map(spelt)).astype("str")


def _numbers(texts: pa.Array, given: Given, layout: Layout) -> pd.Series:
    point, comma = re.escape(layout.decimal), re.escape(layout.thousands)
    whole = rf"(?:\d+|\d{{1,3}}(?:{comma}\d{{3}})+)" if comma else r"\d+"
    written = rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+){EXPONENT}$"
    plain = pc.if_else(pc.match_substring_regex(texts, written), texts, None)
    plain = pc.utf8_ltrim(plain, characters="+")
    if layout.thousands:
        plain = pc.replace_substring(plain, layout.thousands, "")
    plain = pc.replace_substring(plain, layout.decimal, ".")
    numbers = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    scale = given.scale if isinstance(given, NumberFrom) else 1.0
    return pd.Series(_scaled(np.where(np.isfinite(numbers), numbers, np.nan), scale))


def _scaled(numbers: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Times `scale`; divided where that is exact, so that 1234567 thousandths are 1234.567 to the last digit."""
    divisor = round(1 / scale)
    return numbers / divisor if scale < 1 and 1 / divisor == scale else numbers * scale


def _times(texts: pa.Array, given: Timed) -> pd.Series:
    """Days (`DateFrom`) or moments in UTC; where neither a moment nor its zone is asked for, times as written."""
    read = _moments if isinstance(given, InstantFrom) else _days if isinstance(given, DateFrom) else _as_written
    return _by_kind(texts, lambda kinds: read(kinds, given))


def _parsed(kinds: pd.Series, given: Timed) -> pd.Series:
    """Times without a zone; a unix time, and one with its own zone, in UTC."""
    if given.format in UNIX_UNITS:
        seconds = pd.to_numeric(kinds, errors="coerce")
        return pd.to_datetime(seconds, unit=UNIX_UNITS[given.format], errors="coerce")
    if given.format == ISO:
        return pd.to_datetime(kinds.where(kinds.str.match(ISO_DATE)), format="ISO8601", errors="coerce")
    return pd.to_datetime(kinds, format=given.format, errors="coerce")


def _moments(kinds: pd.Series, given: Timed) -> pd.Series:
    told = kinds.str.contains(ZONE_AT_THE_END) & (given.format == ISO) | (given.format in UNIX_UNITS)
    with_zone = pd.to_datetime(_parsed(kinds.where(told), given), utc=True).astype("datetime64[s, UTC]")
    zone = given.zone or "UTC"
    local = _parsed(kinds.where(~told), given)
    in_zone = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    return with_zone.fillna(in_zone.astype("datetime64[s, UTC]"))


def _days(kinds: pd.Series, given: Timed) -> pd.Series:
    if given.format in UNIX_UNITS:
        local = _moments(kinds, given).dt.tz_convert(given.zone).dt.tz_localize(None)
    else:
        local = _as_written(kinds, given)
    return local.dt.normalize().astype("datetime64[s]")


def _as_written(kinds: pd.Series, given: Timed) -> pd.Series:
    if given.format == ISO:
        kinds = kinds.str.replace(ZONE_AT_THE_END, "", regex=True)
    return _parsed(kinds, given).astype("datetime64[s]")
