"""API keys: long random numbers, of which a server holds only the SHA-256.

A key has 256 random bits, so that its plain SHA-256 tells as little as a slow hash would and costs a microsecond.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from options_pricing.run.errors import BadParamsError

VARIABLE = "OPTIONS_PRICING_API_KEY_HASHES"
FILE_VARIABLE = "OPTIONS_PRICING_API_KEY_HASHES_FILE"
PREFIX = "opk_"
ENTRY = re.compile(r"([A-Za-z0-9_-]{1,32}):([0-9a-f]{64})", re.ASCII)
VALID_AT_ONCE = 2
LARGEST_FILE = 1 << 16


@dataclass(frozen=True)
class Keys:
    """The keys that are let in: (name of the client, SHA-256 of its key); without any, everyone is."""

    entries: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def client_of(self, key: str) -> str | None:
        """Whose key this is; None where it is nobody's. Takes as long whichever it is and wherever it differs."""
        given = hash_of(key)
        found = None
        for name, held in self.entries:
            if hmac.compare_digest(given, held):
                found = name
        return found

    @classmethod
    def from_environment(cls) -> "Keys":
        """The keys in the environment's variable and in the file that another one names.

        Raises
        ------
        BadParamsError
            An entry is not ``name:sha256``, or a name has more than two.
        """
        held = [(VARIABLE, os.environ.get(VARIABLE, ""))]
        if file := os.environ.get(FILE_VARIABLE):
            held.append((f"the file that {FILE_VARIABLE} names", _content(Path(file))))
        return cls(tuple(entry for where, text in held for entry in _entries(where, text)))._checked()

    def _checked(self) -> "Keys":
        names = [name for name, _ in self.entries]
        for name in names:
            if names.count(name) > VALID_AT_ONCE:
                raise _refused(
                    f"the client {name}", f"it has {names.count(name)} keys, at most {VALID_AT_ONCE} at once"
                )
        return self


def new_key() -> str:
    """A new key."""
    return PREFIX + secrets.token_urlsafe(32)


def entry_of(name: str, key: str) -> str:
    """By what a server knows a key; a `BadParamsError` where the name cannot be one."""
    entry = f"{name}:{hash_of(key)}"
    if not ENTRY.fullmatch(entry):
        raise BadParamsError(
            f"{name!r} is no name for a key",
            why="it goes into a list, and into the access log",
            fix="take 1 to 32 letters, digits, _ and -",
        )
    return entry


def hash_of(key: str) -> str:
    """The SHA-256 of a key, as a server holds it."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _entries(where: str, text: str) -> Iterable[tuple[str, str]]:
    for number, line in enumerate(re.split(r"[\n,]", text), start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        found = ENTRY.fullmatch(entry)
        if found is None:
            # What stands there may be a key itself, so it is not repeated.
            raise _refused(where, f"entry {number} is not a client's name, a colon and 64 hexadecimal digits")
        yield found[1], found[2]


def _content(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as handle:
            return handle.read(LARGEST_FILE)
    except (OSError, ValueError) as error:
        raise _refused(f"the file that {FILE_VARIABLE} names", str(error)) from error


def _refused(where: str, why: str) -> BadParamsError:
    return BadParamsError(
        f"{where} does not hold the hashes of API keys",
        why=why,
        fix="make an entry with `options-pricing keys new NAME`; one a line, or between commas",
    )
