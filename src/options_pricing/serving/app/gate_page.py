"""May this release be live without anybody answering for it: the gate's checks, what is live, and the ledger."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from options_pricing.release.approvals import in_force
from options_pricing.release.evidence import GateFiles, read_evidence
from options_pricing.release.gate import GateState, gate_state
from options_pricing.release.ledger import LEDGER_FILE, Entry, Ledger
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
    "What was done to which release, when and by whom, newest first; every line holds the hash of the one before."
)
MOST_LINES = 500


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
            "Last line's hash": head.sha256[:12] if head.count else "none",
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
    st.dataframe(
        table[["holds", "check", "said"]],
        hide_index=True,
        row_height=28,
        height="content",
        column_config={name: st.column_config.TextColumn(width="small") for name in ("holds", "check")},
        alt="The gate's checks",
    )
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
        table.head(MOST_LINES),
        hide_index=True,
        row_height=26,
        height="content" if len(table) <= 12 else 360,
        alt="The ledger, newest line first",
    )
    say_with_file(LEDGER_CAPTION, table, f"ledger_to_line_{entries[-1].sequence}", key="ledger")


def ledger_table(entries: list[Entry]) -> pd.DataFrame:
    """The lines of a ledger, newest first."""
    told = [
        {
            "line": entry.sequence,
            "at (UTC)": str(entry.at).replace("T", " "),
            "event": entry.event.replace("_", " "),
            "release": entry.release_id or "",
            "by": entry.by or "",
            "details": ", ".join(f"{name} {value}" for name, value in entry.details.items()),
            "sha256": entry.sha256,
        }
        for entry in reversed(entries)
    ]
    return pd.DataFrame(told)
