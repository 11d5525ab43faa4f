"""docs/files.md is what the schema and the list below say; `pytest --fix tests/test_docs_files.py` rewrites it."""

from dataclasses import dataclass, field

import pytest

from options_pricing.quotes import schema
from options_pricing.reporting import inputs

HEAD = """\
# The files

Written from `src/options_pricing/quotes/schema.py` by `pytest --fix tests/test_docs_files.py`: edit that module or the
list in that test, not this page. `{date}` is a trading day, YYYYMMDD. Tables are CSV (UTF-8, comma, `\\n`,
ISO dates, empty for null) or parquet, their columns always in this order. A task reads and writes nothing else, writes
each file whole or not at all, and the same inputs give the same bytes.

| kind | in CSV | meaning |
|---|---|---|
| text | as it is; `'` before what a spreadsheet would take for a formula (`=`, `+`, `-`, `@`, tab first) | |
| number | shortest exact decimal | 64-bit float |
| integer | digits | 64-bit integer |
| flag | true, false | |
| date | 2026-11-20 | a day, without a zone |
| instant | 2026-11-20 21:15:00Z | a moment, UTC, to the second |
"""


@dataclass(frozen=True)
class File:
    """One kind of file: where it is, who makes it, what it holds, and its columns or keys."""

    path: str
    maker: str
    holds: str
    columns: tuple[schema.Column, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)


