"""The ledger: what was done to which release, when and by whom, in lines that are only ever added.

A line is a JSON object that holds the SHA-256 of the line before it, so that no line can be changed, taken out, put in
or moved without every later one telling. How many lines there are and the hash of the last stand in a second file, the
head: it tells of a tail that was cut off. With a release key each line and the head carry an HMAC too. What that does
and does not keep an attacker from is in docs/governance.md.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from options_pricing.release.entries import (
    Entry,
    Event,
    Head,
    Held,
    canonical,
    entry_mac,
    head_mac,
    is_genuine,
    own_hash,
    parsed_entry,
    same_mac,
)
from options_pricing.release.ledger_faults import faults_of, notes_of
from options_pricing.release.signing import release_key
from options_pricing.run.errors import BadDataError, BadParamsError
from options_pricing.run.files import parsed_json, read_bytes, write_json, writing

LEDGER_FILE = "ledger.jsonl"
LARGEST_LINE = 1 << 16


class Ledger:
    """An append-only, hash-chained file of acts.

    Parameters
    ----------
    path : Path
        ``ledger.jsonl``; the head lies beside it as ``ledger.head.json``. Neither need be there yet.
    key : callable
        Gives the release key, of lines and head, or None where there is none; that of this machine unless given.
    """

    def __init__(self, path: Path, *, key: Callable[[], bytes | None] = release_key) -> None:
        self.path = Path(path)
        self.head_path = self.path.with_suffix(".head.json")
        self._key = key()

    def append(
        self,
        event: Event,
        *,
        release_id: str | None = None,
        by: str | None = None,
        details: Mapping[str, Any] | None = None,
        at: datetime | None = None,
        check: Callable[[list[Entry]], None] | None = None,
    ) -> Entry:
        """Add one line, on the disk when this returns; several processes may do so at the same time.

        It is chained to the last line where head and file agree, else to what the head says: a line that was cut
        off or changed is then missing for good, and `faults` names its place. What a killed writer left of a line is
        removed.

        Parameters
        ----------
        event, release_id, by, details
            What was done, to which release, by whom, and what else is to be known; the details are JSON.
        at : datetime, optional
            When; now unless given.
        check : callable, optional
            Is shown the entries so far, no other writer being between, and may raise.

        Raises
        ------
        CannotWriteError
            The file or its head could not be written.
        BadParamsError
            The ledger is signed, and no release key is here or another one.
        BadDataError
            The line would be longer than 64 KiB, or hold what JSON cannot.
        """
        with self._locked(fcntl.LOCK_EX) as descriptor:
            held = self._read()
            self._require_key(held)
            if check is not None:
                check(_entries_in(held))
            before = _last(held, self._key)
            entry = self._entry(before, at, event=event, release_id=release_id, by=by, details=dict(details or {}))
            line, place = canonical(entry.model_dump()) + b"\n", sum(len(line) + 1 for line in held.lines)
            if held.lost_an_end:  # It is evidence.
                line, place = b"\n" + line, place + len(held.torn)
            self._write(descriptor, line, place)
            self._write_head(entry, before)
        return entry

    def entries(self) -> list[Entry]:
        """All acts, oldest first; lines that are no entries are left out (`faults` names them)."""
        return _entries_in(self._read_locked())

    def genuine_entries(self) -> list[Entry]:
        """Those of them that the release key of this machine has signed; all where it has none."""
        return [entry for entry in self.entries() if self._key is None or is_genuine(entry, self._key)]

    def head(self) -> Head:
        """Number and hash of the last line as the file holds it, whatever the head file says."""
        entries = self.entries()
        return Head(count=entries[-1].sequence, sha256=entries[-1].sha256) if entries else Head()

    def faults(self) -> list[str]:
        """What is wrong with the ledger, the first altered line first; nothing where it is as it was written."""
        return faults_of(self._read_locked(), self._key)

    def notes(self) -> list[str]:
        """What is no fault and should be known: an unfinished line, lines that no key protects."""
        return notes_of(self._read_locked(), self._key)

    def _require_key(self, held: Held) -> None:
        """Refuse the line that would make a signed ledger unsound for good, for want of the key of the others."""
        head = held.head
        if head is None or head.mac is None:
            return
        if self._key is None:
            raise BadParamsError(
                f"{self.path} is signed, and there is no release key here",
                why="a line without it would make the ledger unsound for good",
                fix="set the release key where this runs (docs/governance.md)",
            )
        if _of_another_key(held, head, self._key):
            raise BadParamsError(
                f"{self.path} is signed with another release key than the one that is here",
                why="a line with this one would make the ledger unsound for good",
                fix="set the key that signed it, or keep it under another name and begin anew (docs/governance.md)",
            )

    def _entry(self, before: Head, at: datetime | None, **said: Any) -> Entry:
        time = (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds")
        fields = {"sequence": before.count + 1, "at": time, "previous": before.sha256, **said}
        try:
            fields["mac"] = entry_mac(self._key, fields)
            line = canonical({**fields, "sha256": own_hash(fields)})
            if len(line) > LARGEST_LINE:
                raise ValueError(f"has {len(line)} bytes, at most {LARGEST_LINE} are taken")
            return parsed_entry(line)
        except ValueError as error:
            raise BadDataError(
                f"the ledger takes no such {said['event']} entry",
                why=f"the line {error}",
                fix="say it in fewer and plain words",
            ) from error

    @contextmanager
    def _locked(self, kind: int) -> Iterator[int]:
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            with writing(self.path):
                fcntl.flock(descriptor, kind)
            yield descriptor
        finally:
            os.close(descriptor)

    def _read_locked(self) -> Held:
        """Both files as no writer is between them; a ledger that is not there is empty."""
        if not self.path.is_file():
            return self._read()
        with self.path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)
            return self._read()

    def _read(self) -> Held:
        content = read_bytes(self.path) if self.path.is_file() else b""
        *lines, torn = content.split(b"\n")
        return Held(lines, torn, self._read_head())

    def _read_head(self) -> Head | None:
        if not self.head_path.is_file():
            return Head()
        try:
            return Head.model_validate(parsed_json(read_bytes(self.head_path)), strict=True)
        except (ValueError, RecursionError):
            return None

    def _write(self, descriptor: int, line: bytes, at: int) -> None:
        with writing(self.path):
            os.ftruncate(descriptor, at)
            try:
                if os.pwrite(descriptor, line, at) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, at)
                raise

    def _write_head(self, entry: Entry, before: Head) -> None:
        signed_from = None if self._key is None else before.signed_from or entry.sequence
        head = Head(count=entry.sequence, sha256=entry.sha256, signed_from=signed_from)
        write_json(self.head_path, head.model_copy(update={"mac": head_mac(self._key, head)}).model_dump())


def _entries_in(held: Held) -> list[Entry]:
    found = []
    for line in held.lines:
        try:
            found.append(parsed_entry(line))
        except ValueError:
            continue
    return found


def _of_another_key(held: Held, head: Head, key: bytes) -> bool:
    """Whether both the head and the line that it counts last were signed, neither of them with this key."""
    if same_mac(head.mac, head_mac(key, head)) or not 0 < head.count <= len(held.lines):
        return False
    try:
        last = parsed_entry(held.lines[head.count - 1])
    except ValueError:
        return False
    return last.mac is not None and not is_genuine(last, key)


def _last(held: Held, key: bytes | None) -> Head:
    """What the next line follows: the last line where the head vouches for it, else what the head says."""
    head = held.head or Head()
    if key is not None and not same_mac(head.mac, head_mac(key, head)):
        head = head.model_copy(update={"signed_from": None})
    beyond = held.lines[head.count :]
    # A writer may have been killed between its line and the head: one line more than the head counts.
    if len(beyond) != 1:
        return head
    try:
        entry = parsed_entry(beyond[0])
    except ValueError:
        return head
    follows = entry.previous == head.sha256 and entry.sequence == head.count + 1
    if not follows or (key is not None and not is_genuine(entry, key)):
        return head
    return head.model_copy(update={"count": entry.sequence, "sha256": entry.sha256})
