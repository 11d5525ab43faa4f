"""What is wrong with a ledger: each altered line by its number, the first one first."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from options_pricing.release.entries import (
    NOTHING_BEFORE,
    Entry,
    Head,
    Held,
    head_mac,
    is_genuine,
    parsed_entry,
    same_mac,
)

# What counts as printable and leaves no mark: joiners, fillers, variation selectors.
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def faults_of(held: Held, key: bytes | None) -> list[str]:
    """Every fault of the lines in their order, then those of the head."""
    lines = [*held.lines, held.torn] if held.lost_an_end else held.lines
    found: list[tuple[int, str]] = []
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = parsed_entry(line)
        except ValueError as reason:
            found.append((number, f"line {number} {reason}"))
            continue
        wrong = _out_of_place(number, entry, entries[-1] if entries else None)
        found.extend((number, f"line {number} {said}") for said in wrong)
        entries.append(entry)
    found += [(number, f"line {number} {said}") for number, said in _unsigned(held, entries, key)]
    found += [(number, f"line {number} {said}") for number, said in approved_twice(entries)]
    if held.torn and lines is not held.lines:
        found.append((len(lines), f"line {len(lines)} has lost its end"))
    return [said for _, said in sorted(found, key=lambda fault: fault[0])] + list(_of_head(held, lines, key))


def notes_of(held: Held, key: bytes | None) -> list[str]:
    """What is no fault: an unfinished line that nothing counts, and which lines no key protects."""
    found = []
    if held.torn and not held.lost_an_end:
        found.append(
            f"line {len(held.lines) + 1} is unfinished (its writer was killed); it counts for nothing and the next "
            "entry removes it"
        )
    first = held.head.signed_from if held.head else None
    if key is None and held.lines:
        found.append("no release key here: whoever can write the files could have written them all anew")
    elif held.lines and first is not None and first > 1:
        found.append(f"lines before {first} were written without a release key, which protects them only since then")
    return found


def approved_twice(entries: Sequence[Entry]) -> Iterator[tuple[int, str]]:
    """Approvals of a release by a person whose earlier one of the same release was still in force."""
    standing: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        manifest = str(entry.details.get("manifest_sha256"))
        if entry.event == "revoked":
            standing = {who: held for who, held in standing.items() if held.sequence != entry.details.get("approval")}
        if entry.event != "approved":
            continue
        who = person(entry.by), manifest
        earlier = standing.get(who)
        if earlier is not None and entry.at < str(earlier.details.get("expires")):
            yield (
                entry.sequence,
                f"approves release {entry.release_id} by {entry.by} a second time; line {earlier.sequence} "
                "was still in force",
            )
        standing[who] = entry


def person(name: str | None) -> str:
    """A name as names are compared: Ann, ann, ``ANN `` and an Ann with what nobody sees in it are one person."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name or "").casefold())
    return " ".join("".join(letter for letter in folded if letter.isspace() or _seen(letter)).split())


def readable(text: str) -> bool:
    """Whether a text says something, and nothing in it ends a line, steers a terminal or cannot be seen."""
    return bool(text.strip()) and all(map(_seen, text))


def _seen(letter: str) -> bool:
    return letter.isprintable() and not UNSEEN.match(letter)


def _out_of_place(number: int, entry: Entry, before: Entry | None) -> Iterator[str]:
    if entry.sequence != number:
        yield f"holds entry {entry.sequence}: a line was taken out, put in or moved"
    elif entry.previous != (before.sha256 if before else NOTHING_BEFORE):
        yield "does not follow the line before it"


def _unsigned(held: Held, entries: Sequence[Entry], key: bytes | None) -> Iterator[tuple[int, str]]:
    """Lines that the release key here did not write though it should have."""
    if key is None:
        return
    head = held.head or Head()
    # What a genuine head counts is protected by it, signed or not; but a key once in use stays in use.
    counted = head.signed_from if same_mac(head.mac, head_mac(key, head)) else None
    genuine = (entry.sequence for entry in entries if is_genuine(entry, key))
    first = min(counted or head.count + 1, next(genuine, head.count + 1))
    for entry in entries:
        if entry.mac is not None and not is_genuine(entry, key):
            yield entry.sequence, "was not written with the release key that is here"
        elif entry.mac is None and entry.sequence >= first:
            yield entry.sequence, "was written without the release key"


def _of_head(held: Held, lines: Sequence[bytes], key: bytes | None) -> Iterator[str]:
    head = held.head
    if head is None:
        yield "the head file cannot be read"
        return
    if lines and not head.count and len(lines) > 1:
        yield "the head file is missing: lines may have been cut off the end"
        return
    if head.count > len(lines):
        yield f"line {len(lines) + 1} is missing: the head file counts {head.count} lines, the ledger has {len(lines)}"
    elif head.count < len(lines) - 1:
        yield f"line {head.count + 1} and later ones are not counted by the head file"
    elif head.count and head.sha256 != _hash_in(lines[head.count - 1]):
        yield f"line {head.count} is not the one that the head file names"
    if key is not None and head.count and not same_mac(head.mac, head_mac(key, head)):
        yield "the head file was not written with the release key that is here"


def _hash_in(line: bytes) -> str | None:
    try:
        return parsed_entry(line).sha256
    except ValueError:
        return None
