"""What the gate looks at: files that the tasks left, each believed only as far as the ledger vouches for it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from options_pricing.quotes.schema import PREDICTIONS
from options_pricing.quotes.tables import read_parquet
from options_pricing.release.entries import Entry
from options_pricing.run.errors import TaskError
from options_pricing.run.files import parsed_json, read_bytes, read_json, sha256_of

PROTOCOL = "next_day"
UNKNOWN = "unknown"
VALIDATION = re.compile(r"validation_[0-9]{8}\.json")


@dataclass(frozen=True)
class GateFiles:
    """Where the evidence lies."""

    metrics: Path
    predictions: Path
    drift: Path
    validations: Path

    @classmethod
    def beside(cls, releases: Path) -> "GateFiles":
        """Those of the checkout that a folder of releases lies in."""
        reports = Path(releases).absolute().parent / "reports"
        return cls(
            reports / "evaluation_metrics.json",
            reports / "evaluation_predictions.parquet",
            reports / "drift.json",
            reports / "validation",
        )


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of one model: whose, its predictions of the next day, and why it cannot be used, if it cannot."""

    model: str = UNKNOWN
    model_sha256: str | None = None
    told: pd.DataFrame = field(default_factory=pd.DataFrame)
    trouble: str | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """All that the gate looks at, with the SHA-256 of every file that was there, by its name."""

    evaluation: Evaluation
    drift: str
    drift_detail: str
    validation_day: str | None
    validation_status: str
    sha256: Mapping[str, str] = field(default_factory=dict)


def read_evidence(files: GateFiles, entries: Sequence[Entry]) -> Evidence:
    """Read what is there; what is missing, broken or not what the ledger names is said, and never raises.

    Parameters
    ----------
    files : GateFiles
    entries : sequence of Entry
        Of the ledger: an evaluation counts if its files are those that it recorded.
    """
    newest = _newest(files.validations)
    validated, drifted = _content(newest), _content(files.drift)
    day, status = _validation(newest, validated)
    drift, detail = _drift(drifted, day)
    evaluation = _evaluation(files, entries)
    looked = [(path, content) for path, content in ((files.drift, drifted), (newest, validated)) if path is not None]
    sha256 = {path.name: hashlib.sha256(content).hexdigest() for path, content in looked if content is not None}
    return Evidence(evaluation, drift, detail, day, status, {**evaluation.sha256, **sha256})


def _evaluation(files: GateFiles, entries: Sequence[Entry]) -> Evaluation:
    seen: dict[str, str] = {}
    try:
        for path in (files.metrics, files.predictions):
            seen[path.name] = sha256_of(path)
        metrics = read_json(files.metrics)
        model, sha256 = str(metrics["chosen_model"]), metrics.get("model_sha256")
        held = {
            "metrics_sha256": seen[files.metrics.name],
            "predictions_sha256": seen[files.predictions.name],
            "model_sha256": sha256,
        }
        recorded = [entry.details for entry in entries if entry.event == "evaluated"]
        if not any(details.items() >= held.items() for details in recorded):
            trouble = "the ledger does not name these files: evaluate again"
            return Evaluation(model, sha256, trouble=trouble, sha256=seen)
        told = read_parquet(files.predictions, PREDICTIONS, only={"protocol": PROTOCOL, "model": model})
    except TaskError as error:
        return Evaluation(trouble=f"{error.what}: {error.why}", sha256=seen)
    except (KeyError, TypeError, AttributeError) as error:
        return Evaluation(trouble=f"{files.metrics} is not what model_evaluate writes ({error})", sha256=seen)
    told = told[told["held_out"]]
    return Evaluation(model, sha256, told, None if len(told) else f"it has no predictions under {PROTOCOL}", seen)


def _drift(content: bytes | None, newest: str | None) -> tuple[str, str]:
    """The state of drift and what is said of it; one of another day than the newest validated one is not known."""
    if content is None:
        return UNKNOWN, "no drift has been measured: reports/drift.json is not there"
    told = _json(content)
    status, day = (told.get("status"), told.get("date")) if isinstance(told, dict) else (None, None)
    if status not in {"green", "amber", "red"}:
        return UNKNOWN, _not_known(told) if status == UNKNOWN else "drift.json says nothing of use"
    if status != "red" and day != newest:
        return UNKNOWN, f"drift.json is of {day}, the newest validated day is {newest}: make that day's report"
    release = told.get("release")
    of = release.get("release_id") if isinstance(release, dict) else None
    return str(status), f"drift.json of {day} says {status}" + (f" of release {of}, which is in use" if of else "")


def _not_known(told: dict[str, Any]) -> str:
    why = told.get("why")
    shown = "".join(c for c in " ".join(why.split()) if c.isprintable()) if isinstance(why, str) else ""
    return f"not known yet: {shown}" if shown else "not known yet"


def _newest(folder: Path) -> Path | None:
    """The report of the newest validated day."""
    return max((path for path in folder.glob("validation_*.json") if VALIDATION.fullmatch(path.name)), default=None)


def _validation(path: Path | None, content: bytes | None) -> tuple[str | None, str]:
    """The day of a validation report and its status; nothing is known where it is not what its name says."""
    told = _json(content) if content is not None else None
    if path is None or not isinstance(told, dict) or told.get("date") != path.stem.split("_")[-1]:
        return None, UNKNOWN
    return str(told["date"]), str(told.get("status", UNKNOWN))


def _content(path: Path | None) -> bytes | None:
    """The bytes of a file, read once, so that what is hashed is what is looked at; None where there are none."""
    try:
        return None if path is None else read_bytes(path)
    except TaskError:
        return None


def _json(content: bytes) -> Any:
    try:
        return parsed_json(content)
    except (ValueError, RecursionError):
        return None
