"""What a checkout has beside its releases and the app shows: evaluation, other days, quarantine, validation reports."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from options_pricing.models.base import QUOTED, eligible_quotes
from options_pricing.quotes.schema import ERROR_BY_BUCKET, FEATURES, QUARANTINE
from options_pricing.quotes.tables import read_csv
from options_pricing.release.manifest import MANIFEST_FILE, MODEL_FILE
from options_pricing.run.errors import MissingInputError
from options_pricing.run.files import read_json, sha256_of
from options_pricing.run.governance import Gate
from options_pricing.run.params import load_params

METRICS, BY_BUCKET = "reports/evaluation_metrics.json", "reports/plots/error_by_bucket.csv"
VALIDATION, SET_ASIDE = "reports/validation/validation_{day}.json", "data/quarantine/quarantine_{day}.csv"
DAY_FEATURES = "data/processed/features_{day}.csv"
RELEASES, PARAMS = "releases", "params.yaml"


@dataclass(frozen=True)
class Evaluation:
    """What the app shows of an evaluation; ``model_sha256`` says of which model it is, None where it does not say."""

    days: list[str]
    model_sha256: str | None
    by_bucket: pd.DataFrame


def days_of(checkout: Path, pattern: str) -> list[str]:
    """The days that there is a file of, YYYYMMDD, newest first."""
    folder, name = (checkout / pattern).parent, Path(pattern).name
    wanted = re.compile(re.escape(name).replace(r"\{day\}", r"(\d{8})"))
    found = [wanted.fullmatch(path.name) for path in folder.glob("*")] if folder.is_dir() else []
    return sorted((match[1] for match in found if match), reverse=True)


def evaluation_of(checkout: Path) -> Evaluation:
    """The evaluation's table by bucket and its days; a `MissingInputError` where there is none."""
    metrics, table = checkout / METRICS, checkout / BY_BUCKET
    if not metrics.is_file() or not table.is_file():
        raise MissingInputError(
            f"there is no evaluation in {checkout}", why=f"no {METRICS} or {BY_BUCKET}", fix="`snakemake evaluate`"
        )
    told = read_json(metrics)
    protocols = told["protocols"]
    first = protocols.get("next_day") or next(iter(protocols.values()))
    return Evaluation(first["days"], told.get("model_sha256"), read_csv(table, ERROR_BY_BUCKET))


def validation_of(checkout: Path, day: str) -> dict[str, Any] | None:
    """A day's validation report; None where there is none."""
    path = checkout / VALIDATION.format(day=day)
    report: dict[str, Any] | None = read_json(path) if path.is_file() else None
    return report


def quarantine_of(checkout: Path, day: str) -> pd.DataFrame:
    """A day's quarantined rows."""
    return read_csv(checkout / SET_ASIDE.format(day=day), QUARANTINE, judged_later=True)


def quotes_on(checkout: Path, day: str, days_to_expiry: tuple[int, int]) -> pd.DataFrame:
    """The quotes of a day that a model may be fitted on, as `PricingModel.quotes` gives those of its last day."""
    features = read_csv(checkout / DAY_FEATURES.format(day=day), FEATURES)
    return eligible_quotes(features, *days_to_expiry)[list(QUOTED)]


def all_quotes_on(checkout: Path, day: str, sha256: str) -> pd.DataFrame | None:
    """All quotes of a day that passed validation and have a forward; None unless the file is the one that is meant."""
    path = checkout / DAY_FEATURES.format(day=day)
    if not path.is_file() or sha256_of(path) != sha256:
        return None
    features = read_csv(path, FEATURES)
    return features.loc[features["forward"] > 0, list(QUOTED)]


def gate_of(checkout: Path) -> Gate:
    """What the checkout's params.yaml says of the gate; the usual where there is none."""
    path = checkout / PARAMS
    return load_params(path).gate if path.is_file() else Gate()


def stamps(*paths: Path) -> list[tuple[int, int] | None]:
    """What changes when one of these files is made anew."""
    found = [path.stat() if path.is_file() else None for path in paths]
    return [(held.st_mtime_ns, held.st_size) if held else None for held in found]


def other_releases(checkout: Path, release_id: str) -> dict[str, Path]:
    """The releases that the checkout keeps, by id, without this one; `staged` among them if it is another."""
    return {held["release_id"]: folder for folder, held in _manifests(checkout) if held["release_id"] != release_id}


def release_of_model(checkout: Path, model_sha256: str) -> str | None:
    """The id of the release that holds a model, if the checkout keeps one."""
    files = ((held["release_id"], held.get("files")) for _, held in _manifests(checkout))
    found = (known for known, held in files if isinstance(held, dict) and held.get(MODEL_FILE) == model_sha256)
    return next(found, None)


def _manifests(checkout: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Folder and manifest of every release that the checkout keeps, unchecked."""
    for path in sorted((checkout / RELEASES).glob(f"*/{MANIFEST_FILE}")):
        held = read_json(path)
        if isinstance(held, dict) and isinstance(held.get("release_id"), str):
            yield path.parent, held