FILES = [
    File(
        "data/raw/options_data_{date}.csv",
        "data_fetch",
        "The chains of one day as the source gave them, in our columns. What is there is never fetched again.",
        schema.RAW,
    ),
    File(
        "data/raw/options_data_{date}.meta.json",
        "data_fetch",
        "Where those chains come from.",
        keys={
            "source": "`source.kind` of the parameters, or the vendor that a generic layout names",
            "simulated": "true where no exchange stands behind the quotes",
            "trade_date": "the trading day as the data says it, YYYYMMDD",
            "underlyings": "tickers",
            "rows": "rows of the CSV",
            "sha256": "SHA-256 of the CSV",
            "request": "what was asked of the source",
            "response_codes": "HTTP status of every answer in its order, where it is asked over a network",
            "captured_at": "when the quotes were captured, ISO 8601 in UTC, as the source says it",
            "inputs": "path and SHA-256 of the files read, or address and SHA-256 of the answers",
            "unreadable": "column: how many of its cells are written but no number or date, and so null in the CSV",
            "notes": "what else to know of how the table was made: units that were converted, fields not known",
        },
    ),
    File(
        "data/raw/options_data_{date}.truth.csv",
        "data_fetch",
        "What is true behind the quotes, only of the simulated market: to score validation and models, never an input.",
        schema.TRUTH,
    ),
    File(
        "data/raw/rates_{date}.csv",
        "data_fetch",
        "The risk-free curve of the day, one row a maturity: the newest on or before it, for where no European option "
        "tells the discounting.",
        schema.RATES,
    ),
    File(
        "data/payloads/{source}/{date}_{request}.jsonl.gz",
        "data_fetch",
        "The answers of a source on the network as they came, a line each; a day whose answers are kept is made from "
        "them without the network. Folder: `http.payloads`.",
        keys={
            "url": "what was asked, without secrets",
            "response_codes": "HTTP status of all attempts, the last being 200",
            "sha256": "of the answer's bytes",
            "body": "the answer",
        },
    ),
    File(
        "data/processed/validated_data_{date}.csv",
        "data_validate",
        "The raw rows that no quarantine rule took out, unchanged.",
        schema.VALIDATED,
    ),
    File("data/processed/validated_data.csv", "snakemake", "A link to the validated file of the run's last day."),
    File(
        "data/quarantine/quarantine_{date}.csv",
        "data_validate",
        "The other raw rows, unchanged, each with the ids of all rules it fails: raw = validated + quarantined.",
        schema.QUARANTINE,
    ),
    File(
        "reports/validation/validation_{date}.json",
        "data_validate",
        "What validation found.",
        keys={
            "date": "YYYYMMDD",
            "source, simulated": "as in the meta file",
            "status": "passed or halted",
            "rows": "raw, validated, quarantined",
            "usable_share": "validated / raw",
            "rules": "each rule's id, title, scope, severity, outcome, failed (rows), share, warned (rows that only "
            "deserve a warning), thresholds, examples (raw_row), message",
            "waterfall": "each quarantine rule's id, title, removed (rows not already removed), remaining",
            "null_rates": "share of nulls, column by column",
            "halts": "id and message of what halted the day",
            "catalogue_version": "version of the rules",
            "repair": "where `validation.repair` asks for it: quotes, changed, outside (bid and ask), largest_change",
        },
    ),
    File(
        "data/processed/repaired_data_{date}.csv",
        "data_validate",
        "Only with `validation.repair: lp`: of every usable quote out of the money the nearest price (least absolute "
        "change in half-spreads) that leaves no static arbitrage, beside its mid. American prices are compared without "
        "their early-exercise premium and told with it. Nothing reads it.",
        schema.REPAIRED,
    ),
    File("data/processed/features_{date}.csv", "feature_engineer", "What models learn from.", schema.FEATURES),
    File(
        "model/options_pricing_model.pkl",
        "model_train",
        "The trained model with the market of its last day. It is read only where its SHA-256 is the stated one.",
    ),
    File(
        "model/model_card.json",
        "model_train",
        "What the model is and is not.",
        keys={
            "model": "name in the model registry",
            "hyperparameters": "of that model",
            "as_of": "last day it was trained on, YYYYMMDD",
            "simulated": "true if any day was",
            "sources, underlyings, days": "what it was trained on",
            "rows": "quotes fitted",
            "features": "path and SHA-256 of each feature table",
            "model_sha256": "SHA-256 of the pickle",
            "versions": "of python and of the libraries the pickle needs",
            "training_metrics": "how it fits what it was trained on",
            "out_of_sample": "its figures with intervals on each day of the window, from the days before it",
            "limits": "what it cannot do, in sentences",
        },
    ),
    File(
        "reports/evaluation_metrics.json",
        "model_evaluate",
        "The figures of every model. A figure that cannot be computed is null.",
        keys={
            "simulated, days, underlyings": "as in the model card",
            "chosen_model": "the model that is released",
            "model_sha256": "of its file: the evaluation is of that very model",
            "confidence": "of the intervals, 0.95 for 95 %",
            "skipped": "protocols that these days do not allow, and why",
            "protocols": "protocol (next_day, same_day, random_rows) -> days, quotes, "
            "models (model -> figure -> value, low, high), by_underlying (underlying -> model -> figure) "
            "and the next four",
            "by_bucket": "of the chosen model: place in the smile -> days to expiry -> quotes and figures",
            "comparison": "model -> loss_difference against yesterday's surface (squared vol points a day), "
            "Diebold-Mariano statistic and p-value (dm_), p-value and place in the model confidence set; days, lags",
            "intervals": "90 % price intervals of the chosen model, each day's calibrated by those before: coverage, "
            "that of the worst day, widths, and by_bucket",
            "arbitrage": "model -> violated and checked vertical and butterfly bounds among its own prices",
            "hedging": "delta -> what selling an option and hedging it for a day leaves: mean and sd of the error, and "
            "variance_reduction against Black's delta; null with one day",
        },
    ),
    File(
        "reports/chosen_model_metrics.json",
        "model_evaluate",
        "What one looks at first of the chosen model, for tables of experiments: protocol -> figure -> value.",
        keys={
            "next_day, same_day, random_rows": "r2_implied_vol_vs_random_walk, iv_rmse_vol_points, inside_bid_ask; "
            "only protocols that were carried out"
        },
    ),
    File(
        "reports/evaluation_predictions.parquet",
        "model_evaluate",
        "Every prediction that the figures are made of.",
        schema.PREDICTIONS,
    ),
    File(
        "reports/plots/r2_by_day.csv",
        "model_evaluate",
        "The chosen model's R², day by day.",
        schema.R2_BY_DAY,
    ),
    File(
        "reports/plots/error_by_bucket.csv",
        "model_evaluate",
        "Where the errors are.",
        schema.ERROR_BY_BUCKET,
    ),
    File(
        "releases/staged/",
        "model_deploy",
        "The staged release: the model, its card, manifest.json and signature.json. The same files are kept in "
        "`releases/{release_id}/`.",
        keys={
            "release_id": "name of the release: 12 digits of the SHA-256 of the rest",
            "files, sizes": "SHA-256 and bytes of each file",
            "versions": "of python and the libraries",
            "params": "section `train` of the parameters as it was trained with",
            "as_of, days, model, simulated": "as in the model card",
            "golden_rows": "options with the price that the release must give again",
        },
    ),
    File(
        "releases/live.json",
        "`options-pricing promote`, `rollback`",
        "Which release is live. Replaced in one step; not there where nothing is live.",
        keys={
            "live": "id of the release",
            "previous": "id of the one to go back to, or null",
            "since": "when it was made live, UTC",
        },
    ),
    File(
        "releases/ledger.jsonl",
        "model_train, model_evaluate, model_deploy; `options-pricing approve`, `revoke`, `promote`, `rollback`; the "
        "daily report where it takes a release back",
        "The ledger (docs/governance.md): one line an act, only ever added to. An output of no task: it holds times.",
        keys={
            "sequence, at": "number of the line, from 1; when, UTC",
            "event, release_id, by, details": "what was done, to which release, by whom, and what else is to be known",
            "previous, sha256": "hash of the line before and of this one",
            "mac": "HMAC of the line with the release key, or null",
        },
    ),
    File(
        "releases/ledger.head.json",
        "with every line of the ledger",
        "How many lines there are and which is the last: a tail that was cut off is found by it.",
        keys={
            "count, sha256": "number and hash of the last line",
            "signed_from": "the first line that was written with a release key, or null",
            "mac": "HMAC of this file with the release key, or null",
        },
    ),
    File(
        "reports/deployment_status.json",
        "model_deploy",
        "How the staged release did when it was started and asked.",
        keys={
            "release_id": "name of the release",
            "status, live": "staged, false: making it live is a person's act",
            "simulated, as_of, model, model_sha256": "as in the model card",
            "signature, key_id": "signed or unsigned, and the name of the key",
            "checks": "each check's name, passed, detail",
            "files": "SHA-256 of each file of the release",
        },
    ),
    File(
        "reports/stakeholder_report.md",
        "generate_report",
        "The report as Markdown, with links to its pictures.",
    ),
    File(
        "reports/stakeholder_report.html",
        "generate_report",
        "The same as one page with style and pictures inside: nothing is loaded, no script runs.",
    ),
    File(
        "reports/figures/",
        "generate_report",
        "smiles.svg, r2_by_day.svg, error_by_bucket.svg, validation_waterfall.svg, live_by_day.svg: the pictures of "
        "the Markdown.",
    ),
    File(
        "reports/live/live_{date}.json",
        "generate_report",
        "How the release that was live (or staged, where none was) priced the day before anything was learnt from it. "
        "The first record that judged a day stays.",
        keys={
            "date": "YYYYMMDD",
            "judged, why_not": "false, and why, where no release could be judged; nothing else then",
            "release": "release_id, model, model_sha256, as_of, live",
            "age": "trading days since the release's last",
            "benchmark_day": "the day of the random walk's surface, YYYYMMDD",
            "quotes, by_bucket": "as in the evaluation: quotes are in buckets by the delta that the market's vol gives",
            "figures": "as in the evaluation, where share_priced is called coverage: the share of quotes that got a "
            "price; and r2_implied_vol_vs_own_last_day (against the surface of the release's "
            "last day) and r2_own_last_day_vs_random_walk (what age alone costs)",
            "intervals": "nominal: the share of quotes that they claim to hold; coverage: the share that they held; "
            "by_bucket too, here by the delta that the release's own vol gives, as their widths are looked up by it, "
            "so that its counts are not those of the other by_bucket; null without any",
            "drift": "status; why it is not known; reference_days; power; statistics: quantity, measure, value, "
            "warning, alarm, status, where",
        },
    ),
    File(
        "reports/drift.json",
        "generate_report",
        "What the records so far say of the release in use ([monitoring](monitoring.md)).",
        keys={
            "date": "YYYYMMDD",
            "status": "green, amber, red or unknown: the worst of the last `hold` judged days",
            "why": "in a sentence",
            "release": "as in the record, or null",
            "reference_days, live_days": "how many there are",
            "power": "on how many of the reference days a rise of all vols by 10 % would have been an alarm",
            "hold, quiet_days": "of section `drift` of the parameters",
            "alarms": "date and statistic of all that was out of the ordinary on those days",
            "retraining": "due (null where it is not known), why, ratio of the errors and its lower end, line",
        },
    ),
    File(
        "reports/validation_trend.json",
        "generate_report",
        "How the last 20 days of the window went, a value a day; null where a day's report does not say.",
        keys={
            "days": "YYYYMMDD",
            "status": "passed or halted",
            "usable_share": "validated / raw",
            "rules": "by id: title; failed, share and outcome day by day",
            "null_rates": "by column",
        },
    ),
    File(
        "reports/daily/{date}/",
        "generate_report",
        "The report of `snakemake daily`: the same files, about the model that was last trained, or about data only.",
    ),
    File("logs/{task}_{date}.log", "every task", "One line an event: time (UTC), level, task, date, event, key=value."),
    File(
        "logs/alerts/state.json",
        "every task, `options-pricing alerts`",
        "Only where the environment names targets of alerts: what was told, and what waits. Never an input of a task.",
        keys={
            "open": "what was told and is not mended, and since when",
            "waiting": "what is yet to be sent, without secrets, and to which targets (by fingerprint)",
            "resting": "until when a target that did not answer is left alone",
            "sent, number, dropped": "when something was lately sent; messages so far; messages given up since",
        },
    ),
    File("logs/benchmarks/{task}_{date}.tsv", "snakemake", "Seconds and memory of each job."),
    File("params.yaml", "a person", "All parameters; `src/options_pricing/run/params.py` explains each."),
    File("dvc.yaml", "`snakemake dvc_yaml`", "The same DAG for DVC, written from the Snakefile."),
    File("environment.yml", "`pytest --fix`", "The conda environment of requirements.lock."),
]


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def section(file: File) -> str:
    lines = [f"## `{file.path}`", "", f"By {file.maker}. {file.holds}"]
    columns = file.columns
    if columns[: len(schema.RAW)] == schema.RAW and columns != schema.RAW:
        lines += ["", f"The columns of `{FILES[0].path}`, then:"]
        columns = columns[len(schema.RAW) :]
    if columns:
        lines += ["", "| column | kind | unit | null | meaning |", "|---|---|---|---|---|"]
        lines += [
            f"| `{c.name}` | {c.kind} | {cell(c.unit)} | {'yes' if c.nullable else ''} | {cell(c.meaning)} |"
            for c in columns
        ]
    if file.keys:
        lines += ["", "| key | meaning |", "|---|---|"]
        lines += [
            f"| {', '.join(f'`{k}`' for k in key.split(', '))} | {cell(said)} |" for key, said in file.keys.items()
        ]
    return "\n".join(lines) + "\n"


def files_md() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(file) for file in FILES)])


def test_the_page_is_what_the_schema_says(root, request):
    path = root / "docs" / "files.md"
    if request.config.getoption("--fix"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(files_md(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == files_md(), "docs/files.md is out of date: run `make fix`"


def test_every_table_of_the_schema_is_on_it():
    tables = {name: value for name, value in vars(schema).items() if name.isupper() and isinstance(value, tuple)}
    shown = [file.columns for file in FILES]
    assert [name for name, columns in tables.items() if columns not in shown] == []


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("data/raw/options_data_{date}.meta.json", inputs.Meta),
        ("reports/validation/validation_{date}.json", inputs.Validation),
        ("model/model_card.json", inputs.Card),
        ("reports/evaluation_metrics.json", inputs.Metrics),
        ("reports/deployment_status.json", inputs.Status),
    ],
)
def test_every_key_that_the_report_reads_is_on_it(path, model):
    keys = {name for file in FILES if file.path == path for key in file.keys for name in key.split(", ")}
    assert set(model.model_fields) <= keys
