"""params.yaml as typed sections, checked whole before anything runs.

Every default, range and explanation of a parameter stands here once; `params.yaml` holds the values in force.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from options_pricing.run.calendar import is_session, parse_day, sessions_ending, why_no_session
from options_pricing.run.errors import BadParamsError, MissingInputError, TaskError
from options_pricing.run.files import read_bytes
from options_pricing.run.governance import Automation, Gate
from options_pricing.run.layouts import GenericSource, OptionsDxSource
from options_pricing.run.retry import RetryPolicy
from options_pricing.run.section import Section, Share, SourceSection


def _a_date(day: object) -> object:
    # YAML reads 20261120 without quotes as a number, and so writes it `dvc exp run -S run.date=...`.
    day = str(day) if isinstance(day, int | date) else day
    if not isinstance(day, str):
        return day
    if not re.fullmatch(r"\d{8}", day, flags=re.ASCII):
        raise ValueError("write it as YYYYMMDD")
    try:
        parse_day(day)
    except BadParamsError as error:
        raise ValueError(error.what) from error
    return day


def _a_base_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^/@?#\s]+(/[^?#\s]*)?", url):
        raise ValueError("write https://host or https://host/path, without user, query and fragment")
    return url.rstrip("/")


def _a_time_of_day(time: object) -> object:
    # YAML 1.1 reads 19:00 without quotes as 19 * 60, and so writes it whatever edits the file.
    return f"{time // 60:02d}:{time % 60:02d}" if isinstance(time, int) and not isinstance(time, bool) else time


Day = Annotated[str, BeforeValidator(_a_date)]
TimeOfDay = Annotated[str, BeforeValidator(_a_time_of_day), Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
BaseUrl = Annotated[str, AfterValidator(_a_base_url)]
Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9_^.\-]{1,20}$")]
Seed = Annotated[int, Field(ge=0, lt=1 << 32)]
Severity = Literal["halt", "quarantine", "warn", "off"]
AlertEvent = Literal[
    "failed", "halted", "null_rates", "missing_expirations", "stale_feed", "no_run", "calendar", "rolled_back", "drift"
]
ModelName = Literal[
    "seed_linear",
    "flat_vol",
    "ad_hoc_black_scholes",
    "random_walk",
    "sticky_strike",
    "essvi",
    "constrained",
    "boosted",
    "hybrid",
]
# In this order: the plots and the report are about the first of them that was carried out.
ProtocolName = Literal["next_day", "same_day", "few_quotes", "random_rows"]


class Run(Section):
    """Which days the run is about."""

    date: Day = Field("20261120", description="the last trading day of the window")
    days: int = Field(10, ge=1, le=2000, description="length of the window in trading days, `date` included")
    without: tuple[Day, ...] = Field(
        (), description="days of the window without a chain at the source, or closed unscheduled"
    )

    @field_validator("date")
    @classmethod
    def _a_session(cls, day: str) -> str:
        if not is_session(day):
            raise ValueError(why_no_session(day))
        return day

    @model_validator(mode="after")
    def _days_left(self) -> "Run":
        if self.date in self.without:
            raise ValueError(f"run.date {self.date} is itself among run.without")
        return self

    @property
    def window(self) -> list[str]:
        """The trading days of the window that have data, oldest first."""
        return [day for day in sessions_ending(self.date, self.days) if day not in self.without]


class SimulatedSource(SourceSection):
    """The embedded market: no network, no key."""

    kind: Literal["simulated"] = "simulated"
    seed: int = Field(20261120, ge=0, description="another seed is another market")
    underlyings: tuple[Literal["XIDX", "XETF", "XTEC", "XOIL"], ...] = Field(
        ("XIDX", "XETF", "XTEC", "XOIL"), min_length=1, description="an index, an ETF on it, two stocks"
    )
    density: Literal["tiny", "normal", "full"] = Field(
        "normal", description="how many expirations and strikes are listed"
    )
    defects: Share = Field(0.01, description="share of rows that get a planted defect; 0 gives clean chains")


class CboeEodSource(SourceSection):
    """Cboe delayed quotes captured after the close, ``<folder>/<ticker>/YYYY-MM-DD.csv.gz``."""

    kind: Literal["cboe_eod"]
    folder: Path = Field(description="the folder that holds one folder per ticker")
    tickers: tuple[str, ...] = Field(("_SPX",), min_length=1, description="as the folders are named")


class YahooCsvSource(SourceSection):
    """One CSV of a Yahoo chain, the layout behind the first version of this model."""

    kind: Literal["yahoo_csv"]
    file: Path = Field(description="the CSV file")


class CboeSource(SourceSection):
    """Cboe's delayed quotes, the newest day's chain, no key needed."""

    live: ClassVar[bool] = True
    kind: Literal["cboe"]
    tickers: tuple[Symbol, ...] = Field(("_SPX",), min_length=1, description="as Cboe names them: _SPX is an index")
    base_url: BaseUrl = Field("https://cdn.cboe.com", description="where the service is")


class DeribitSource(SourceSection):
    """Deribit's options on coins, whose premiums are converted to dollars; no key needed."""

    live: ClassVar[bool] = True
    kind: Literal["deribit"]
    currencies: tuple[Literal["BTC", "ETH"], ...] = Field(("BTC",), min_length=1, description="coins")
    base_url: BaseUrl = Field("https://www.deribit.com", description="where the service is")


