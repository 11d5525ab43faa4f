"""Reading other people's CSV: what can be wrong with a file is said in words."""

import gzip
import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.sources.delimited import read_columns

TYPES = {"strike": pa.float64(), "right": pa.string()}
GOOD = b"extra,right,strike\n1,C,200.5\n2,P,\n"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_the_columns_asked_for_in_their_order(tmp_path: Path, name: str) -> None:
    content = gzip.compress(GOOD) if name.endswith("gz") else GOOD
    (tmp_path / name).write_bytes(content)
    table, sha256 = read_columns(tmp_path / name, TYPES)
    assert table.to_pydict() == {"strike": [200.5, None], "right": ["C", "P"]}
    assert sha256 == hashlib.sha256(content).hexdigest()


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + b"right,strike\r\nC,1\r\n")
    assert read_columns(path, TYPES)[0].to_pydict() == {"strike": [1.0], "right": ["C"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read"),
        (b"right,strike\n", "no rows"),
        (b"right,price\nC,1\n", "columns"),
        (b"right,strike\nC,1,2\n", "cannot be read"),
        (b"right,strike\nC,N/A\n", "cannot be read"),
        (b'right,strike\nC,"1,234.5"\n', "cannot be read"),
        (b"right,strike\nC\xff,1\n", "is not UTF-8 text"),
        (b"<html>Service unavailable</html>", "columns"),
    ],
)
def test_an_unusable_file_is_bad_data_and_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(BadDataError, match=said) as caught:
        read_columns(path, TYPES)
    assert str(path) in caught.value.what
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize("content", [GOOD, gzip.compress(GOOD, mtime=0)[:-12], b""], ids=["plain", "cut", "empty"])
def test_a_broken_gzip_file_is_bad_data(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(content)
    with pytest.raises(BadDataError):
        read_columns(path, TYPES)


def test_a_missing_file_is_a_missing_input(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_columns(tmp_path / "none.csv", TYPES)
