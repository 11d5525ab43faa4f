"""A day of five million rows through two tasks: ``python benchmarks/five_million.py [--rows N]``.

The chains of the simulated market, listed again under other names until there are enough rows. It prints CPU and wall
seconds and the peak memory of data_validate and feature_engineer; nothing is left behind. It takes minutes and some
gigabytes of disk.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from options_pricing.quotes.schema import RAW
from options_pricing.quotes.tables import write_csv
from options_pricing.sources.simulated import SimulatedMarket

ROOT = Path(__file__).resolve().parents[1]
DAY = "20261120"
PARAMS = "source: {kind: simulated}\n"
RAW_FILE = f"options_data_{DAY}.csv"


def listed_again(rows: int) -> pd.DataFrame:
    """So many rows: the simulated underlyings under new tickers of their own, each a whole chain."""
    chains = SimulatedMarket(7, ("XIDX", "XETF", "XTEC", "XOIL"), "full", 0.01).chain(DAY).quotes
    copies = []
    for number in range(-(-rows // len(chains))):
        letters = chr(65 + number // 26) + chr(65 + number % 26)
        renamed = {
            name: chains[name].str.replace(r"^X", letters, regex=True)
            for name in ("underlying", "root", "contract_symbol")
        }
        copies.append(chains.assign(**renamed))
    return pd.concat(copies, ignore_index=True).iloc[:rows]


def measured(folder: Path, task: str, *arguments: str) -> None:
    """Run a task and print what it took."""
    script = ROOT / "scripts" / f"{task}.py"
    command = [sys.executable, str(script), "--params", "params.yaml", "--date", DAY, *arguments]
    started = time.monotonic()
    with (folder / f"{task}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})
        _, status, used = os.wait4(process.pid, 0)
    code, wall = os.waitstatus_to_exitcode(status), time.monotonic() - started
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20
    print(f"{task}: exit {code}, {cpu:.0f} CPU-s, {wall:.0f} s, {peak:.2f} GiB", flush=True)
    if code:
        sys.exit((folder / f"{task}.log").read_text()[-2000:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "params.yaml").write_text(PARAMS)
        quotes = listed_again(rows)
        write_csv(quotes, folder / RAW_FILE, RAW)
        size = os.path.getsize(folder / RAW_FILE) / 2**20
        print(f"{len(quotes)} rows of {quotes['underlying'].nunique()} underlyings, {size:.0f} MiB", flush=True)
        del quotes
        with (folder / RAW_FILE).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        meta = {"source": "simulated", "simulated": True, "sha256": sha256}
        (folder / RAW_FILE).with_suffix(".meta.json").write_text(json.dumps(meta))
        outs = ("--out", "validated.csv", "--quarantine", "quarantine.csv", "--report", "report.json")
        measured(folder, "data_validate", "--raw", RAW_FILE, *outs)
        print(json.loads((folder / "report.json").read_text())["rows"])
        measured(folder, "feature_engineer", "--validated", "validated.csv", "--out", "features.csv")


if __name__ == "__main__":
    main()
