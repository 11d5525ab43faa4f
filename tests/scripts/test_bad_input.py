"""Bad input of every kind, to every task: one message, its exit code, the old outputs as they were.

Ids that begin with f and a number are those of the project's fault catalogue.
"""

import json
import pickle

import pytest

from tests.scripts.spoilt import (
    BEFORE,
    CARD,
    DAY,
    DAYS,
    FEATURES,
    META,
    METRICS,
    MODEL,
    OLDER,
    OUTPUTS,
    PREDICTIONS,
    RAW,
    STATUS,
    TASKS,
    VALIDATED,
    VALIDATION,
    Canary,
    a_file,
    a_folder,
    a_loop,
    args,
    cells,
    edit,
    fewer,
    gone,
    held,
    in_json,
    line,
    message,
    params,
    pickled,
    put,
    renamed,
    rows,
)

HTML = b"<!DOCTYPE html>\n<html><body><h1>503, busy</h1></body></html>\n"
NOISE = bytes(place * 7919 % 256 for place in range(3000))
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
TABLES = {
    "raw": ("data_validate", RAW),
    "previous": ("data_validate", BEFORE),
    "validated": ("feature_engineer", VALIDATED),
    "features": ("model_train", FEATURES),
}
DOCUMENTS = {
    "meta": ("data_validate", META),
    "card": ("model_deploy", CARD),
    "validation": ("generate_report", VALIDATION),
    "metrics": ("generate_report", METRICS),
    "status": ("generate_report", STATUS),
}

