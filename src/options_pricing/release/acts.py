"""What the tasks of the workflow tell the ledger."""

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from options_pricing.release.entries import Entry, Event
from options_pricing.release.ledger import Ledger

NOBODY = "unknown account"


def account() -> str:
    """The account that this process runs under, by name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # An account without a name, as containers have.
        return NOBODY


def record(
    ledger: Path | None, event: Event, *, release_id: str | None = None, details: Mapping[str, Any]
) -> Entry | None:
    """Add an act of a task to the ledger, by the account it runs under; nothing where no ledger is named."""
    if ledger is None:
        return None
    return Ledger(ledger).append(event, release_id=release_id, by=account(), details=details)
