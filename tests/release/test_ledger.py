"""Fault 69: whatever is done to the ledger's lines, `faults` names the first that is not as it was written."""

import json
import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from options_pricing.release.entries import canonical, head_mac, own_hash
from options_pricing.release.ledger import Ledger
from options_pricing.run.errors import BadDataError, BadParamsError, CannotWriteError

KEY = b"a key that is outside the repository"
OTHER_KEY = b"another key of the same kind, thirty"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVENTS = ("trained", "evaluated", "staged", "approved", "promoted", "rolled_back")


def filled(folder: Path, key: bytes | None = None, lines: int = 6) -> Ledger:
    ledger = Ledger(folder / "ledger.jsonl", key=lambda: key)
    for place in range(lines):
        ledger.append(
            EVENTS[place % 6], release_id=f"{place:012x}", by="Ann", details={"r2": 0.1 + place, "café": "é"}, at=NOON
        )
    return ledger


@pytest.fixture
def ledger(tmp_path):
    return filled(tmp_path)


@pytest.fixture
def keyed(tmp_path):
    return filled(tmp_path, KEY)


def lines_of(ledger: Ledger) -> list[bytes]:
    return ledger.path.read_bytes().splitlines(keepends=True)


def rewrite(ledger: Ledger, lines: list[bytes]) -> None:
    ledger.path.write_bytes(b"".join(lines))


def chained_anew(ledger: Ledger, lines: list[bytes]) -> None:
    """What an attacker can do who knows the format and has no key: renumber and hash everything again, head too."""
    before, made = "0" * 64, []
    for number, line in enumerate(lines, start=1):
        fields = {**json.loads(line), "sequence": number, "previous": before}
        before = own_hash(fields)
        made.append(canonical({**fields, "sha256": before}) + b"\n")
    rewrite(ledger, made)
    head = {"count": len(lines), "sha256": before, "signed_from": None, "mac": None}
    ledger.head_path.write_text(json.dumps({**json.loads(ledger.head_path.read_text()), **head}))


def test_a_ledger_that_is_not_there_is_empty_and_sound(tmp_path):
    ledger = Ledger(tmp_path / "none" / "ledger.jsonl")
    assert (ledger.entries(), ledger.faults(), ledger.head().count) == ([], [], 0)
    assert not ledger.path.parent.exists()


def test_entries_come_back_as_they_were_written_each_with_the_hash_of_the_one_before(ledger):
    entries = ledger.entries()
    assert [entry.event for entry in entries] == list(EVENTS)
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.previous for entry in entries] == ["0" * 64, *(entry.sha256 for entry in entries[:-1])]
    assert entries[2].details == {"r2": 2.1, "café": "é"}
    assert entries[0].at == "2026-11-20T12:00:00.000+00:00"
    assert ledger.head().sha256 == entries[-1].sha256
    assert ledger.faults() == []


def test_fault_69_edited_line_is_named(ledger):
    lines = lines_of(ledger)
    lines[2] = lines[2].replace(b'"by":"Ann"', b'"by":"Bob"')
    rewrite(ledger, lines)
    assert ledger.faults()[0] == "line 3 is not what its own hash is of"


def test_fault_69_line_edited_with_its_hash_breaks_the_chain_at_the_next(ledger):
    lines = lines_of(ledger)
    fields = json.loads(lines[2]) | {"by": "Bob"}
    lines[2] = canonical({**fields, "sha256": own_hash(fields)}) + b"\n"
    rewrite(ledger, lines)
    assert ledger.faults()[0] == "line 4 does not follow the line before it"


@pytest.mark.parametrize("gone", range(5))
def test_fault_69_deleted_line_is_named(ledger, gone):
    lines = lines_of(ledger)
    del lines[gone]
    rewrite(ledger, lines)
    assert ledger.faults()[0].startswith(f"line {gone + 1} holds entry {gone + 2}")


def test_fault_69_reordered_lines_are_named(ledger):
    lines = lines_of(ledger)
    lines[3], lines[4] = lines[4], lines[3]
    rewrite(ledger, lines)
    assert ledger.faults()[0].startswith("line 4 holds entry 5")


