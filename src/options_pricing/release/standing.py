"""Whether what is live is what the ledger says was made live: ``live.json`` holds no proof of its own."""

from collections.abc import Sequence

from options_pricing.release.entries import Entry

ACTS = ("promoted", "rolled_back", "demoted")


def standing(entries: Sequence[Entry], live: str | None) -> tuple[str | None, str | None]:
    """A fault and a note on what is live, each None where there is none.

    Parameters
    ----------
    entries : sequence of Entry
        Of the ledger, oldest first.
    live : str or None
        The release that ``live.json`` names.
    """
    last = next((entry for entry in reversed(entries) if entry.event in ACTS), None)
    before, after = _ends(last) if last else (None, None)
    if live == after:
        return None, None
    line = f"line {last.sequence} of the ledger left {after or 'nothing'} live" if last else "the ledger made none live"
    said = f"live is {live or 'nothing'}, and {line}"
    if last and live == before:  # A promotion is recorded before it is done, going back after it.
        return None, f"{said}: a command was ended between its act and its record"
    return f"{said}: live.json was written by something else", None


def _ends(act: Entry) -> tuple[str | None, str | None]:
    """What was live before an act of `ACTS`, and after it."""
    if act.event == "promoted":
        return _name(act.details.get("from")), act.release_id
    return act.release_id, _name(act.details.get("to"))


def _name(told: object) -> str | None:
    return told if isinstance(told, str) else None
