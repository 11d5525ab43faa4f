"""Files written whole or not at all, and their fingerprints."""

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from options_pricing.run.errors import BadDataError, CannotWriteError, MissingInputError

TEMPORARY = re.compile(r"^\.(.+)\.\d+\.tmp$")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system says against an output into a `CannotWriteError` that names it."""
    try:
        yield
    except OSError as error:
        meant = path.parent / TEMPORARY.sub(r"\1", path.name)
        raise CannotWriteError(
            f"{meant} could not be written",
            why=error.strerror or str(error),
            fix="free space, or mend the path or its permissions, then run the same command again; "
            "earlier files are whole",
        ) from error


@contextmanager
def whole_files(*paths: Path) -> Iterator[list[Path]]:
    """Give a temporary path beside each of `paths`; what is written there takes their places when the block ends well.

    Folders are made if need be. The files are flushed to disk before the first is renamed, so that an error or a full
    disk leaves all of the old files, and a kill either the old or the new one of each. The renames are in the order of
    `paths`. On an error the temporary files are removed.
    """
    paths = tuple(map(Path, paths))
    temporaries = [path.parent / f".{path.name}.{os.getpid()}.tmp" for path in paths]
    pairs = list(zip(paths, temporaries, strict=True))
    try:
        for path in paths:
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        yield temporaries
        for path, temporary in pairs:
            with writing(path), temporary.open("rb") as handle:
                os.fsync(handle.fileno())
        for path, temporary in pairs:
            with writing(path):
                temporary.replace(path)
    finally:
        for temporary in temporaries:
            with suppress(OSError):
                temporary.unlink()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """`whole_files` of one path."""
    with whole_files(path) as (temporary,), writing(path):
        yield temporary


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document, keys in the given order; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def parsed_json(content: bytes) -> Any:
    """What a JSON document holds; a `ValueError` or `RecursionError` where it is none."""
    value = json.loads(content)
    if rb"\ud" in content.lower():  # Half of a surrogate pair can be read, but never be written again.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises
    ------
    MissingInputError
        The file is not there, or cannot be read.
    BadDataError
        It is not JSON.
    """
    content = read_bytes(path)
    try:
        return parsed_json(content)
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