def test_fault_69_line_put_in_twice_is_named(ledger):
    lines = lines_of(ledger)
    rewrite(ledger, [*lines[:3], lines[2], *lines[3:]])
    assert ledger.faults()[0].startswith("line 4 holds entry 3")


@pytest.mark.parametrize("kept", range(6))
def test_fault_69_truncated_tail_is_named_and_stays_named_after_the_next_entry(ledger, kept):
    rewrite(ledger, lines_of(ledger)[:kept])
    assert f"line {kept + 1} is missing: the head file counts 6 lines, the ledger has {kept}" in ledger.faults()
    ledger.append("staged")
    assert ledger.faults()[0].startswith(f"line {kept + 1} holds entry 7")


def test_fault_69_truncated_tail_with_its_head_removed_is_named_and_stays_named(ledger):
    rewrite(ledger, lines_of(ledger)[:4])
    ledger.head_path.unlink()
    assert ledger.faults() == ["the head file is missing: lines may have been cut off the end"]
    ledger.append("staged")
    assert ledger.faults()[0].startswith("line 5 holds entry 1")


def test_fault_69_whole_file_removed_is_named(ledger):
    ledger.path.unlink()
    assert ledger.faults()[0].startswith("line 1 is missing")


def test_fault_69_same_person_approving_twice_is_named_however_the_name_is_written(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    said = {"manifest_sha256": "a" * 64, "expires": "2027-01-01T00:00:00.000+00:00"}
    ledger.append("approved", release_id="a" * 12, by="Ann Lee", details=said, at=NOON)
    ledger.append("approved", release_id="a" * 12, by="Bob", details=said, at=NOON)
    assert ledger.faults() == []
    ledger.append("approved", release_id="a" * 12, by=" ann  LEE", details=said, at=NOON)
    assert len(ledger.faults()) == 1
    assert ledger.faults()[0].startswith("line 3 approves release aaaaaaaaaaaa by  ann  LEE a second time; line 1")


def test_approving_again_after_revocation_or_expiry_is_no_fault(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    said = {"manifest_sha256": "a" * 64, "expires": "2026-11-21T00:00:00.000+00:00"}
    ledger.append("approved", by="Ann", details=said, at=NOON)
    ledger.append("revoked", by="Bob", details={"approval": 1}, at=NOON)
    ledger.append("approved", by="Ann", details=said, at=NOON)
    ledger.append("approved", by="Ann", details=said, at=NOON.replace(day=22))
    assert ledger.faults() == []


@pytest.fixture(scope="module", params=[None, KEY], ids=["without key", "with key"])
def written(request, tmp_path_factory):
    """A ledger that property tests write over, and what it holds."""
    ledger = filled(tmp_path_factory.mktemp("ledger"), request.param)
    return ledger, ledger.path.read_bytes()


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_fault_69_any_single_byte_change_of_any_line_is_found(written, data):
    ledger, before = written
    content = bytearray(before)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    ledger.path.write_bytes(content)
    number = before[:place].count(b"\n") + 1
    # An altered line end joins two lines: the first of them is named.
    assert ledger.faults()[0].startswith(f"line {number} "), ledger.faults()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_fault_69_any_cut_of_the_file_is_found(written, data):
    ledger, before = written
    first = data.draw(st.integers(0, len(before) - 1))
    last = data.draw(st.integers(first + 1, len(before)))
    ledger.path.write_bytes(before[:first] + before[last:])
    assert ledger.faults()


def test_without_a_key_who_writes_everything_anew_is_found_by_the_hash_told_elsewhere_alone(ledger):
    told = ledger.head().sha256
    chained_anew(ledger, lines_of(ledger)[:-1])
    assert ledger.faults() == []
    assert ledger.head().sha256 != told
    assert "whoever can write the files could have written them all anew" in ledger.notes()[0]


def test_fault_69_with_a_key_who_writes_everything_anew_is_named(keyed):
    chained_anew(keyed, [lines_of(keyed)[0], *lines_of(keyed)[2:]])
    assert keyed.faults()[0] == "line 2 was not written with the release key that is here"


def test_fault_69_with_a_key_a_cut_tail_and_a_head_made_anew_are_named(keyed):
    chained_anew(keyed, lines_of(keyed)[:-1])
    assert keyed.faults() == ["the head file was not written with the release key that is here"]


def test_fault_69_with_a_key_an_approval_added_without_it_is_named_and_never_becomes_sound(keyed):
    head = json.loads(keyed.head_path.read_text())
    keyed.head_path.write_text(json.dumps(head | {"mac": None, "signed_from": None}))
    Ledger(keyed.path).append("approved", by="Mallory", details={"manifest_sha256": "a" * 64})
    assert keyed.faults()[0] == "line 7 was written without the release key"
    keyed.append("staged")
    assert keyed.faults() == ["line 7 was written without the release key"]
    assert keyed.notes() == ["lines before 8 were written without a release key, which protects them only since then"]


def test_a_signed_ledger_takes_no_line_without_the_key(keyed):
    before = keyed.path.read_bytes()
    with pytest.raises(BadParamsError, match="no release key here"):
        Ledger(keyed.path).append("staged")
    assert keyed.path.read_bytes() == before
    assert keyed.faults() == []


def test_a_signed_ledger_takes_no_line_of_another_key(keyed):
    before = keyed.path.read_bytes(), keyed.head_path.read_bytes()
    with pytest.raises(BadParamsError, match="another release key") as caught:
        Ledger(keyed.path, key=lambda: OTHER_KEY).append("staged")
    assert OTHER_KEY.decode() not in str(caught.value)
    assert (keyed.path.read_bytes(), keyed.head_path.read_bytes()) == before
    assert keyed.faults() == []
    keyed.append("staged")
    assert keyed.faults() == []


def test_a_head_that_was_tampered_with_does_not_pass_for_another_key(keyed):
    head = json.loads(keyed.head_path.read_text())
    keyed.head_path.write_text(json.dumps(head | {"mac": "0" * 64}))
    assert keyed.append("staged").sequence == 7


class Unasking(Ledger):
    """The ledger of somebody who does not ask which key it needs."""

    def _require_key(self, held):
        """Whoever may write the files may do so."""


def test_fault_69_with_a_key_a_line_added_between_line_and_head_is_not_followed(keyed):
    head = keyed.head_path.read_bytes()
    Unasking(keyed.path, key=lambda: OTHER_KEY).append("approved", by="Mallory")
    keyed.head_path.write_bytes(head)
    assert keyed.faults()[0] == "line 7 was not written with the release key that is here"
    keyed.append("staged")
    assert keyed.faults()


def test_a_key_that_comes_later_vouches_for_the_lines_from_then_on(ledger):
    keyed = Ledger(ledger.path, key=lambda: KEY)
    assert keyed.faults() == ["the head file was not written with the release key that is here"]
    keyed.append("staged")
    assert keyed.faults() == []
    assert keyed.notes() == ["lines before 7 were written without a release key, which protects them only since then"]


def test_a_head_says_what_its_mac_is_of(keyed):
    head = json.loads(keyed.head_path.read_text())
    assert head["mac"] == head_mac(KEY, keyed._read().head)
    keyed.head_path.write_text(json.dumps(head | {"signed_from": 2}))
    assert keyed.faults() == ["the head file was not written with the release key that is here"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"count": -1}', b'{"count": "6"}', b"\xff"])
def test_a_head_that_cannot_be_read_is_named(ledger, content):
    ledger.head_path.write_bytes(content)
    assert ledger.faults() == ["the head file cannot be read"]


@pytest.mark.parametrize("length", [1, 40, -2, -1])
def test_what_a_killed_writer_left_is_named_and_healed_by_the_next_entry(ledger, length):
    before, head = ledger.path.read_bytes(), ledger.head_path.read_bytes()
    ledger.append("staged", at=NOON)
    whole = lines_of(ledger)[-1]
    ledger.path.write_bytes(before + whole[:length])
    ledger.head_path.write_bytes(head)
    assert ledger.faults() == []
    assert ledger.notes()[0].startswith("line 7 is unfinished (its writer was killed)")
    ledger.append("promoted")
    assert [entry.event for entry in ledger.entries()] == [*EVENTS, "promoted"]
    assert ledger.faults() == []


@pytest.mark.parametrize("key", [None, KEY])
def test_a_writer_killed_between_the_line_and_the_head_leaves_a_sound_ledger(tmp_path, key):
    ledger = filled(tmp_path, key)
    head = ledger.head_path.read_bytes()
    ledger.append("staged")
    ledger.head_path.write_bytes(head)
    assert ledger.faults() == []
    ledger.append("promoted")
    assert [entry.sequence for entry in ledger.entries()] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert ledger.faults() == []


def append_many(path: Path, start, lines: int) -> None:
    start.wait()
    for place in range(lines):
        Ledger(path, key=lambda: KEY).append("trained", by=str(os.getpid()), details={"place": place})


def test_writers_at_the_same_time_lose_no_line(tmp_path):
    context = multiprocessing.get_context("fork")
    start, path = context.Event(), tmp_path / "ledger.jsonl"
    writers = [context.Process(target=append_many, args=(path, start, 15)) for _ in range(4)]
    for writer in writers:
        writer.start()
    start.set()
    for writer in writers:
        writer.join()
    ledger = Ledger(path, key=lambda: KEY)
    assert ledger.faults() == []
    assert sorted((entry.by, entry.details["place"]) for entry in ledger.entries()) == sorted(
        (str(writer.pid), place) for writer in writers for place in range(15)
    )


def die_at_call(ledger: Ledger, step: int) -> int:
    """Append in a child that SIGKILL ends before its `step`-th call that changes the file system; its wait status."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    left = [step]

    def counted(change):
        def change_or_die(*args, **kwargs):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return change(*args, **kwargs)

        return change_or_die

    def half(descriptor, line, place):
        whole(descriptor, line[: len(line) // 2], place)
        return whole(descriptor, line, place)

    whole = counted(os.pwrite)
    os.pwrite = half
    for where, name in ((os, "ftruncate"), (os, "fsync"), (Path, "write_text"), (Path, "replace")):
        setattr(where, name, counted(getattr(where, name)))
    try:
        ledger.append("staged")
    finally:
        os._exit(0)


def test_killed_at_any_step_the_ledger_is_sound_and_goes_on(tmp_path):
    step, status, ledger = 0, 1, filled(tmp_path, KEY, lines=2)
    while status:
        status = die_at_call(ledger, step)
        assert ledger.faults() == []
        ledger.append("promoted", details={"step": step})
        assert ledger.faults() == []
        step += 1
    assert step > 6
    assert [e.details["step"] for e in ledger.entries() if e.event == "promoted"] == list(range(step))


def test_a_full_disk_leaves_the_lines_that_were_there(ledger, monkeypatch):
    before, write = ledger.path.read_bytes(), os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, line, at: write(file, line[:20], at))
    with pytest.raises(CannotWriteError, match=r"ledger\.jsonl could not be written"):
        ledger.append("staged")
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize("by", ["\ud800", "x" * 70_000])
def test_what_no_line_can_hold_is_refused_and_nothing_written(ledger, by):
    before = ledger.path.read_bytes()
    with pytest.raises(BadDataError, match="takes no such approved entry"):
        ledger.append("approved", by=by)
    assert ledger.path.read_bytes() == before


def test_line_breaks_in_what_a_person_says_stay_in_one_line(ledger):
    ledger.append("approved", by="Ann\n{}", details={"reason": "a\r\nb\u2028c"})
    assert len(lines_of(ledger)) == 7
    assert ledger.faults() == []


def test_lines_without_hmacs_in_the_place_of_all_are_a_fault_then_a_note_and_never_genuine(tmp_path):
    kept = filled(tmp_path, KEY)
    kept.path.unlink()
    kept.head_path.unlink()
    Ledger(kept.path, key=lambda: None).append("approved", release_id="a" * 12, by="Eve", at=NOON)
    assert kept.faults() == ["the head file was not written with the release key that is here"]
    kept.append("trained", by="ci", at=NOON)
    assert kept.faults() == []
    assert kept.notes() == ["lines before 2 were written without a release key, which protects them only since then"]
    assert [entry.event for entry in kept.genuine_entries()] == ["trained"]
