"""Reading and writing the project's tables: CSV and parquet through Arrow, the same bytes for the same rows."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from pandas.api.types import pandas_dtype

from options_pricing.quotes.schema import TERMS, Column, names
from options_pricing.run.errors import BadDataError
from options_pricing.run.files import read_bytes, whole_file

ARROW = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
    "date": pa.date32(),
    "instant": pa.timestamp("s", tz="UTC"),
}
PANDAS = {
    "text": "str",
    "number": "float64",
    "integer": "int64",
    "flag": "bool",
    "date": "datetime64[s]",
    "instant": "datetime64[s, UTC]",
}
ROWS_A_BATCH = 1 << 16
# A spreadsheet takes a cell that begins so for a formula; the apostrophe before it says that it is a text.
FORMULA_SIGNS = tuple("=+-@\t\r\n＝＋－＠")
APOSTROPHE = "'"
MAKE_AGAIN = "remove it and run its task again"


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of a table."""
    return pa.schema([pa.field(c.name, ARROW[c.kind]) for c in columns])


def conform(frame: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Give exactly the columns of a table, in order and of their types; a missing nullable column becomes nulls.

    Raises
    ------
    BadDataError
        A column that may not be null is missing, or a value has another type.
    """
    missing = [c.name for c in columns if c.name not in frame and not c.nullable]
    if missing:
        raise BadDataError(
            f"columns are missing: {', '.join(missing)}",
            why=f"the table has {', '.join(map(str, frame.columns[:30]))}",
            fix="check that the file is the one this task expects (docs/files.md lists the columns)",
        )
    made = {}
    for column in columns:
        values = frame[column.name] if column.name in frame else pd.Series(None, index=frame.index, dtype="object")
        try:
            made[column.name] = values.astype(pandas_dtype(PANDAS[column.kind]))
        except (TypeError, ValueError, OverflowError) as error:
            raise BadDataError(
                f"column {column.name} does not hold what it must ({column.kind})",
                why=str(error).split("\n")[0],
                fix="correct the source of the table",
            ) from error
    return pd.DataFrame(made, index=frame.index, copy=False)


def write_csv(frame: pd.DataFrame, path: Path, columns: tuple[Column, ...]) -> None:
    """Write a table as CSV: UTF-8, comma, ``\\n``, ISO dates, shortest exact decimals, empty for null.

    A text that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end)
    gets an apostrophe before it, which `read_csv` takes off again; numbers are as they are.
    """
    frame, schema = conform(frame, columns), arrow_schema(columns)
    options = pa.csv.WriteOptions(quoting_style="needed")
    with whole_file(path) as temporary, pa.csv.CSVWriter(temporary, schema, write_options=options) as writer:
        for start in range(0, len(frame), ROWS_A_BATCH):  # a copy of all of it would double the memory of a large table
            rows = frame.iloc[start : start + ROWS_A_BATCH]
            writer.write_table(_without_formulas(pa.Table.from_pandas(rows, schema=schema, preserve_index=False)))


def write_parquet(frame: pd.DataFrame, path: Path, columns: tuple[Column, ...]) -> None:
    """Write a table as parquet, without pandas' metadata."""
    table = pa.Table.from_pandas(conform(frame, columns), schema=arrow_schema(columns), preserve_index=False)
    with whole_file(path) as temporary:
        pa.parquet.write_table(table.replace_schema_metadata(None), temporary, compression="zstd")


