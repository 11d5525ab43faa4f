"""A folder in which all seven tasks have run on a tiny market, to be spoilt."""

import importlib
import shutil

import pytest

from options_pricing.release.staging import Check
from tests.made_hook import hook  # noqa: F401
from tests.scripts.spoilt import BEFORE, DAYS, PARAMS, TASKS, line


@pytest.fixture(scope="module")
def tasks(root):
    """``main`` of the seven scripts by name; nothing is started to try a release."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "scripts"))
        modules = {task: importlib.import_module(task) for task in TASKS}
        patch.setattr(modules["model_deploy"], "try_release", lambda *args, **kwargs: [Check("api", True, "200")])
        yield {task: module.main for task, module in modules.items()}


@pytest.fixture(scope="module")
def done(tasks, tmp_path_factory):
    """A folder in which all seven tasks have run on a tiny market."""
    folder = tmp_path_factory.mktemp("done")
    (folder / "params.yaml").write_text(PARAMS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for day in DAYS:
            paths = {
                "out": f"processed/validated_data_{day}.csv",
                "quarantine": f"quarantine/quarantine_{day}.csv",
                "report": f"reports/validation_{day}.json",
            }
            raw, features = f"raw/options_data_{day}.csv", f"processed/features_{day}.csv"
            previous = None if day == DAYS[0] else BEFORE
            assert tasks["data_fetch"](line("data_fetch", date=day, out=raw)) == 0
            assert tasks["data_validate"](line("data_validate", date=day, raw=raw, previous=previous, **paths)) == 0
            done = line("feature_engineer", date=day, validated=paths["out"], out=features)
            assert tasks["feature_engineer"](done) == 0
        for task in TASKS[3:]:
            assert tasks[task](line(task)) == 0
    return folder


@pytest.fixture
def folder(done, tmp_path, monkeypatch):
    """A copy of it to spoil, as the working folder."""
    copy = shutil.copytree(done, tmp_path / "run")
    monkeypatch.chdir(copy)
    return copy
