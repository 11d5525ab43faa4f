"""Run every benchmark and write RESULTS.md: ``make bench``, or ``run.py SUBJECT ...`` to see some and write nothing.

Each subject runs in a process of its own, one after the other, so that none pays for another's imports and memory.
"""

import argparse
import datetime
import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from frame import Result, Row, SkippedError

HERE = Path(__file__).resolve().parent
PAGE = HERE / "RESULTS.md"
SCALES = ((1e6, " M "), (1e3, " k "), (1.0, " "))


def subjects() -> list[str]:
    """The names of all files beside this one that measure something."""
    return sorted(path.stem for path in HERE.glob("*.py") if "\ndef rows() " in path.read_text(encoding="utf-8"))


def measured(subject: str) -> str:
    """The part of the page about one subject, measured in a process of its own."""
    command = [sys.executable, str(HERE / "run.py"), "--here", subject]
    # A subject's progress goes to its standard error; the last line it prints is the answer.
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    told = json.loads(printed.splitlines()[-1])
    rows = [Row(row["work"], row["unit"], [Result(**result) for result in row["results"]]) for row in told["rows"]]
    return section(told["title"], told["note"], rows)


def measure_here(subject: str) -> None:
    """Measure one subject in this process and print what `measured` reads."""
    module = importlib.import_module(subject)
    try:
        rows, note = [asdict(row) for row in module.rows()], module.NOTE
    except SkippedError as reason:
        rows, note = [], f"Not measured: {reason}."
    print(json.dumps({"title": module.TITLE, "note": note, "rows": rows}))


def section(title: str, note: str, rows: Sequence[Row]) -> str:
    """A subject's title, note and tables."""
    if not rows:
        return f"## {title}\n\n{note}\n"
    head = ["work", "ours", "(wall)", "best peer", "its", "(wall)", "ratio", "our error", "peer's error"]
    parts = [f"## {title}", note, table(head, [line(row) for row in rows])]
    others = [other for row in rows for other in other_lines(row)]
    if others:
        parts += ["All peers:", table(["work", "peer", "per CPU-second", "(wall)", "ratio", "error"], others)]
    return "\n\n".join(parts) + "\n"


def line(row: Row) -> list[str]:
    """The cells of one row: ours against the best peer, per CPU-second and (in brackets' column) per second."""
    ours, peer = row.ours, row.best_peer
    if ours.memory:
        speed = [f"{ours.cpu:.2f} CPU-s, {ours.memory:.2f} GB", f"{ours.wall:.2f} s"]
    else:
        speed = [rate(ours.cpu, row.unit), rate(ours.wall, row.unit)]
    if peer is None:
        return [row.work, *speed, "–", "–", "–", "–", ours.error, "–"]
    theirs = [peer.name, rate(peer.cpu, row.unit), rate(peer.wall, row.unit), f"**{peer.cpu / ours.cpu:.2f}**"]
    return [row.work, *speed, *theirs, ours.error, peer.error]


def other_lines(row: Row) -> list[list[str]]:
    """Every peer of a row that has more than one, the fastest first."""
    peers = sorted(row.results[1:], key=lambda peer: peer.cpu)
    if len(peers) < 2:
        return []
    return [
        [
            row.work,
            peer.name,
            rate(peer.cpu, row.unit),
            rate(peer.wall, row.unit),
            f"{peer.cpu / row.ours.cpu:.2f}",
            f"{peer.error} ({peer.broken})" if peer.broken else peer.error,
        ]
        for peer in peers
    ]


def rate(seconds: float, unit: str) -> str:
    """How many a second, three figures: ``8.21 M options/s``."""
    scale, letter = next((pair for pair in SCALES if 1 / seconds >= pair[0]), SCALES[-1])
    return f"{1 / seconds / scale:#.3g}".rstrip(".") + f"{letter}{unit}/s"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *lines))


def machine() -> str:
    """The processor, the cores this process may use, and the versions that matter."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = named[0] if named else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "numba", "pandas", "pyarrow"))
    return f"{model}, {cores} cores, {platform.system()}, Python {platform.python_version()}, {versions}"


def page(sections: Sequence[str]) -> str:
    """All of RESULTS.md."""
    today = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    intro = (
        f"Written by `make bench` on {today} ({machine()}). All contenders of a row do the same work in turn, in one "
        "process; figures are medians. The ratio is the peer's CPU time over ours: above 1 we are faster. The best "
        "peer is the one that needs the least CPU time and gets the work right. `benchmarks/requirements.lock` has "
        "the peers' versions."
    )
    return "\n\n".join(["# Benchmarks", intro, *sections]).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="*", help=f"some of: {', '.join(subjects())}")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.here:
        measure_here(args.here)
        return
    made = []
    for subject in args.subjects or subjects():
        made.append(measured(subject))
        print(made[-1], flush=True)
    if not args.subjects:
        PAGE.write_text(page(made), encoding="utf-8")


if __name__ == "__main__":
    main()