class YahooSource(SourceSection):
    """Yahoo's option chains, through the library yfinance, which is the extra ``yahoo`` of this package."""

    live: ClassVar[bool] = True
    kind: Literal["yahoo"]
    tickers: tuple[Symbol, ...] = Field(("SPY",), min_length=1, description="as Yahoo names them: ^SPX is an index")
    base_url: BaseUrl = Field("https://query2.finance.yahoo.com", description="where the service is")


Source = Annotated[
    SimulatedSource
    | CboeEodSource
    | YahooCsvSource
    | OptionsDxSource
    | GenericSource
    | CboeSource
    | DeribitSource
    | YahooSource,
    Field(discriminator="kind"),
]


class FlatRate(Section):
    """One rate for all times."""

    kind: Literal["flat"] = "flat"
    rate: float = Field(0.04, ge=-0.05, le=0.25, description="continuous, per year")


class TreasuryCsvRates(Section):
    """US Treasury par yields in a file."""

    kind: Literal["treasury_csv"]
    file: Path = Field(
        description="CSV by day, in percent: columns 1 Mo to 30 Yr, or DGS1MO to DGS30 as FRED names them"
    )


class TreasuryRates(Section):
    """US Treasury par yields from the Treasury's site."""

    kind: Literal["treasury"]
    base_url: BaseUrl = Field("https://home.treasury.gov", description="where the service is")


# What discounts where no European option tells.
Rates = Annotated[FlatRate | TreasuryCsvRates | TreasuryRates, Field(discriminator="kind")]


class Rule(Section):
    """How one validation rule is applied; what is left out keeps the rule's own default."""

    severity: Severity | None = None
    thresholds: dict[str, float] = Field(default_factory=dict)


class Validation(Section):
    """The rules of data_validate; each one's own defaults stand beside its function."""

    rules: dict[str, Rule] = Field(default_factory=dict, description="rule id -> severity and thresholds that differ")
    repair: Literal["none", "lp"] = Field(
        "none", description="lp writes, beside the quotes, the nearest prices without static arbitrage; slow"
    )
    halt_if_usable_below: Share = Field(0.3, description="the day halts when less of the raw rows is usable")


class Features(Section):
    """How features are made."""

    min_pairs: int = Field(12, ge=2, le=200, description="call-put pairs an expiration needs for its forward")
    near_share: Share = Field(0.4, description="share of pairs, nearest to the forward, that the parity line uses")


