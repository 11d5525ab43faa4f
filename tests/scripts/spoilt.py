"""A folder in which all seven tasks have run, and ways to spoil what lies in it (the fixtures are in conftest.py)."""

import hashlib
import json
import os
import re
import shutil

DAYS = ("20261119", "20261120")
DAY = DAYS[-1]
PARAMS = """\
run: {date: '20261120', days: 2}
source: {kind: simulated, seed: 5, underlyings: [XIDX], density: tiny}
features: {min_pairs: 4}
train: {model: flat_vol, boosted: {max_iter: 5}}
evaluate: {bootstrap: 100}
report: {smiles: 1}
retry: {data_fetch: {first_wait: 0}, model_deploy: {first_wait: 0}}
"""
RAW, BEFORE = (f"raw/options_data_{day}.csv" for day in reversed(DAYS))
META = f"raw/options_data_{DAY}.meta.json"
VALIDATED, FEATURES = f"processed/validated_data_{DAY}.csv", f"processed/features_{DAY}.csv"
OLDER = f"processed/features_{DAYS[0]}.csv"
MODEL, CARD, METRICS = "model/model.pkl", "model/card.json", "reports/metrics.json"
PREDICTIONS, STATUS, VALIDATION = "reports/predictions.parquet", "reports/status.json", f"reports/validation_{DAY}.json"
OUTPUTS = {
    "data_fetch": {"out": RAW},
    "data_validate": {"out": VALIDATED, "quarantine": f"quarantine/quarantine_{DAY}.csv", "report": VALIDATION},
    "feature_engineer": {"out": FEATURES},
    "model_train": {"model": MODEL, "card": CARD},
    "model_evaluate": {
        "metrics": METRICS,
        "chosen": "reports/chosen.json",
        "predictions": PREDICTIONS,
        "plots": "reports/plots",
    },
    "model_deploy": {"release": "releases/staged", "status": STATUS},
    "generate_report": {"markdown": "reports/report.md", "html": "reports/report.html", "figures": "reports/figures"},
}
INPUTS = {
    "data_fetch": {},
    "data_validate": {"raw": RAW, "previous": BEFORE},
    "feature_engineer": {"validated": VALIDATED},
    "model_train": {"features": [OLDER, FEATURES]},
    "model_evaluate": {"features": [OLDER, FEATURES], "model": MODEL, "card": CARD},
    "model_deploy": {"model": MODEL, "card": CARD},
    "generate_report": {
        "validation": VALIDATION,
        "meta": META,
        "features": FEATURES,
        "card": CARD,
        "metrics": METRICS,
        "predictions": PREDICTIONS,
        "plots": "reports/plots",
        "status": STATUS,
    },
}
TASKS = tuple(INPUTS)


def line(task, **changed):
    """The command line of a task; None leaves an argument out."""
    given = {"params": "params.yaml", "date": DAY, **INPUTS[task], **OUTPUTS[task], **changed}
    words = []
    for name, value in given.items():
        if value is not None:
            words += [f"--{name}", *(value if isinstance(value, list) else [value])]
    return words


def held(folder):
    """The SHA-256 of every file."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def message(said):
    """What a task said beside its log."""
    return [row for row in said.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", row)]


# How to spoil the folder: each gives a function of it, which may give back changed arguments.


def args(**changed):
    return lambda folder: changed


def put(path, content):
    def spoil(folder):
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def edit(path, change):
    def spoil(folder):
        (folder / path).write_bytes(change((folder / path).read_bytes()))
        if path == RAW:  # or it would be refused as another file than was fetched
            sha256 = hashlib.sha256((folder / RAW).read_bytes()).hexdigest()
            (folder / META).write_text(json.dumps(json.loads((folder / META).read_text()) | {"sha256": sha256}))

    return spoil


def cells(path, column, value, rows=slice(None)):
    """Put a text into a column of some rows (none of the tables here has a comma or a line end in a cell)."""

    def change(content):
        head, *body = content.decode().splitlines()
        place = head.replace('"', "").split(",").index(column)
        for at in range(len(body))[rows]:
            cut = body[at].split(",")
            cut[place] = value
            body[at] = ",".join(cut)
        return "\n".join([head, *body, ""]).encode()

    return edit(path, change)


def rows(path, keep):
    """Keep the header and those rows of which `keep` (of the row's cells by column) is true."""

    def change(content):
        head, *body = content.decode().replace('"', "").splitlines()
        names = head.split(",")
        return "\n".join(
            [head, *(row for row in body if keep(dict(zip(names, row.split(","), strict=True)))), ""]
        ).encode()

    return edit(path, change)


def renamed(path, old, new):
    return edit(path, lambda content: content.replace(old, new, 1))


def gone(path):
    return lambda folder: (folder / path).unlink()


def a_folder(path):
    def spoil(folder):
        (folder / path).unlink()
        (folder / path).mkdir()

    return spoil


def a_file(path):
    def spoil(folder):
        shutil.rmtree(folder / path)
        (folder / path).write_text("in the way")

    return spoil


def a_loop(path):
    def spoil(folder):
        (folder / path).unlink()
        (folder / path).symlink_to((folder / path).name)

    return spoil


def in_json(path, **changed):
    return edit(path, lambda content: json.dumps(json.loads(content) | changed).encode())


def pickled(content):
    """Another model with a card that names it."""

    def spoil(folder):
        (folder / MODEL).write_bytes(content)
        in_json(CARD, model_sha256=hashlib.sha256(content).hexdigest())(folder)

    return spoil


def params(text):
    return put("params.yaml", text)


def fewer(content):
    return content[: len(content) // 2]


class Canary:
    def __reduce__(self):
        return os.system, ("touch canary",)
