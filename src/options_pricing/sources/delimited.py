"""Reading the columns of somebody else's CSV, strictly."""

import bz2
import codecs
import csv
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from options_pricing.quotes.tables import require_text
from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.run.files import read_bytes
from options_pricing.run.layouts import Layout

NULLS = ("", "NaN", "nan")
GET_AGAIN = "get the file again, or point `source` at another one"


def read_columns(path: Path, types: Mapping[str, pa.DataType]) -> tuple[pa.Table, str]:
    """Read some columns of a CSV (gzipped where its name ends in ``.gz``).

    Parameters
    ----------
    path : Path
    types : mapping of column name to Arrow type
        The columns wanted. Others that the file may have are left out.

    Returns
    -------
    Table, str
        The columns in the order of `types`, and the SHA-256 of the file's bytes.

    Raises
    ------
    MissingInputError
        The file is not there.
    BadDataError
        It is not gzip, not UTF-8 or not rectangular, lacks a column, has no rows, or a value is of another type.
    """
    content = content_of(path)
    options = pa.csv.ConvertOptions(
        column_types=types,
        include_columns=list(types),
        null_values=NULLS,
        strings_can_be_null=True,
        timestamp_parsers=[pa.csv.ISO8601, "%Y-%m-%d %H:%M:%S.%f"],
    )
    try:
        table = pa.csv.read_csv(pa.BufferReader(text_of(content, path)), convert_options=options)
    except KeyError as error:
        raise unusable(path, "does not have the columns of this source", str(error.args[0])) from error
    except pa.ArrowException as error:
        raise unusable(path, "cannot be read as CSV", str(error).split("\n")[0]) from error
    if not table.num_rows:
        raise unusable(path, "has no rows", "there is a header line and nothing below it")
    return table, hashlib.sha256(content).hexdigest()


def read_texts(content: bytes, path: Path, layout: Layout) -> pa.Table:
    """Read those columns of a delimited text that a layout takes, every cell as it is written.

    Parameters
    ----------
    content : bytes
        Of the file, compressed or not.
    path : Path
        The file, for messages and for the ending of its name.
    layout : Layout

    Raises
    ------
    BadDataError
        It is not what its name says, not UTF-8 or not rectangular, lacks a column (all are named), or has no rows.
    """
    body = text_of(content, path).removeprefix(codecs.BOM_UTF8)
    for _ in range(layout.skip_lines):
        body = body.partition(b"\n")[2]
    names = list(layout.header)
    if not names:
        head, _, body = body.partition(b"\n")
        names = _names_in(head.decode(), path, layout.separator)
    _require_columns(names, layout.wanted, path)
    if not body.strip():
        raise unusable(path, "has no rows", "there is a header line and nothing below it")
    try:
        return pa.csv.read_csv(
            pa.BufferReader(body),
            # What is not wanted may be named twice or not at all.
            read_options=pa.csv.ReadOptions(column_names=[f"{n}. {name}" for n, name in enumerate(names)]),
            parse_options=pa.csv.ParseOptions(delimiter=layout.separator),
            convert_options=pa.csv.ConvertOptions(
                column_types={f"{names.index(name)}. {name}": pa.string() for name in layout.wanted},
                include_columns=[f"{names.index(name)}. {name}" for name in layout.wanted],
                strings_can_be_null=False,
            ),
        ).rename_columns(layout.wanted)
    except pa.ArrowException as error:
        raise unusable(path, "cannot be read as CSV", str(error).split("\n")[0]) from error


def _names_in(head: str, path: Path, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([head], delimiter=separator), [])]
    except csv.Error as error:
        raise unusable(path, "has no header line", str(error)) from error


def _require_columns(names: list[str], wanted: list[str], path: Path) -> None:
    missing = [name for name in wanted if name not in names]
    twice = [name for name in wanted if names.count(name) > 1]
    if missing or twice:
        raise BadDataError(
            f"{path} does not have the columns that its layout takes",
            why=f"missing: {', '.join(missing) or 'none'}; there twice: {', '.join(twice) or 'none'}; "
            f"it has {', '.join(names) or 'none'}",
            fix="correct `source` in the parameter file, or get the file again",
        )


def content_of(path: Path) -> bytes:
    """The bytes of a file that ``source`` points at."""
    try:
        return read_bytes(path)
    except MissingInputError as error:
        raise MissingInputError(error.what, why="`source` in the parameter file points at it", fix=GET_AGAIN) from error


def text_of(content: bytes, path: Path) -> bytes:
    """A file's text, unpacked as the ending of its name says (``.gz``, ``.bz2``, ``.xz``, ``.zip`` of one file)."""
    unpack = UNPACKED.get(path.suffix.lower())
    if unpack is not None:
        try:
            content = unpack(content)
        except UNPACKING_ERRORS as error:
            raise unusable(path, f"is not a whole {path.suffix} file", str(error)) from error
    require_text(content, path, fix=GET_AGAIN)
    return content


def unusable(path: Path, what: str, why: str) -> BadDataError:
    """What is said of a file that cannot be read."""
    return BadDataError(f"{path} {what}", why=why, fix=GET_AGAIN)


def _only_member(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise zipfile.BadZipFile(f"it holds {len(names)} files, and one is needed")
        return archive.read(names[0])


UNPACKED: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zip": _only_member,
}
# A zip says RuntimeError of a password and NotImplementedError of a way to pack that is unknown.
UNPACKING_ERRORS = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
