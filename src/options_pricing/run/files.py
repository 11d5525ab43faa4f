"""Files written whole or not at all, and their fingerprints."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from options_pricing.run.errors import BadDataError, CannotWriteError, MissingInputError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system says against an output into a `CannotWriteError` that names it."""
    try:
        yield
    except OSError as error:
        raise CannotWriteError(
            f"{path} could not be written",
            why=error.strerror or str(error),
            fix="free space, or mend the path or its permissions, then run the same command again; "
            "earlier files are whole",
        ) from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what is written there takes its place when the block ends well.

    The folder is made if need be. The file is flushed to disk before the rename, so that a kill or a full disk
    leaves either the old file or the new one. On an error the temporary file is removed.
    """
    path = Path(path)
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def json_text(value: Any) -> str:
    """A JSON document, keys in the given order; NaN and infinity are a `ValueError`."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document as `json_text` makes it."""
    write_text(path, json_text(value))


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises
    ------
    MissingInputError
        The file is not there, or cannot be read.
    BadDataError
        It is not JSON.
    """
    text = read_bytes(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadDataError(
            f"{path} is not valid JSON", why=str(error), fix="remove it and run the task that makes it again"
        ) from error


def read_bytes(path: Path) -> bytes:
    """Read a whole file; one that is not there or cannot be read is a `MissingInputError`."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise MissingInputError(
            f"{path} is not there",
            why="this task needs it as an input",
            fix="run the task that makes it first (`snakemake --cores 4` runs all that is missing)",
        ) from error
    except OSError as error:
        raise MissingInputError(
            f"{path} cannot be read", why=error.strerror or str(error), fix="check the path and its permissions"
        ) from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(read_bytes(path)).hexdigest()
