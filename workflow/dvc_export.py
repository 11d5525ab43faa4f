"""Turn the rules of the Snakefile into the stages of dvc.yaml: the DAG is declared once, both tools run it.

A rule becomes a stage if its name is one of the seven tasks; a rule over ``{date}`` becomes one stage for each day of
the window, ``data_fetch_20261120``. The shell line becomes ``cmd``, inputs ``deps``, the keys of ``params: cfg=...``
``params``, an output named ``metrics`` a metric, outputs named ``plot_...`` plots, the others ``outs``.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from snakemake.io import apply_wildcards

from options_pricing.run.files import write_text

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
    found = item(SimpleNamespace(**wildcards)) if callable(item) else item
    return [apply_wildcards(str(file), wildcards) for file in ([found] if isinstance(found, str) else found)]


def stage(rule: Any, wildcards: dict[str, str], params_file: str) -> dict[str, Any]:
    """One stage out of one rule."""
    inputs, outputs, log = (files_of(getattr(rule, kind), wildcards) for kind in ("input", "output", "log"))
    known = SimpleNamespace(**wildcards)
    cmd = rule.shellcmd.format(input=inputs, output=outputs, log=log, wildcards=known)
    made: dict[str, Any] = {"cmd": " ".join(cmd.split())}
    if inputs:
        made["deps"] = sorted(set(inputs))
    keys = sorted(rule.params.cfg)
    made["params"] = keys if params_file == "params.yaml" else [{params_file: keys}]
    plots = {file: PLOT_AXES[name] for name in PLOT_AXES if name in outputs.names for file in outputs.names[name]}
    metrics = list(outputs.names.get("metrics", []))
    made["outs"] = [out for out in sorted(outputs) if out not in plots and out not in metrics]
    if metrics:
        made["metrics"] = metrics
    if plots:
        made["plots"] = [{file: axes} for file, axes in plots.items()]
    return made


def stages(rules: Iterable[Any], window: list[str], params_file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All stages by name, in the order of the tasks."""
    by_name = {rule.name: rule for rule in rules}
    for task in TASKS:
        rule = by_name[task]
        if "date" in rule.wildcard_names:
            for day in window:
                yield f"{task}_{day}", stage(rule, {"date": day}, params_file)
        else:
            yield task, stage(rule, {}, params_file)


def write_dvc_yaml(rules: Iterable[Any], path: Path, log: Path, *, window: list[str], params_file: str) -> None:
    """Write dvc.yaml, whole or not at all, and say in the log what stands in it."""
    made = dict(stages(rules, window, params_file))
    write_text(path, HEADER + yaml.safe_dump({"stages": made}, sort_keys=False, width=1000))
    write_text(log, f"wrote {path}: {len(made)} stages over {window[0]} to {window[-1]}\n")