CASES = [
    # Files that are no files.
    *(
        (f"{kind}-{what}", task, spoil(path), 66, said)
        for kind, (task, path) in {**TABLES, **DOCUMENTS, "model": ("model_evaluate", MODEL)}.items()
        for what, spoil, said in (
            ("missing", gone, "is not there"),
            ("a-folder", a_folder, "Is a directory"),
            ("a-link-to-itself", a_loop, "symbolic links"),
        )
    ),
    ("input-below-a-file", "model_train", args(features=["params.yaml/features.csv"]), 66, "Not a directory"),
    ("predictions-missing", "generate_report", gone(PREDICTIONS), 66, "is not there"),
    ("plots-missing", "generate_report", args(plots="nowhere"), 66, "nowhere/r2_by_day.csv is not there"),
    # Tables that are no tables.
    *(
        (f"{fault}{kind}-{what}", task, edit(path, spoil), 65, said)
        for kind, (task, path) in TABLES.items()
        for fault, what, spoil, said in (
            ("", "empty", lambda content: b"", "is empty"),
            ("f07-", "html-page", lambda content: HTML, "cannot be read as a table"),
            ("f12-", "column-missing", lambda content: b"bid,ask\n1,2\n", "missing: "),
            ("f12-", "column-renamed", lambda content: content.replace(b"strike", b"strkie", 1), "repeated: strkie"),
            ("", "cut-in-a-row", fewer, "is cut short"),
            ("f27-", "latin-1", lambda content: content.replace(b"XIDX", b"XID\xe9", 1), "in line 2, is 0xe9"),
            ("f27-", "nul", lambda content: content.replace(b"XIDX", b"XID\0", 1), "in line 2, is 0x00"),
            (
                "f27-",
                "utf-16",
                lambda content: content.decode().encode("utf-16"),
                "byte 0 (from 0), in line 1, is 0xff",
            ),
            ("f27-", "random-bytes", lambda content: NOISE, "is not UTF-8 text"),
        )
    ),
    ("f12-column-twice", "model_train", renamed(FEATURES, b"ask", b"bid"), 65, "missing: ask"),
    ("f12-validated-in-place-of-features", "model_train", args(features=[OLDER, VALIDATED]), 65, "missing: mid"),
    ("f13-a-thousands-comma", "feature_engineer", cells(VALIDATED, "bid", '"1,234.5"', slice(1)), 65, "'1,234.5'"),
    ("f13-not-available", "data_validate", cells(RAW, "bid", "N/A", slice(1)), 65, "'N/A'"),
    ("f13-1e400", "model_train", cells(FEATURES, "forward", "1e400"), 65, "quotes on 0 strikes"),
    ("f13-1e308", "model_train", cells(FEATURES, "implied_vol", "1e308"), 65, "quotes on 0 strikes"),
    ("f21-nan", "model_train", cells(FEATURES, "implied_vol", "nan"), 65, "quotes on 0 strikes"),
    ("f21-strikes-that-are-none", "data_validate", cells(RAW, "strike", "nan", slice(3)), 80, "of strike is null"),
    ("f21-zero-strike", "feature_engineer", cells(VALIDATED, "strike", "0", slice(1)), 65, "names no option"),
    ("f23-expiration-null", "feature_engineer", cells(VALIDATED, "expiration", "", slice(1)), 65, "names no option"),
    ("f23-expirations-centuries-away", "data_validate", cells(RAW, "expiration", "9999-12-31"), 80, "usable"),
    ("f24-underlying-without-price", "data_validate", cells(RAW, "underlying_price", ""), 80, "no positive price"),
    ("no-such-type", "model_train", cells(FEATURES, "option_type", "x"), 65, "names no option"),
    ("rows-twice", "model_train", edit(FEATURES, lambda c: c + c.split(b"\n", 1)[1]), 65, "comes a second time"),
    ("trade-date-null", "model_train", cells(FEATURES, "trade_date", "", slice(1)), 65, "has no trade_date in 1 of"),
    ("trade-date-null-raw", "data_validate", cells(RAW, "trade_date", "", slice(1)), 80, "no date"),
    ("not-in-the-report", "generate_report", cells(FEATURES, "option_type", "x"), 65, "names no option"),
    ("report-of-old-features", "generate_report", cells(FEATURES, "trade_date", "1900-01-02"), 65, "no trading day"),
    ("f16-empty-chain", "data_validate", rows(RAW, lambda row: False), 80, "the chain has no rows"),
    ("f16-header-only-validated", "feature_engineer", rows(VALIDATED, lambda row: False), 65, "no validated quote"),
    ("f16-header-only-features", "model_train", rows(FEATURES, lambda row: False), 65, f"do not end on {DAY}"),
    ("f25-one-row", "model_train", rows(FEATURES, lambda row: row["raw_row"] == "0"), 65, "all 1 options"),
    ("f25-one-strike", "model_train", rows(FEATURES, lambda row: row["strike"] == "5000"), 65, "it has 1 strike"),
    ("f25-all-calls", "model_train", rows(FEATURES, lambda row: row["option_type"] == "C"), 65, "options are calls"),
    ("f25-all-calls-raw", "data_validate", rows(RAW, lambda row: row["option_type"] == "C"), 80, "0 puts"),
    ("f70-predictions-cut", "generate_report", edit(PREDICTIONS, fewer), 65, "cannot be read as parquet"),
    ("f70-predictions-spoilt", "generate_report", edit(PREDICTIONS, lambda c: b"\xef\xbb\xbf" + c), 65, "as parquet"),
    ("f70-predictions-of-another-table", "generate_report", args(predictions=FEATURES), 65, "as parquet"),
    # Documents.
    *(
        (f"{kind}-{what}", task, put(path, content), 81 if kind == "card" else 65, said)
        for kind, (task, path) in DOCUMENTS.items()
        for what, content, said in (
            ("empty", b"", "JSON"),
            ("html-page", HTML, "JSON"),
            ("a-list", b"[]", "does not" if kind != "card" else "no model card"),
            ("nested-too-deeply", b"[" * 200_000, "JSON"),
            ("half-a-character", b'{"source": "\\ud800"}', "JSON"),
        )
    ),
    ("meta-of-wrong-types", "data_validate", in_json(META, simulated="yes"), 65, "true or false of simulated"),
    ("meta-a-list-for-fetch", "data_fetch", put(META, b"[]"), 65, "does not describe a raw file"),
    ("f70-metrics-of-another-shape", "generate_report", in_json(METRICS, protocols={"x": 1}), 65, "protocols.x"),
    ("f70-metrics-of-no-quote", "generate_report", in_json(METRICS, protocols={}), 65, "zero quotes"),
    ("f70-card-in-place-of-metrics", "generate_report", args(metrics=CARD), 65, "does not hold what the report"),
    ("raw-changed-since-the-fetch", "data_validate", put(RAW, b"a,b\n"), 65, "its sha256 is not the one"),
    ("raw-changed-is-not-fetched-over", "data_fetch", put(RAW, b"a,b\n"), 65, "not the file that was fetched"),
    # Models.
    ("f57-model-cut", "model_evaluate", edit(MODEL, fewer), 81, "its SHA-256 is not"),
    ("f57-model-empty", "model_deploy", put(MODEL, b""), 81, "its SHA-256 is not"),
    ("f57-model-of-another-card", "model_deploy", in_json(CARD, model_sha256="0" * 64), 81, "its SHA-256 is not"),
    ("f57-random-bytes", "model_evaluate", pickled(NOISE), 81, "cannot be unpickled"),
    ("f57-another-object", "model_deploy", pickled(pickle.dumps({})), 81, "it holds a dict"),
    ("f58-a-program", "model_deploy", put(MODEL, pickle.dumps(Canary())), 81, "its SHA-256 is not"),
    (
        "f59-other-versions",
        "model_evaluate",
        in_json(CARD, versions={"python": "2.7"}),
        81,
        "it was made with python 2.7",
    ),
    # Days.
    *(
        (f"f30-date-{what}-{task}", task, args(date=date), 78, said)
        for task in TASKS
        for what, date, said in (
            ("of-no-month", "20261301", "is not a date"),
            ("a-path", "../../x", "is not a date"),
            ("empty", "", "is not a date"),
            ("centuries-away", "99991231", "outside the years"),
        )
    ),
    ("f18-weekend-validate", "data_validate", args(date="20261121"), 80, "Saturday"),
    ("f18-weekend-features", "feature_engineer", args(date="20261121"), 65, "is not about 20261121"),
    ("f18-weekend-train", "model_train", args(date="20261121"), 65, "do not end on 20261121"),
    ("f18-weekend-evaluate", "model_evaluate", args(date="20261121"), 65, "do not end on 20261121"),
    ("f18-weekend-report", "generate_report", args(date="20261121"), 65, "the report is of 2026-11-21"),
    ("f18-weekend-in-the-features", "model_train", cells(FEATURES, "trade_date", "2026-11-21"), 65, "Saturday"),
    ("another-days-file-fetch", "data_fetch", args(date=DAYS[0]), 65, f"holds another day than {DAYS[0]}"),
    ("another-days-file-validate", "data_validate", args(raw=BEFORE), 80, f"rows are of {DAYS[0]}"),
    ("another-days-file-features", "feature_engineer", args(date=DAYS[0]), 65, f"it has quotes of {DAY}"),
    ("without-the-last-day", "model_train", args(features=[OLDER]), 65, f"do not end on {DAY}"),
    ("a-day-twice", "model_evaluate", args(features=[OLDER, FEATURES, FEATURES]), 65, "both hold quotes"),
    ("a-day-under-another-name", "model_train", args(features=[FEATURES, f"./{FEATURES}"]), 65, "both hold quotes"),
    ("f70-report-of-a-later-day", "generate_report", args(date="20261123"), 65, "the report is of 2026-11-23"),
    ("f70-features-of-a-later-day", "generate_report", args(date=DAYS[0]), 65, "the data end on"),
    # Parameters.
    *(
        (f"f32-params-{what}", "feature_engineer", spoil, code, said)
        for what, spoil, code, said in (
            ("missing", gone("params.yaml"), 66, "--params"),
            ("a-folder", a_folder("params.yaml"), 66, "Is a directory"),
            ("empty", params(""), 78, "is empty"),
            ("a-list", params("[]\n"), 78, "the file: "),
            ("false", params("false\n"), 78, "the file: "),
            (
                "typo",
                params("run:\n  dat: 1\ntrain: {modle: boosted}\n"),
                78,
                "run.dat: no such key (line 2); train.mod",
            ),
            ("wrong-type", params("train: {seed: x}\n"), 78, "train.seed: "),
            ("seed-too-large", params(f"train: {{seed: {1 << 32}}}\n"), 78, "train.seed: "),
            ("nan", params("rates: {kind: flat, rate: .nan}\n"), 78, "finite"),
            ("tab", params("run:\n\tdate: 1\n"), 78, "line 2"),
            ("key-twice", params("run: {days: 2}\nrun: {days: 3}\n"), 78, "'run' is given twice"),
            ("list-as-key", params("? [a, b]\n: 1\n"), 78, "is not valid YAML"),
            ("month-13", params("run: {date: 2026-13-45}\n"), 78, "is not valid YAML"),
            ("number-of-5000-digits", params(f"train: {{seed: {'9' * 5000}}}\n"), 78, "is not valid YAML"),
            ("nested-too-deeply", params("a: " + "[" * 3000 + "]" * 3000 + "\n"), 78, "is not valid YAML"),
            ("latin-1", params("report: {title: café}\n".encode("latin-1")), 78, "is not valid YAML"),
            ("anchors-bomb", params(BOMB), 78, "a: no such key (line 1); b: no such key (line 2)"),
            ("10-megabytes", params(b"a: 1 # long\n" * 900_000), 78, "has 10800000 bytes"),
            (
                "line-ends-in-a-key",
                params('"a\\nb\\nc\\nd\\ne\\nf\\e[31m": 1\n'),
                78,
                "a b c d e f\\x1b[31m: no such key",
            ),
            ("days-the-wrong-way-round", params("train: {min_days_to_expiry: 500}\n"), 78, "greater than max_days"),
            ("no-trading-day", params("run: {date: '20261121'}\n"), 78, "Saturday"),
        )
    ),
    ("f32-params-unknown-rule", "data_validate", params("validation: {rules: {X9: {}}}\n"), 78, "X9: no such rule"),
    ("f32-params-unknown-source", "data_fetch", params("source: {kind: bloomberg}\n"), 78, "'cboe_eod'"),
    # Sources.
    ("archive-missing", "data_fetch", params("source: {kind: cboe_eod, folder: none}\n"), 66, "points at it"),
    # Outputs.
    *(
        (f"f34-{task}-{name}-{what}", task, spoil, 74, "could not be written")
        for task, outputs in OUTPUTS.items()
        for name, path in outputs.items()
        if name not in {"plots", "figures", "release"} and task != "data_fetch"
        for what, spoil in (("below-a-file", args(**{name: "params.yaml/x"})), ("a-folder", a_folder(path)))
    ),
    ("f34-plots-a-file", "model_evaluate", a_file("reports/plots"), 74, "could not be written"),
    ("f34-figures-a-file", "generate_report", a_file("reports/figures"), 74, "could not be written"),
    ("f34-release-a-file", "model_deploy", a_file("releases/staged"), 74, "could not be written"),
    ("f34-release-below-a-file", "model_deploy", args(release="params.yaml/x"), 74, "could not be written"),
    ("release-in-place-of-the-project", "model_deploy", args(release="."), 74, "is no place for a release"),
    ("release-in-place-of-data", "model_deploy", args(release="processed"), 74, "is no place for a release"),
]


@pytest.mark.parametrize(("task", "spoil", "code", "said"), [pytest.param(*case, id=name) for name, *case in CASES])
def test_bad_input_is_one_message_and_the_old_outputs_stay(tasks, folder, capsys, task, spoil, code, said):
    changed = spoil(folder)
    before = held(folder)
    assert tasks[task](line(task, **(changed or {}))) == code
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert 1 <= len(message(told)) <= 5
    assert message(told)[0].startswith(f"{task}: ")
    assert max(map(len, message(told))) < 2200
    assert said in "\n".join(message(told))
    after = held(folder)
    if code == 80:  # A halted day has its report all the same.
        assert json.loads((folder / VALIDATION).read_text())["status"] == "halted"
        before.pop(VALIDATION), after.pop(VALIDATION)
    assert after == before
