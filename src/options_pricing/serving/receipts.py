"""Receipts: all that is needed to give the same answer again, to the last bit, from the release that is kept.

A receipt holds the request itself, packed; the release that answered; the day from which the data's age was counted;
and the SHA-256 of the answer, so that a replay can say whether it is the same. It proves nothing about who gave it: it
is not signed, and whoever holds it can read what was asked.
"""

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from options_pricing.run.errors import BadDataError

KIND = "op1."
# Level, window and memory: setting up zlib's usual ones takes longer than to pack a single request.
FASTEST, WINDOW, MEMORY = 1, 12, 5
LARGEST = 1 << 22


@dataclass(frozen=True)
class Receipt:
    """What was asked of which release on which day, and the SHA-256 of the answer without its receipt."""

    release: str
    asked_on: date
    method: Literal["GET", "POST"]
    target: str
    body: bytes
    answer: str


@dataclass(frozen=True)
class _Head:
    release: str
    asked_on: str
    method: Literal["GET", "POST"]
    target: Annotated[str, Field(pattern=r"^/([!-.0-~][!-~]*)?$")]
    answer: str


_heads = TypeAdapter(_Head)


def with_receipt(answer: bytes, asked: Receipt) -> bytes:
    """An answer (a JSON object on one line) with its receipt as the last field."""
    return b"".join([memoryview(answer)[:-2], b',"receipt":"', written(asked).encode(), b'"}\n'])


def digest(answer: bytes) -> str:
    """The SHA-256 of an answer."""
    return hashlib.sha256(answer).hexdigest()


def written(receipt: Receipt) -> str:
    """A receipt as text that fits into JSON, a URL and a command line."""
    head = _Head(receipt.release, receipt.asked_on.isoformat(), receipt.method, receipt.target, receipt.answer)
    packing = zlib.compressobj(FASTEST, zlib.DEFLATED, WINDOW, MEMORY)
    packed = packing.compress(json.dumps(vars(head)).encode() + b"\n" + receipt.body) + packing.flush()
    return KIND + base64.urlsafe_b64encode(packed).decode()


def read(text: str) -> Receipt:
    """The receipt that a text holds; a `BadDataError` where it holds none."""
    try:
        if not text.startswith(KIND):
            raise ValueError(f"it does not begin with {KIND}")
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(base64.urlsafe_b64decode(text.removeprefix(KIND)), LARGEST)
        if not unpacking.eof or unpacking.unused_data:
            raise ValueError("it is cut short, too long, or something follows it")
        line, _, body = content.partition(b"\n")
        head = _heads.validate_json(line)
        return Receipt(head.release, date.fromisoformat(head.asked_on), head.method, head.target, body, head.answer)
    except (ValueError, zlib.error) as error:
        own = type(error) is ValueError
        raise BadDataError(
            "this is no receipt",
            why=str(error) if own else "something of it is missing or was changed",
            fix="give it as the answer had it, or a file that holds it as @FILE",
        ) from error


def without_receipt(answer: bytes) -> bytes:
    """The answer that a receipt was added to."""
    told: dict[str, Any] = json.loads(answer)
    return answer[: answer.rindex(b',"receipt":"')] + b"}\n" if "receipt" in told else answer
