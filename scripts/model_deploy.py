"""model_deploy: stages a release of the trained model once its API and its app have answered as they must."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import _checkout  # noqa: F401  (this checkout's src/ first)

from options_pricing.release.acts import record
from options_pricing.release.folders import whole_folder
from options_pricing.release.manifest import MANIFEST_FILE, MODEL_FILE
from options_pricing.release.staging import (
    deployment_status,
    release_files,
    require_passed,
    require_replaceable,
    write_files,
)
from options_pricing.release.store import Store
from options_pricing.release.verify import read_manifest
from options_pricing.run.files import sha256_of, whole_files, write_json
from options_pricing.run.leaving import leave
from options_pricing.run.log import TaskLog
from options_pricing.run.params import Params
from options_pricing.run.task import add_ledger, run_task, task_parser
from options_pricing.serving.trial import try_release


def work(args: argparse.Namespace, params: Params, log: TaskLog) -> None:
    """Stage the release whole, try it, and only then keep it under its id and put it in the place of the one before."""
    require_replaceable(args.release)
    files = release_files(args.model, args.card, golden_count=params.deploy.golden_rows, ledger=args.ledger)
    with whole_files(args.status) as (status,), whole_folder(args.release) as folder:
        write_files(folder, files)
        manifest = read_manifest(folder / MANIFEST_FILE)
        log.info("staged", release_id=manifest.release_id, golden_rows=len(manifest.golden_rows))
        checks = try_release(folder, manifest, timeout=params.deploy.start_timeout)
        for check in checks:
            log.info("health_check", name=check.name, passed=check.passed, detail=check.detail)
        require_passed(checks)
        Store(args.release.parent).keep(manifest.release_id, files)
        write_json(status, deployment_status(manifest, files, checks))
    fingerprints = {
        "manifest_sha256": sha256_of(args.release / MANIFEST_FILE),
        "model_sha256": manifest.files[MODEL_FILE],
    }
    record(args.ledger, "staged", release_id=manifest.release_id, details=fingerprints)
    log.info("written", release=args.release, status=args.status, live=False)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = task_parser("model_deploy", __doc__)
    p.add_argument("--model", type=Path, required=True, help="the model that model_train made")
    p.add_argument("--card", type=Path, required=True, help="its model card")
    p.add_argument("--release", type=Path, required=True, help="the folder of the staged release")
    p.add_argument("--status", type=Path, required=True, help="the JSON that says how it went")
    add_ledger(p)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the task and return its exit code."""
    return run_task("model_deploy", parser(), work, argv)


if __name__ == "__main__":
    leave(main())
