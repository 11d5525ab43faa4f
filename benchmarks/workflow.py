"""How long the workflow takes and how much memory: ``python benchmarks/workflow.py [--params examples/cboe_spx.yaml]``.

In a fresh clone it times the set-up (`make .venv/ready`), the whole run, and a second run that has nothing to do, and
prints wall seconds, CPU seconds and the largest sum of resident memory over all processes of the run.
"""

import argparse
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
EVERY = 0.2


def resident(process: psutil.Process) -> int:
    """Bytes resident in a process and all that it started."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def measured(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Run a command; wall seconds, CPU seconds and peak memory in GB."""
    before, started, peak = os.times(), time.perf_counter(), 0
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
    reader.start()
    while process.poll() is None:
        peak = max(peak, resident(psutil.Process(process.pid)))
        time.sleep(EVERY)
    reader.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}\n{''.join(errors[-20:])}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - started, cpu, peak / 1e9


def main() -> None:
    """Clone, set up, run, run again, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", default="params.yaml", help="the parameter file, as seen from the checkout")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    args = parser.parse_args()
    # Beside this checkout, so that paths like ../shared in a parameter file mean the same.
    with tempfile.TemporaryDirectory(dir=ROOT.parent, prefix="benchmark-") as place:
        folder = Path(place)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        snakemake = [".venv/bin/snakemake", "--cores", str(args.cores), "--config", f"params={args.params}"]
        os.environ["PATH"] = f"{folder / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        steps = {"set up": ["make", ".venv/ready"], "run": snakemake, "run again": snakemake}
        print(f"{'step':10} {'wall s':>8} {'CPU s':>8} {'peak GB':>8}   {args.params}, {args.cores} cores")
        for step, command in steps.items():
            wall, cpu, memory = measured(command, folder)
            print(f"{step:10} {wall:8.1f} {cpu:8.1f} {memory:8.2f}", flush=True)


if __name__ == "__main__":
    main()
