"""How long swapping releases takes under load, and what it loses: ``python benchmarks/releases.py``.

A gunicorn with two workers follows copies of the staged release that differ in their cards. Clients ask it for one
option without pause while the live release changes a hundred times between two that are in memory, then between new
ones that each worker tries in a child process first; then ``options-pricing rollback`` goes back, from the start of its
process to its end and until every client sees it.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from frame import ROOT

from options_pricing.release.health import READY
from options_pricing.release.manifest import CARD_FILE, MANIFEST_FILE, ModelCard, make_manifest, manifest_bytes
from options_pricing.release.signing import SIGNATURE_FILE, release_key, sign, signature_bytes
from options_pricing.release.store import Store
from options_pricing.release.verify import verify_release
from options_pricing.serving.commands import WORKERS, api_command
from options_pricing.serving.processes import Service, child_environment, free_port, running

SWAPS, NEW, CLIENTS, QUIET_SECONDS = 100, 5, 4, 5.0


class Client(threading.Thread):
    """Asks for one option over one connection; keeps the seconds of each answer, what was lost, and whose was last."""

    def __init__(self, port: int, path: str) -> None:
        super().__init__(daemon=True)
        self.port, self.path = port, path
        self.seconds: list[float] = []
        self.lost, self.last, self.stopped = 0, "", False

    def run(self) -> None:
        """Ask until stopped."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.stopped:
            started = time.perf_counter()
            try:
                connection.request("GET", self.path)
                response = connection.getresponse()
                told = json.loads(response.read())
                self.lost += response.status != 200
                self.last = told.get("release_id", "")
            except (OSError, http.client.HTTPException, ValueError):
                self.lost += 1
                connection.close()
            self.seconds.append(time.perf_counter() - started)


def copies(staged: Path, store: Store, count: int) -> list[str]:
    """Keep that many releases of one model, each with another card; their ids."""
    verified, found = verify_release(staged), []
    for number in range(count):
        card = json.loads(verified.files[CARD_FILE]) | {"copy": number}
        files = verified.files | {CARD_FILE: json.dumps(card).encode()}
        held = verified.manifest
        manifest = make_manifest(ModelCard.model_validate(card), files, held.params, held.golden_rows)
        content = manifest_bytes(manifest)
        signature = signature_bytes(sign(content, release_key()))
        store.keep(manifest.release_id, {**files, MANIFEST_FILE: content, SIGNATURE_FILE: signature})
        found.append(manifest.release_id)
    return found


@contextmanager
def asked(port: int, path: str) -> Iterator[list[Client]]:
    """Clients at work for the length of the block."""
    clients = [Client(port, path) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.stopped = True
        for client in clients:
            client.join()


def swap(store: Store, clients: list[Client], release_id: str) -> float:
    """Make a release live; seconds until every client has an answer of it."""
    started = time.perf_counter()
    store.make_live(release_id)
    return until_seen(clients, release_id, started)


def until_seen(clients: list[Client], release_id: str, started: float) -> float:
    """Seconds from `started` until every client has an answer of a release."""
    while any(client.last != release_id for client in clients):
        if time.perf_counter() - started > 120:
            raise SystemExit(f"{release_id} was not taken up in two minutes")
        time.sleep(0.002)
    return time.perf_counter() - started


def told(what: str, seconds: list[float], clients: list[Client]) -> None:
    """Print how long changes took, and how the clients fared meanwhile; forget their answers."""
    answers = np.concatenate([client.seconds for client in clients])
    lost = sum(client.lost for client in clients)
    line = f"{what}: {len(answers):,} requests, {lost} lost, p50 {1e3 * np.median(answers):.1f} ms, "
    line += f"p99 {1e3 * np.quantile(answers, 0.99):.1f} ms, longest {1e3 * answers.max():.0f} ms"
    if seconds:
        line += f"; seen by all after {np.median(seconds):.2f} s (median), {max(seconds):.2f} s (longest)"
    print(line, flush=True)
    for client in clients:
        client.seconds, client.lost = [0.0], 0


def roll_back(folder: Path, port: int, store: Store, clients: list[Client]) -> None:
    """Run the command; print its seconds."""
    live = store.live()
    assert live is not None and live.previous is not None
    words = ["rollback", "--by", "benchmark", "--reason", "measured", "--folder", str(folder)]
    command = [sys.executable, "-m", "options_pricing.cli", *words, "--api", f"http://127.0.0.1:{port}"]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=child_environment(), stdout=subprocess.DEVNULL)
    seen = until_seen(clients, live.previous, started)
    if process.wait():
        raise SystemExit("rollback failed")
    print(
        f"rollback: command {time.perf_counter() - started:.2f} s, seen by all clients after {seen:.2f} s", flush=True
    )


def main() -> None:
    """Serve copies of a release, swap them under load, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=Path, default=ROOT / "releases", help="where a release is staged")
    args = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder, port = Path(place), free_port()
        store = Store(folder / "releases")
        ids = copies(Store(args.releases).staged, store, 2 + NEW)
        store.make_live(ids[0])
        row = verify_release(store.folder_of(ids[0])).manifest.golden_rows[0]
        command = api_command(store.folder, "127.0.0.1", port, workers=WORKERS)
        path = f"/price?{urlencode(row.asked())}"
        with running([Service("API", command, port, READY)], timeout=300), asked(port, path) as clients:
            time.sleep(QUIET_SECONDS)
            told("no swap", [], clients)
            swap(store, clients, ids[1])
            told("first swap", [], clients)
            told(f"{SWAPS} swaps in memory", [swap(store, clients, ids[at % 2]) for at in range(SWAPS)], clients)
            told(f"{NEW} swaps to new releases", [swap(store, clients, new) for new in ids[2:]], clients)
            roll_back(folder, port, store, clients)
            told("rollback", [], clients)


if __name__ == "__main__":
    main()
