"""What the report is made of: the files of the other tasks, read once, checked, and named with their fingerprints."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from options_pricing.quotes.schema import ERROR_BY_BUCKET, FEATURES, PREDICTIONS, R2_BY_DAY, Column
from options_pricing.quotes.tables import read_csv, read_parquet, require_contracts
from options_pricing.run.calendar import parse_day, require_day
from options_pricing.run.errors import BadDataError, BadParamsError
from options_pricing.run.files import read_json, sha256_of


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _value_alone(value: Any) -> Any:
    return _finite_or_none(value.get("value") if isinstance(value, dict) else value)


def _a_day(value: str) -> str:
    try:
        require_day(value)
    except BadParamsError as error:
        raise ValueError(error.what) from error
    return value


Day = Annotated[str, AfterValidator(_a_day)]
Figure = Annotated[float | None, BeforeValidator(_finite_or_none)]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Part = TypeVar("Part", bound="FilePart")


class FilePart(BaseModel):
    """A part of an input file: what the report uses is checked, other keys may stand there."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class RowCounts(FilePart):
    """Rows of one day."""

    raw: Count
    validated: Count
    quarantined: Count


class RuleResult(FilePart):
    """How many rows failed one rule."""

    id: str
    title: str
    severity: str
    failed: Count
    share: Figure
    outcome: str | None = None
    message: str | None = None


class WaterfallStep(FilePart):
    """What one quarantine rule took out, after the rules before it."""

    id: str
    title: str
    removed: Count


class Halt(FilePart):
    """Why a day was halted."""

    id: str
    message: str


class Validation(FilePart):
    """``validation_D.json``."""

    date: Day
    source: str
    simulated: bool
    status: Literal["passed", "halted"]
    rows: RowCounts
    usable_share: Figure
    rules: tuple[RuleResult, ...]
    waterfall: tuple[WaterfallStep, ...]
    null_rates: dict[str, Figure]
    halts: tuple[Halt, ...]

    @model_validator(mode="after")
    def _rows_conserved(self) -> "Validation":
        rows = self.rows
        if self.status == "passed" and rows.raw != rows.validated + rows.quarantined:
            raise ValueError(f"{rows.raw} raw rows are not {rows.validated} validated + {rows.quarantined} quarantined")
        return self


class Meta(FilePart):
    """``options_data_D.meta.json``."""

    source: str
    simulated: bool
    trade_date: Day
    underlyings: tuple[str, ...]
    rows: Count
    sha256: str
    captured_at: str | None = None


class Estimate(FilePart):
    """A figure with its interval; null where it could not be computed."""

    value: Figure = None
    low: Figure = None
    high: Figure = None


class Compared(FilePart):
    """One model's tests against yesterday's surface and against all others."""

    loss_difference: Figure = None
    dm_statistic: Figure = None
    dm_p_value: Figure = None
    mcs_p_value: Figure = None
    in_confidence_set: bool | None = None


class Comparison(FilePart):
    """The tests of all models, on daily losses."""

    days: Count
    models: dict[str, Compared]


class Covered(FilePart):
    """How often intervals held the market in one bucket."""

    quotes: Count
    coverage: Figure = None


class Intervals(FilePart):
    """Price intervals of the chosen model."""

    nominal: float = Field(gt=0, lt=1)
    days: Count
    quotes: Count
    coverage: Figure = None
    lowest_day_coverage: Figure = None
    mean_width_vol_points: Figure = None
    median_width_half_spreads: Figure = None
    by_bucket: dict[str, dict[str, Covered]] = {}


class Contradictions(FilePart):
    """Neighbouring strikes whose prices contradict each other, and how many were looked at."""

    vertical: Count
    vertical_checked: Count
    butterfly: Count
    butterfly_checked: Count


class Leftover(FilePart):
    """What hedging with one delta left of the risk."""

    mean_half_spreads: Figure = None
    sd_half_spreads: Figure = None
    sd_vol_points: Figure = None
    variance_reduction: Estimate = Estimate()


class Hedging(FilePart):
    """One-day hedging errors by delta."""

    days: Count
    options: Count
    deltas: dict[str, Leftover]


class Protocol(FilePart):
    """The figures of all models under one way of judging them; what an older evaluation does not say is missing."""

    days: tuple[Day, ...]
    quotes: Count
    models: dict[str, dict[str, Estimate]]
    by_underlying: dict[str, dict[str, dict[str, Annotated[float | None, BeforeValidator(_value_alone)]]]] = {}
    comparison: Comparison | None = None
    intervals: Intervals | None = None
    arbitrage: dict[str, Contradictions] = {}


class Metrics(FilePart):
    """``evaluation_metrics.json``."""

    simulated: bool
    chosen_model: str
    model_sha256: str | None = None
    days: tuple[Day, ...]
    underlyings: tuple[str, ...]
    confidence: float = Field(gt=0, lt=1)
    protocols: dict[str, Protocol]
    hedging: Hedging | None = None
    skipped: dict[str, str] = {}