def read_csv(path: Path, columns: tuple[Column, ...], *, judged_later: bool = False) -> pd.DataFrame:
    """Read a CSV that holds a table; columns are found by name, unknown ones are refused.

    Parameters
    ----------
    path : Path
    columns : tuple of Column
    judged_later : bool
        Whether nulls that the table may not have are let through, for the rules of data_validate to judge.

    Raises
    ------
    MissingInputError
        The file is not there.
    BadDataError
        It is empty, not UTF-8, not rectangular, cut short, lacks a column, has one too many, a value is of another
        type, or one that may not be null is. A number that may not be null may be NaN.
    """
    content = read_bytes(path)
    require_text(content, path, fix=MAKE_AGAIN)
    if not content or content.isspace():
        raise BadDataError(f"{path} is empty", why="it has no header line", fix=MAKE_AGAIN)
    if not content.endswith((b"\n", b"\r")):
        raise BadDataError(f"{path} is cut short", why="its last line has no end", fix=MAKE_AGAIN)
    convert = pa.csv.ConvertOptions(
        column_types={c.name: ARROW[c.kind] for c in columns},
        null_values=["", "NaN", "nan"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    try:
        table = pa.csv.read_csv(pa.BufferReader(content), convert_options=convert)
    except pa.ArrowException as error:
        raise BadDataError(
            f"{path} cannot be read as a table", why=str(error).split("\n")[0], fix=MAKE_AGAIN
        ) from error
    del content
    table = _checked(table, path, columns)
    if not judged_later:
        _require_values(table, path, columns)
    table = _with_formulas(table)
    # Each column of Arrow's is given back as soon as pandas has its own: both of a large table are too much.
    frame = table.to_pandas(split_blocks=True, self_destruct=True)
    del table
    pa.default_memory_pool().release_unused()
    return conform(frame, columns)


def read_parquet(path: Path, columns: tuple[Column, ...], *, only: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read a parquet file that holds a table; errors as in `read_csv`.

    With `only`, the rows whose columns hold these texts; the others are not unpacked.
    """
    content = read_bytes(path)
    try:
        filters = [(name, "==", text) for name, text in only.items()] if only else None
        table = pa.parquet.read_table(pa.BufferReader(content), filters=filters)
    except (pa.ArrowException, OSError) as error:  # Arrow says OSError of bytes that it cannot unpack, too.
        raise BadDataError(
            f"{path} cannot be read as parquet", why=str(error).split("\n")[0], fix=MAKE_AGAIN
        ) from error
    table = _checked(table, path, columns)
    _require_values(table, path, columns)
    return conform(table.to_pandas(), columns)


def require_text(content: bytes, path: Path, *, fix: str) -> None:
    """Refuse what is not UTF-8 text, with the place of the first byte that is not; a byte order mark is welcome."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        at = error.start
    else:
        at = content.find(b"\0")
    if at >= 0:
        line = content.count(b"\n", 0, at) + 1
        raise BadDataError(
            f"{path} is not UTF-8 text", why=f"byte {at} (from 0), in line {line}, is 0x{content[at]:02x}", fix=fix
        )


def require_contracts(table: pd.DataFrame, path: Path) -> None:
    """Refuse a table with a row that names no option, or that comes twice: data_validate lets neither through.

    Parameters
    ----------
    table : DataFrame
        VALIDATED or FEATURES; `path` stands in the error.
    """
    named = np.isfinite(table["strike"]) & (table["strike"] > 0) & table["expiration"].notna()
    for column, allowed in TERMS.items():
        named &= table[column].isin(allowed)
    again = table.duplicated(["trade_date", "raw_row"])
    for wrong, what in ((~named, "names no option"), (again, "comes a second time")):
        if wrong.any():
            row = table[wrong].iloc[0]
            shown = ", ".join(f"{name} {row[name]}" for name in ("raw_row", "strike", "expiration", *TERMS))
            raise BadDataError(
                f"{path} has a row that {what}",
                why=f"it is the first of {wrong.sum()}: {shown}",
                fix="run data_validate again with the rules I01 to I06 in force, then feature_engineer",
            )


def _without_formulas(table: pa.Table) -> pa.Table:
    """An apostrophe before every text that begins with a formula's sign, apostrophes before that sign not counted."""
    return _texts_changed(table, lambda texts: pc.binary_join_element_wise(APOSTROPHE, texts, ""), fewest=0)


def _with_formulas(table: pa.Table) -> pa.Table:
    """The texts that `_without_formulas` was given."""
    return _texts_changed(table, lambda texts: pc.utf8_slice_codeunits(texts, 1), fewest=1)


def _texts_changed(table: pa.Table, change: Callable[[pa.Array], pa.Array], *, fewest: int) -> pa.Table:
    """Change the texts that begin with so many apostrophes, or more, and then a formula's sign."""
    signs, firsts = pa.array(FORMULA_SIGNS), pa.array([*FORMULA_SIGNS, APOSTROPHE])
    for place, field in enumerate(table.schema):
        texts = table.column(place)
        if field.type != pa.string() or not pc.any(pc.is_in(pc.utf8_slice_codeunits(texts, 0, 1), firsts)).as_py():
            continue
        bare = pc.utf8_ltrim(texts, characters=APOSTROPHE)
        meant = pc.is_in(pc.utf8_slice_codeunits(bare, 0, 1), signs)
        quoted = pc.greater_equal(pc.subtract(pc.utf8_length(texts), pc.utf8_length(bare)), fewest)
        table = table.set_column(place, field, pc.if_else(pc.and_(meant, quoted), change(texts), texts))
    return table


def _checked(table: pa.Table, path: Path, columns: tuple[Column, ...]) -> pa.Table:
    wanted, found = names(columns), table.column_names
    if set(wanted) != set(found) or len(found) != len(wanted):
        missing, extra = [n for n in wanted if n not in found], [n for n in found if n not in wanted]
        raise BadDataError(
            f"{path} does not have the columns of its table",
            why=f"missing: {', '.join(missing) or 'none'}; unknown or repeated: {', '.join(extra) or 'none'}",
            fix="run the task that makes it again (docs/files.md lists the columns)",
        )
    return table.select(wanted)


def _require_values(table: pa.Table, path: Path, columns: tuple[Column, ...]) -> None:
    for column in columns:
        nulls = table[column.name].null_count
        if nulls and not column.nullable and column.kind != "number":
            first = table[column.name].is_null().index(True).as_py()
            raise BadDataError(
                f"{path} has no {column.name} in {nulls} of its {table.num_rows} rows",
                why=f"every row must have one, and row {first} (from 0) is the first without",
                fix=MAKE_AGAIN,
            )