class Boosted(Section):
    """The gradient-boosted correction of yesterday's surface."""

    learning_rate: float = Field(0.05, gt=0, le=1)
    max_iter: int = Field(80, ge=1, le=2000)
    max_leaf_nodes: int = Field(15, ge=2, le=255)
    min_samples_leaf: int = Field(200, ge=1)
    l2_regularization: float = Field(1.0, ge=0)
    min_moves: int = Field(3, ge=2, description="day-to-day moves needed before it corrects anything")


class Train(Section):
    """What is trained."""

    model: ModelName = Field("hybrid", description="the model that is released; all of them are evaluated")
    seed: Seed = 7
    min_days_to_expiry: int = Field(7, ge=0, description="calendar days; quotes outside are not fitted")
    max_days_to_expiry: int = Field(400, ge=1, description="calendar days")
    boosted: Boosted = Boosted()

    @model_validator(mode="after")
    def _some_days(self) -> "Train":
        if self.min_days_to_expiry > self.max_days_to_expiry:
            raise ValueError("min_days_to_expiry is greater than max_days_to_expiry")
        return self


class Evaluate(Section):
    """How models are judged."""

    protocols: tuple[ProtocolName, ...] = Field(("next_day", "same_day", "few_quotes"), min_length=1)
    held_out: float = Field(0.2, gt=0, lt=1, description="share of strikes held out in same_day")
    bootstrap: int = Field(2000, ge=100, le=100_000, description="resamples of whole days")
    confidence: float = Field(0.95, gt=0.5, lt=1)
    seed: Seed = 42


class Deploy(Section):
    """How a release is staged and tried."""

    start_timeout: float = Field(60.0, gt=0, le=600, description="seconds the API and the app may take to answer")
    golden_rows: int = Field(25, ge=1, le=1000, description="options whose price the API must give again exactly")


class Report(Section):
    """How the report is written."""

    title: str = Field("Option pricing report", min_length=1, max_length=120)
    smiles: int = Field(6, ge=1, le=24, description="expirations whose smile is drawn")


class Drift(Section):
    """How a released model is watched."""

    quiet_days: int = Field(60, ge=10, le=1000, description="in so many quiet days there may be one false alarm")
    hold: int = Field(3, ge=1, le=60, description="judged days for which an alarm stands")
    retrain_at: float = Field(0.10, ge=0, le=5, description="a rise of the error by more than this share is too much")
    retrain_over: int = Field(5, ge=3, le=60, description="of the last so many judged days")
    confidence: float = Field(0.99, gt=0.5, lt=1, description="with which it must be more than that")


class Http(Section):
    """How far a source on the network is waited for and believed."""

    deadline: float = Field(
        60.0, gt=0, le=900, description="seconds for one whole answer, from asking to its last byte"
    )
    total: float = Field(900.0, gt=0, le=3600, description="seconds for all attempts at one answer, waits included")
    largest: int = Field(64 << 20, ge=1 << 10, le=1 << 30, description="bytes of one answer, unpacked")
    payloads: Path | None = Field(
        Path("data/payloads"),
        description="folder that keeps the answers of each day as they came, so that it is never asked for twice; "
        "null keeps none",
    )


class Retry(Section):
    """How often each task tries again."""

    data_fetch: RetryPolicy = RetryPolicy(tries=5, backoff="exponential")
    data_validate: RetryPolicy = RetryPolicy(tries=2)
    feature_engineer: RetryPolicy = RetryPolicy(tries=3)
    model_train: RetryPolicy = RetryPolicy(tries=1)
    model_evaluate: RetryPolicy = RetryPolicy(tries=2)
    model_deploy: RetryPolicy = RetryPolicy(tries=3, backoff="exponential")
    generate_report: RetryPolicy = RetryPolicy(tries=2)


class Alerts(Section):
    """What people are told of; whom, says the variable OPTIONS_PRICING_ALERT_URLS of the environment."""

    events: tuple[AlertEvent, ...] = Field(get_args(AlertEvent), description="what is told; recoveries go with it")
    null_rate: Share = Field(0.05, description="share of nulls in a column that no quote can do without")
    deadline: TimeOfDay = Field("19:00", description="when a session's run is due, New York")


