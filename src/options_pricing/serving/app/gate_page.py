"""May this release be live without anybody answering for it: the gate's checks, what is live, and the ledger."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from options_pricing.release.approvals import in_force
from options_pricing.release.entries import Entry
from options_pricing.release.evidence import GateFiles, read_evidence
from options_pricing.release.gate import GateState, gate_state
from options_pricing.release.ledger import LEDGER_FILE, Ledger
from options_pricing.release.manifest import MODEL_FILE, manifest_bytes
from options_pricing.release.standing import standing
from options_pricing.release.store import Store
from options_pricing.run.errors import TaskError
from options_pricing.serving import beside
from options_pricing.serving.app.view import View, metrics, nothing, plain, say_error, say_with_file

ALONE = "The gate looks at reports/ and releases/ of a checkout; the app was started on a release alone."
GATE_CAPTION = (
    "Every check must hold for the gate to be open; while it is closed, only a release that somebody else has approved "
    "can be promoted. The ledger vouches for the evaluation; drift and validation are as their files say."
)
LEDGER_CAPTION = (
    "What was done to which release, when and by whom, newest first; every line holds the hash of the one before. The "
    "file has hashes and times in full."
)
MOST_LINES = 500
HASH, SHOWN_OF_HASH = re.compile(r"\b[0-9a-f]{64}\b"), 12


def show(view: View) -> None:
    """Draw the page."""
    if view.checkout is None:
        nothing(ALONE)
        return
    store = Store(view.checkout / beside.RELEASES)
    ledger = Ledger(store.folder / LEDGER_FILE)
    try:
        _standing(view, store, ledger)
        if st.toggle("Look at the evidence", value=True, key="evidence", bind="query-params"):
            _gate(view, store, view.checkout)
        _lines(ledger.entries())
    except TaskError as error:
        say_error(error)


def _standing(view: View, store: Store, ledger: Ledger) -> None:
    live, head, faults = store.live(), ledger.head(), ledger.faults()
    metrics(
        {
            "Live": live.live if live else "nothing",
            "Before it": (live.previous if live else None) or "nothing",
            "Shown here": view.release.manifest.release_id,
            "Lines in the ledger": f"{head.count:,}",
            "Last line's hash": head.sha256[:SHOWN_OF_HASH] if head.count else "none",
        }
    )
    st.caption(f"Of the release shown here: {plain(_approval(view, ledger))}")
    other, unfinished = standing(ledger.genuine_entries(), live.live if live else None)
    if other:
        st.error(f"**Not what the ledger says:** {plain(other)}")
    for fault in faults:
        st.error(f"**The ledger is not as it was written:** {plain(fault)}")
    for note in [*ledger.notes(), *filter(None, [unfinished])]:
        st.caption(plain(note))


def _approval(view: View, ledger: Ledger) -> str:
    """Who has approved the release that is shown, and until when."""
    manifest = hashlib.sha256(manifest_bytes(view.release.manifest)).hexdigest()
    given = in_force(ledger.genuine_entries(), manifest, datetime.now(UTC))
    told = [f"approved by {found.by} until {found.expires:%Y-%m-%d %H:%M} UTC: {found.reason}" for found in given]
    return "; ".join(told) or "no approval is in force."


def _gate(view: View, store: Store, checkout: Path) -> None:
    files = GateFiles.beside(store.folder)
    looked_at = [files.metrics, files.predictions, files.drift, *sorted(files.validations.glob("validation_*.json"))]
    stamps = beside.stamps(*looked_at, store.folder / LEDGER_FILE, checkout / beside.PARAMS)
    state = _state(str(store.folder), view.release.manifest.files[MODEL_FILE], str(checkout), stamps)
    if state.open:
        st.success("**The gate is open.**", icon=":material/lock_open:")
    else:
        st.warning("**The gate is closed.**", icon=":material/lock:")
    table = checks_of(state)
    # Unlike a dataframe, a table breaks its lines where the page is narrow.
    st.table(table[["holds", "check", "said"]].map(plain), hide_index=True, alt="The gate's checks")
    name = f"gate_{view.release.manifest.release_id}"
    say_with_file(GATE_CAPTION, table, name, key="gate")
    with st.expander("The figures behind each check"):
        st.json({check.name: check.evidence for check in state.checks}, expanded=1)


@st.cache_data(max_entries=4, show_spinner="Looking at the evidence")
def _state(releases: str, model_sha256: str, checkout: str, stamps: Any) -> GateState:
    ledger = Ledger(Path(releases) / LEDGER_FILE)
    evidence = read_evidence(GateFiles.beside(Path(releases)), ledger.genuine_entries())
    return gate_state(evidence, model_sha256, beside.gate_of(Path(checkout)))


def checks_of(state: GateState) -> pd.DataFrame:
    """The checks: ``holds`` as a word, so that no colour is needed, ``check``, and what it ``said``."""
    return pd.DataFrame(
        {
            "holds": ["yes" if check.passed else "NO" for check in state.checks],
            "check": [check.name.replace("_", " ") for check in state.checks],
            "said": [check.detail for check in state.checks],
            "evidence": [json.dumps(check.evidence, default=str) for check in state.checks],
        }
    )


def _lines(entries: list[Entry]) -> None:
    if not entries:
        nothing("The ledger is empty: nothing has been done to any release.")
        return
    table = ledger_table(entries)
    st.dataframe(
        in_brief(table.head(MOST_LINES)),
        hide_index=True,
        row_height=26,
        height="content" if len(table) <= 12 else 360,
        alt="The ledger, newest line first",
    )
    say_with_file(LEDGER_CAPTION, table, f"ledger_to_line_{entries[-1].sequence}", key="ledger")


def in_brief(table: pd.DataFrame) -> pd.DataFrame:
    """The lines of a ledger as wide as a page: times to the second, hashes by their beginning."""
    shortened = table["details"].str.replace(HASH, lambda found: found[0][:SHOWN_OF_HASH], regex=True)
    return table.assign(
        **{"at (UTC)": table["at (UTC)"].str[:19], "details": shortened, "sha256": table["sha256"].str[:SHOWN_OF_HASH]}
    )


def _details(held: Mapping[str, Any]) -> str:
    """What a line says beside who did what: hashes last, nothing of what was not."""
    ordered = sorted(held.items(), key=lambda detail: detail[0].endswith("sha256"))
    return ", ".join(filter(None, (_detail(*detail) for detail in ordered)))


def _detail(name: str, value: Any) -> str:
    """One detail of a line in words; empty where there is nothing to say."""
    words = name.replace("_", " ")
    if value is None or value is False:
        return ""
    if value is True:
        return words
    if isinstance(value, dict):
        return f"{words} ({_details(value)})"
    return f"{words} {value:.4g}" if isinstance(value, float) else f"{words} {value}"


def ledger_table(entries: list[Entry]) -> pd.DataFrame:
    """The lines of a ledger, newest first."""
    told = [
        {
            "line": entry.sequence,
            "at (UTC)": str(entry.at).replace("T", " "),
            "event": entry.event.replace("_", " "),
            "release": entry.release_id or "",
            "by": entry.by or "",
            "details": _details(entry.details),
            "sha256": entry.sha256,
        }
        for entry in reversed(entries)
    ]
    return pd.DataFrame(told)
