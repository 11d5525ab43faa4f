"""What the gate looks at: files that the tasks left, each believed only as far as the ledger vouches for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from options_pricing.quotes.schema import PREDICTIONS
from options_pricing.quotes.tables import read_parquet
from options_pricing.release.entries import Entry
from options_pricing.run.errors import TaskError
from options_pricing.run.files import read_json, sha256_of

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


@dataclass(frozen=True)
class Evidence:
    """All that the gate looks at."""

    evaluation: Evaluation
    drift: str
    drift_detail: str
    validation_day: str | None
    validation_status: str


def read_evidence(files: GateFiles, entries: Sequence[Entry]) -> Evidence:
    """Read what is there; what is missing, broken or not what the ledger names is said, and never raises.

    Parameters
    ----------
    files : GateFiles
    entries : sequence of Entry
        Of the ledger: an evaluation counts if its files are those that it recorded.
    """
    day, status = _validation(files.validations)
    drift, detail = _drift(files.drift, day)
    return Evidence(_evaluation(files, entries), drift, detail, day, status)


def _evaluation(files: GateFiles, entries: Sequence[Entry]) -> Evaluation:
    try:
        metrics = read_json(files.metrics)
        model, sha256 = str(metrics["chosen_model"]), metrics.get("model_sha256")
        held = {"metrics_sha256": sha256_of(files.metrics), "predictions_sha256": sha256_of(files.predictions)}
        recorded = [entry.details for entry in entries if entry.event == "evaluated"]
        if not any(details.items() >= {**held, "model_sha256": sha256}.items() for details in recorded):
            return Evaluation(model, sha256, trouble="the ledger does not name these files: evaluate again")
        told = read_parquet(files.predictions, PREDICTIONS, only={"protocol": PROTOCOL, "model": model})
    except TaskError as error:
        return Evaluation(trouble=f"{error.what}: {error.why}")
    except (KeyError, TypeError, AttributeError) as error:
        return Evaluation(trouble=f"{files.metrics} is not what model_evaluate writes ({error})")
    told = told[told["held_out"]]
    trouble = None if len(told) else f"it has no predictions under {PROTOCOL}"
    return Evaluation(model, sha256, told, trouble)


def _drift(path: Path, newest: str | None) -> tuple[str, str]:
    """The state of drift and what is said of it; one of another day than the newest validated one is not known."""
    if not path.is_file():
        return UNKNOWN, "no drift has been measured: reports/drift.json is not there"
    told = _json(path)
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


def _validation(folder: Path) -> tuple[str | None, str]:
    """The newest validated day and its status; nothing is known where its report is not what its name says."""
    files = sorted(path for path in folder.glob("validation_*.json") if VALIDATION.fullmatch(path.name))
    told = _json(files[-1]) if files else None
    if not isinstance(told, dict) or told.get("date") != files[-1].stem.split("_")[-1]:
        return None, UNKNOWN
    return str(told["date"]), str(told.get("status", UNKNOWN))


def _json(path: Path) -> Any:
    try:
        return read_json(path)
    except TaskError:
        return None