class Params(Section):
    """The whole of params.yaml."""

    run: Run = Run()
    source: Source = SimulatedSource()
    rates: Rates = FlatRate()
    validation: Validation = Validation()
    features: Features = Features()
    train: Train = Train()
    evaluate: Evaluate = Evaluate()
    deploy: Deploy = Deploy()
    gate: Gate = Gate()
    automation: Automation = Automation()
    report: Report = Report()
    drift: Drift = Drift()
    http: Http = Http()
    retry: Retry = Retry()
    alerts: Alerts = Alerts()


LARGEST_FILE = 1 << 18


class _UniqueKeys(yaml.SafeLoader):
    """A loader that refuses a key given twice, which plain YAML lets the last one win."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[object, object]:
    loader.flatten_mapping(node)
    seen: dict[object, object] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_params(path: Path) -> Params:
    """Read and check a parameter file.

    Raises
    ------
    MissingInputError
        It is not there, or cannot be read.
    BadParamsError
        Everything that is wrong with it, with each key's path, what is allowed, and the line.
    """
    content = _content(path)
    try:
        loader = _UniqueKeys(content)
        document = loader.get_single_node()
        raw = None if document is None else loader.construct_document(document)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # What PyYAML's constructors trip over comes through as it is: a month 13, a list as a key, a folder of folders.
        raise BadParamsError(f"{path} is not valid YAML", why=str(error), fix="correct that line") from error
    if raw is None:
        raise BadParamsError(
            f"{path} is empty",
            why="a file that was cut short would otherwise pass for one of defaults",
            fix="restore it; all defaults are asked for with {}",
        )
    return check_params(raw, str(path), lambda keys: _line(document, keys))


def _content(path: Path) -> bytes:
    try:
        content = read_bytes(path)
    except MissingInputError as error:
        raise MissingInputError(
            error.what, why=error.why, fix="name a parameter file with --params, or run where params.yaml is"
        ) from error
    if len(content) > LARGEST_FILE:
        raise BadParamsError(
            f"{path} has {len(content)} bytes",
            why=f"a parameter file has at most {LARGEST_FILE}",
            fix="check that it is the right file",
        )
    return content


def _line(node: yaml.Node | None, keys: Sequence[int | str]) -> str:
    """Where in the file a key stands, or the part of its path that is there."""
    found = None
    for key in keys:
        held: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        if isinstance(node, yaml.MappingNode):
            held = {str(name.value): (name, value) for name, value in node.value}
        elif isinstance(node, yaml.SequenceNode):
            held = {str(place): (item, item) for place, item in enumerate(node.value)}
        if str(key) in held:
            found, node = held[str(key)]
    return "" if found is None else f" (line {found.start_mark.line + 1})"


def check_params(
    raw: object, name: str = "params.yaml", line: Callable[[Sequence[int | str]], str] | None = None
) -> Params:
    """Check parameters that are already a mapping; `name` stands in the error, and what `line` says of a key's path."""
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        found = [
            f"{'.'.join(map(str, e['loc'])) or 'the file'}: {_said(e)}{line(e['loc']) if line else ''}"
            for e in error.errors()
        ]
        raise BadParamsError(
            f"{name} has {len(found)} error{'s' if len(found) > 1 else ''}",
            why="; ".join(found),
            fix="correct these keys (src/options_pricing/run/params.py explains each one)",
        ) from error
    except TaskError as error:
        raise BadParamsError(f"{name} cannot be used", why=error.what, fix=error.fix) from error


def _said(error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        return "no such key"
    given = error.get("input")
    said = error["msg"].removeprefix("Value error, ")
    given = str(given) if isinstance(given, date) else given
    return said if isinstance(given, dict | list) or str(given) in said else f"{said} (it is {given!r:.60})"