class Card(FilePart):
    """``model_card.json``."""

    model: str
    hyperparameters: dict[str, Any]
    as_of: Day
    simulated: bool
    days: tuple[Day, ...]
    rows: Count
    features: tuple[dict[str, Any], ...]
    model_sha256: str
    versions: dict[str, str]
    limits: tuple[str, ...]


class Check(FilePart):
    """One check of a staged release."""

    name: str
    passed: bool
    detail: str | None = None


class Status(FilePart):
    """``deployment_status.json``."""

    release_id: str
    status: str
    live: bool
    simulated: bool
    as_of: Day
    model_sha256: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """Where the inputs are; those of the model are None in a report about data only."""

    validation: tuple[Path, ...]
    meta: tuple[Path, ...]
    features: Path
    card: Path | None = None
    metrics: Path | None = None
    predictions: Path | None = None
    plots: Path | None = None  # a folder; without metrics nothing says what its tables are of
    status: Path | None = None


@dataclass(frozen=True)
class InputFile:
    """One line of the report's provenance."""

    path: str
    sha256: str
    made_by: str


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The content of all input files, the days' ones oldest first."""

    validation: list[Validation]
    meta: list[Meta]
    features: pd.DataFrame
    card: Card | None = None
    metrics: Metrics | None = None
    predictions: pd.DataFrame | None = None
    r2_by_day: pd.DataFrame | None = None
    error_by_bucket: pd.DataFrame | None = None
    status: Status | None = None
    files: list[InputFile] = field(default_factory=list)


def read_inputs(files: ReportFiles) -> Inputs:
    """Read every input of the report.

    Raises
    ------
    MissingInputError
        A file that was named is not there.
    BadDataError
        A file does not hold what it must, two files are about the same day, or the metrics are of no quote.
    """
    folder = files.plots if files.metrics else None
    plots = [folder and folder / name for name in ("r2_by_day.csv", "error_by_bucket.csv")]
    metrics = _part(files.metrics, Metrics)
    predictions = None if files.predictions is None else read_parquet(files.predictions, PREDICTIONS)
    _refuse_nothing_judged(files, metrics, predictions)
    return Inputs(
        validation=_by_day([_part_of(path, Validation) for path in files.validation], "date", "validation report"),
        meta=_by_day([_part_of(path, Meta) for path in files.meta], "trade_date", "meta file"),
        features=_features(files.features),
        card=_part(files.card, Card),
        metrics=metrics,
        predictions=predictions,
        r2_by_day=_table(plots[0], R2_BY_DAY),
        error_by_bucket=_table(plots[1], ERROR_BY_BUCKET),
        status=_part(files.status, Status),
        files=_fingerprints(files, plots),
    )


def _part(path: Path | None, kind: type[Part]) -> Part | None:
    return None if path is None else _part_of(path, kind)


def _features(path: Path) -> pd.DataFrame:
    features = read_csv(path, FEATURES)
    require_contracts(features, path)
    return features


def _table(path: Path | None, columns: tuple[Column, ...]) -> pd.DataFrame | None:
    return None if path is None else read_csv(path, columns)


def _part_of(path: Path, kind: type[Part]) -> Part:
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors()[:5])
        raise BadDataError(
            f"{path} does not hold what the report needs", why=found, fix="run the task that makes it again"
        ) from error


def _by_day(parts: list[Part], key: str, what: str) -> list[Part]:
    ordered = sorted(parts, key=lambda part: getattr(part, key))
    days = [getattr(part, key) for part in ordered]
    for day in days:
        parse_day(day)
    twice = sorted({day for day in days if days.count(day) > 1})
    if twice or not days:
        raise BadDataError(
            f"two files are about {twice[0]}" if twice else f"no {what} was given",
            why="the report counts every trading day once",
            fix=f"give one {what} for each trading day",
        )
    return ordered


def _refuse_nothing_judged(files: ReportFiles, metrics: Metrics | None, predictions: pd.DataFrame | None) -> None:
    fix = "check that the evaluated days have quotes in the window of days to expiry, then run model_evaluate again"
    why = "a figure of no quote is no figure"
    if metrics is not None:
        empty = [name for name, protocol in metrics.protocols.items() if protocol.quotes == 0]
        if empty or not metrics.protocols:
            raise BadDataError(
                f"{files.metrics} judges zero quotes ({', '.join(empty) or 'no protocol'})", why=why, fix=fix
            )
    if predictions is not None and predictions.empty:
        raise BadDataError(f"{files.predictions} holds zero predictions", why=why, fix=fix)


def _fingerprints(files: ReportFiles, plots: list[Path | None]) -> list[InputFile]:
    made_by: list[tuple[Path | None, str]] = [
        *((path, "data_fetch") for path in files.meta),
        *((path, "data_validate") for path in files.validation),
        (files.features, "feature_engineer"),
        (files.card, "model_train"),
        *((path, "model_evaluate") for path in (files.metrics, files.predictions, *plots)),
        (files.status, "model_deploy"),
    ]
    return [InputFile(path.as_posix(), sha256_of(path), task) for path, task in made_by if path is not None]
