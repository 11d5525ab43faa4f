"""The answers of a service as they came, kept on disk by trading day: a mended parser never needs the network."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from options_pricing.run.errors import BadDataError
from options_pricing.run.files import read_bytes, write_bytes


class Payload(NamedTuple):
    """One answer: its address without secrets, the status codes of all attempts, and the bytes of the last."""

    url: str
    codes: tuple[int, ...]
    body: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class PayloadStore:
    """``<folder>/<source>/<day>_<request>.jsonl.gz``: a line for each answer of one request, in their order.

    Parameters
    ----------
    folder : Path or None
        Where the files are; None keeps and gives nothing.
    reading : bool
        Whether what is kept is given; where it is not, it is still replaced by what is fetched anew.
    """

    def __init__(self, folder: Path | None, *, reading: bool = True) -> None:
        self._folder, self._reading = folder, reading

    def read(self, request: dict[str, Any]) -> list[Payload] | None:
        """What was answered to `request`, or None where nothing is kept.

        Raises
        ------
        BadDataError
            The file is damaged.
        """
        path = self._path(request)
        if path is None or not self._reading or not path.is_file():
            return None
        try:
            lines = gzip.decompress(read_bytes(path)).decode().splitlines()
            if not lines:
                raise ValueError("it is empty")
            return [_payload(json.loads(line)) for line in lines]
        except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
            raise BadDataError(
                f"{path} does not hold the answers that were kept",
                why=str(error) or "it is cut short",
                fix="restore it; or move it away, and the source is asked again if it still has that day",
            ) from error

    def keep(self, request: dict[str, Any], payloads: Sequence[Payload]) -> None:
        """Keep the answers to `request`, the file whole or not at all; the same answers give the same bytes."""
        path = self._path(request)
        if path is None:
            return
        lines = [
            json.dumps(
                {
                    "url": payload.url,
                    "response_codes": payload.codes,
                    "sha256": payload.sha256,
                    "body": payload.body.decode(),
                }
            )
            for payload in payloads
        ]
        write_bytes(path, gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))

    def days(self, request: dict[str, Any]) -> list[str]:
        """The days whose answers to the like of `request` are kept, oldest first."""
        path = self._path(request)
        if path is None:
            return []
        kept = sorted(path.parent.glob(path.name.replace(request["day"], "?" * 8)))
        return [file.name[:8] for file in kept]

    def _path(self, request: dict[str, Any]) -> Path | None:
        """The file of a request, which names its source and its day; the rest of it is hashed into the name."""
        if self._folder is None:
            return None
        rest = {name: value for name, value in request.items() if name != "day"}
        key = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:12]
        return self._folder / request["source"] / f"{request['day']}_{key}.jsonl.gz"


def _payload(line: dict[str, Any]) -> Payload:
    payload = Payload(line["url"], tuple(line["response_codes"]), line["body"].encode())
    if payload.sha256 != line["sha256"]:
        raise ValueError(f"the answer of {payload.url} does not have the SHA-256 that stands beside it")
    return payload
