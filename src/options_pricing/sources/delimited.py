"""Reading the columns of somebody else's CSV, strictly."""

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from options_pricing.quotes.tables import require_text
from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.run.files import read_bytes

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
    content = _content(path)
    options = pa.csv.ConvertOptions(
        column_types=types,
        include_columns=list(types),
        null_values=NULLS,
        strings_can_be_null=True,
        timestamp_parsers=[pa.csv.ISO8601, "%Y-%m-%d %H:%M:%S.%f"],
    )
    try:
        plain = gzip.decompress(content) if path.suffix == ".gz" else content
        require_text(plain, path, fix=GET_AGAIN)
        table = pa.csv.read_csv(pa.BufferReader(plain), convert_options=options)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _unusable(path, "is not a whole gzip file", str(error)) from error
    except KeyError as error:
        raise _unusable(path, "does not have the columns of this source", str(error.args[0])) from error
    except pa.ArrowException as error:
        raise _unusable(path, "cannot be read as CSV", str(error).split("\n")[0]) from error
    if not table.num_rows:
        raise _unusable(path, "has no rows", "there is a header line and nothing below it")
    return table, hashlib.sha256(content).hexdigest()


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except MissingInputError as error:
        raise MissingInputError(error.what, why="`source` in the parameter file points at it", fix=GET_AGAIN) from error


def _unusable(path: Path, what: str, why: str) -> BadDataError:
    return BadDataError(f"{path} {what}", why=why, fix=GET_AGAIN)
