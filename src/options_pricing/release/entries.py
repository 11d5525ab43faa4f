"""What a ledger is made of: its lines, their hashes and HMACs, and the head that counts them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from options_pricing.release.manifest import Sha256
from options_pricing.run.files import parsed_json

Event = Literal["trained", "evaluated", "staged", "approved", "revoked", "promoted", "rolled_back", "demoted"]
NOTHING_BEFORE = "0" * 64


class Entry(BaseModel):
    """One line: an act, its place in the chain, its own hash and, where there was a release key, its HMAC."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    sequence: int = Field(ge=1)
    at: str
    event: Event
    release_id: str | None
    by: str | None
    details: dict[str, Any]
    previous: Sha256
    sha256: Sha256
    mac: Sha256 | None


class Head(BaseModel):
    """How many lines were written and the hash of the last one; `signed_from` is the first line under a key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(0, ge=0)
    sha256: Sha256 = NOTHING_BEFORE
    signed_from: int | None = None
    mac: Sha256 | None = None


class Held(NamedTuple):
    """What the two files hold: whole lines, what follows the last line end, and the head, None where unreadable."""

    lines: list[bytes]
    torn: bytes
    head: Head | None

    @property
    def lost_an_end(self) -> bool:
        """Whether the last line has no end and had one: the head counts it. Else its writer was killed."""
        return bool(self.torn) and (self.head is None or self.head.count > len(self.lines))


def canonical(value: Mapping[str, Any]) -> bytes:
    """A JSON object in the one way in which it is hashed: keys sorted, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def mac_of(key: bytes | None, purpose: str, content: bytes) -> str | None:
    """The HMAC-SHA256 of what stands in the ledger; `purpose` keeps a line's from passing for the head's."""
    return None if key is None else hmac.new(key, purpose.encode() + b"\0" + content, hashlib.sha256).hexdigest()


def same_mac(one: str | None, other: str | None) -> bool:
    """Whether two HMACs agree, in constant time."""
    return one is not None and other is not None and hmac.compare_digest(one, other)


def own_hash(fields: Mapping[str, Any]) -> str:
    """The SHA-256 of an entry's other fields."""
    return hashlib.sha256(canonical({k: v for k, v in fields.items() if k != "sha256"})).hexdigest()


def head_mac(key: bytes | None, head: Head) -> str | None:
    """The HMAC that belongs to a head."""
    return mac_of(key, "ledger head", canonical(head.model_dump(exclude={"mac"})))


def entry_mac(key: bytes | None, fields: Mapping[str, Any]) -> str | None:
    """The HMAC that belongs to an entry's fields, it and the hash left out."""
    return mac_of(key, "ledger line", canonical({k: v for k, v in fields.items() if k not in {"sha256", "mac"}}))


def is_genuine(entry: Entry, key: bytes) -> bool:
    """Whether an entry was written with this key."""
    return same_mac(entry.mac, entry_mac(key, entry.model_dump()))


def parsed_entry(line: bytes) -> Entry:
    """The entry of one line; a `ValueError` that says why where it is none, or is not what its hash is of."""
    try:
        fields = parsed_json(line)
        entry = Entry.model_validate(fields, strict=True)
    except ValidationError as error:
        raise ValueError(f"is no entry ({error.errors()[0]['msg']})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError("is not JSON") from error
    if own_hash(fields) != entry.sha256:
        raise ValueError("is not what its own hash is of")
    if canonical(fields) != line:
        raise ValueError("is not written as the ledger writes")
    return entry
