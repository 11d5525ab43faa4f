"""Turn the rules of the Snakefile into the stages of dvc.yaml: the DAG is declared once, both tools run it.

A rule becomes a stage if its name is one of the seven tasks; a rule over ``{date}`` becomes one stage for each day of
the window, ``data_fetch_20261120``. The shell line becomes ``cmd``, inputs ``deps``, the keys of ``params: cfg=...``
``params``, an output named ``metrics`` a metric, outputs named ``plot_...`` plots, the others ``outs``.

All outputs are ``persist``: DVC would else remove the old ones before a stage starts, and a failing stage would leave
nothing. The tasks replace their outputs themselves, and only when they end well.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from snakemake.io import apply_wildcards

from options_pricing.run.files import read_bytes, write_text

HEADER = "# Written by `snakemake dvc_yaml`: change the rules in workflow/ and run it again.\n"
TASKS = (
    "data_fetch",
    "data_validate",
    "feature_engineer",
    "model_train",
    "model_evaluate",
    "model_deploy",
    "generate_report",
)
PLOT_AXES = {
    "plot_r2": {
        "x": "date",
        "y": "r2_implied_vol_vs_random_walk",
        "title": "R2 of implied vol against the random walk",
    },
    "plot_error": {
        "x": "quotes",
        "y": "iv_rmse_vol_points",
        "template": "scatter",
        "title": "Error by bucket",
    },
}


class Files(list[str]):
    """The files of a rule, by position and by name, as its shell line asks for them."""

    def __init__(self, files: Iterable[str], names: dict[str, list[str]]) -> None:
        super().__init__(files)
        self.names = names

    def __getattr__(self, name: str) -> "Files":
        try:
            return Files(self.names[name], {})
        except KeyError:
            raise AttributeError(name) from None

    def __format__(self, spec: str) -> str:
        return " ".join(self)


def files_of(declared: Any, wildcards: dict[str, str]) -> Files:
    """Fill the wildcards into the inputs, outputs or logs of a rule; input functions are called."""
    filled = [_filled(item, wildcards) for item in declared]
    names = {
        name: list(chain(*filled[start : start + 1 if end is None else end]))
        for name, (start, end) in declared._get_names()
    }
    return Files(chain(*filled), names)


def _filled(item: Any, wildcards: dict[str, str]) -> list[str]:
    found = item(SimpleNamespace(**wildcards, window_alone=True)) if callable(item) else item
    return [apply_wildcards(str(file), wildcards) for file in ([found] if isinstance(found, str) else found)]


def stage(rule: Any, wildcards: dict[str, str], params_file: str, given: dict[str, Any]) -> dict[str, Any]:
    """One stage out of one rule; `given` is what stands in the parameter file."""
    inputs, outputs, log = (files_of(getattr(rule, kind), wildcards) for kind in ("input", "output", "log"))
    known = SimpleNamespace(**wildcards)
    cmd = rule.shellcmd.format(input=inputs, output=outputs, log=log, wildcards=known)
    made: dict[str, Any] = {"cmd": " ".join(cmd.split())}
    made |= _asked(set(inputs), sorted(rule.params.cfg), params_file, given)
    plots = {file: PLOT_AXES[name] for name in PLOT_AXES if name in outputs.names for file in outputs.names[name]}
    metrics = list(outputs.names.get("metrics", []))
    made["outs"] = [_kept(out) for out in sorted(outputs) if out not in plots and out not in metrics]
    if metrics:
        made["metrics"] = [_kept(out) for out in metrics]
    if plots:
        made["plots"] = [_kept(file, **axes) for file, axes in plots.items()]
    return made


def _kept(file: str, **more: str) -> dict[str, dict[str, Any]]:
    return {file: {"persist": True, **more}}


def _asked(inputs: set[str], keys: list[str], params_file: str, given: dict[str, Any]) -> dict[str, Any]:
    """The ``deps`` and ``params`` of a stage.

    DVC knows no default: where the file leaves out a key that the stage asks for, the stage depends on the whole file.
    """
    if not all(_stands(key, given) for key in keys):
        return {"deps": sorted(inputs | {params_file})}
    params = keys if params_file == "params.yaml" else [{params_file: keys}]
    return ({"deps": sorted(inputs)} if inputs else {}) | {"params": params}


def _stands(key: str, given: Any) -> bool:
    for part in key.split("."):
        if not isinstance(given, dict) or part not in given:
            return False
        given = given[part]
    return True


def stages(
    rules: Iterable[Any], window: list[str], params_file: str, given: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """All stages by name, in the order of the tasks."""
    by_name = {rule.name: rule for rule in rules}
    for task in TASKS:
        rule = by_name[task]
        if "date" in rule.wildcard_names:
            for day in window:
                yield f"{task}_{day}", stage(rule, {"date": day}, params_file, given)
        else:
            yield task, stage(rule, {}, params_file, given)


def write_dvc_yaml(rules: Iterable[Any], path: Path, log: Path, *, window: list[str], params_file: str) -> None:
    """Write dvc.yaml, whole or not at all, and say what stands in it and whether it is another than before."""
    made = dict(stages(rules, window, params_file, yaml.safe_load(read_bytes(Path(params_file)))))
    text = HEADER + yaml.safe_dump({"stages": made}, sort_keys=False, width=1000)
    same = path.is_file() and path.read_text(encoding="utf-8") == text
    if not same:
        write_text(path, text)
    said = f"{path} {'was up to date' if same else 'is written'}: {len(made)} stages over {window[0]} to {window[-1]}"
    write_text(log, f"{said}\n")
    print(said, file=sys.stderr)
