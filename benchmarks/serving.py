"""How fast the API answers, and whether its memory stays flat.

    python benchmarks/serving.py --release releases/staged               single prices, and batches in columns
    python benchmarks/serving.py --release releases/staged --soak 600    ten minutes of both, memory by the minute

It serves the release by gunicorn as `options-pricing serve` does, asks it from a process of its own on the same
machine, and prints a table with the processor time of both: rates depend on what else the machine does, the server's
microseconds hardly do. The client only sends bytes that were made before and counts those that come, so that it is
not itself what is measured. Not part of `make bench`.
"""

import argparse
import json
import multiprocessing
import os
import random
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from options_pricing.release.verify import load_release
from options_pricing.serving.commands import api_command
from options_pricing.serving.ports import listeners
from options_pricing.serving.processes import Service, free_port, running

ROWS = 10_000
# Each of the two workers takes what connections it gets: with two of them, both often go to one.
BATCH_CLIENTS = 4
LENGTH = b"\r\nContent-Length: "


def requests_of(release: Path, kind: str, seed: int) -> list[bytes]:
    """Requests, as they are sent, for options on the European underlying with the most quotes."""
    model, chance = load_release(release).model, random.Random(seed)
    listed, quotes = model.listed(), model.quotes()
    european = set(listed.loc[listed["exercise_style"] == "european", "underlying"])
    counts = quotes["underlying"].value_counts()
    underlying = next((name for name in counts.index if name in european), counts.index[0])
    own = quotes[quotes["underlying"] == underlying]
    rows = list(zip(own["expiration"].dt.strftime("%Y-%m-%d"), own["strike"], own["option_type"], strict=True))
    asked = lambda: [chance.choice(rows) for _ in range(ROWS)]  # noqa: E731
    if kind == "single":
        return [
            _request("GET", "/price?" + urlencode({"underlying": underlying, "expiration": e, "strike": k, "type": t}))
            for e, k, t in asked()
        ]
    return [_request("POST", "/price", _batch(underlying, asked())) for _ in range(4)]


def _request(method: str, target: str, body: bytes = b"") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
    of_body = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{head}{of_body}\r\n".encode() + body


def _batch(underlying: str, rows: list[tuple[str, float, str]]) -> bytes:
    expiration, strike, option_type = zip(*rows, strict=True)
    columns = {"underlying": underlying, "expiration": expiration, "strike": strike, "option_type": option_type}
    return json.dumps({"columns": columns}, separators=(",", ":")).encode()


def ask(
    port: int, release: str, kind: str, clients: int, seconds: float, found: "multiprocessing.Queue[object]"
) -> None:
    """Ask over `clients` connections for some seconds; gives the time of each answer and how many were not 200."""
    prepared = requests_of(Path(release), kind, seed=1)
    times: list[float] = []
    wrong: list[int] = []
    until = time.perf_counter() + seconds
    threads = [
        threading.Thread(target=_client, args=(port, prepared[n:] + prepared[:n], until, times, wrong))
        for n in range(clients)
    ]
    began, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.put((times, len(wrong), time.perf_counter() - began, time.process_time() - used))


def _client(port: int, prepared: list[bytes], until: float, times: list[float], wrong: list[int]) -> None:
    number = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (began := time.perf_counter()) < until:
            connection.sendall(prepared[number % len(prepared)])
            status = _status_of_answer(connection)
            times.append(time.perf_counter() - began)
            if status != 200:
                wrong.append(status)
            number += 1


def _status_of_answer(connection: socket.socket) -> int:
    """Read one answer to its last byte; all that the API gives say how long they are."""
    head = _received(connection)
    while (end := head.find(b"\r\n\r\n")) < 0:
        head += _received(connection)
    at = head.index(LENGTH) + len(LENGTH)
    left = int(head[at : head.index(b"\r", at)]) - (len(head) - end - 4)
    while left > 0:
        left -= len(_received(connection))
    return int(head[9:12])


def _received(connection: socket.socket) -> bytes:
    if part := connection.recv(1 << 18):
        return part
    raise ConnectionError("the server hung up")


def measured(port: int, release: Path, kind: str, clients: int, seconds: float) -> dict[str, float]:
    """What one kind of request reaches."""
    found: multiprocessing.Queue[object] = multiprocessing.Queue()
    before = _processor_seconds(port)
    client = multiprocessing.Process(target=ask, args=(port, str(release), kind, clients, seconds, found))
    client.start()
    times, wrong, took, own = found.get()  # type: ignore[misc]
    client.join()
    options = len(times) * (ROWS if kind == "batch" else 1)
    at = {f"p{p}": float(np.percentile(times, p)) * 1000 for p in (50, 99)}
    server = _processor_seconds(port) - before
    return {
        "requests_s": len(times) / took,
        "options_s": options / took,
        **at,
        "wrong": wrong,
        "server": server / options,
        "client": own / options,
    }


def _processor_seconds(port: int) -> float:
    """Processor time that the server's processes have used."""
    ticks = 0
    for pid, _ in listeners(port):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(port: int) -> float:
    """MiB that the server's processes hold."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid, _ in listeners(port))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def table(port: int, release: Path, clients: int, seconds: float) -> None:
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(f"load before {load:.1f} on {cores} cores; {clients} clients beside the server, {seconds:.0f} s each")
    print("| what | requests/s | options/s | p50 ms | p99 ms | not 200 | server us/option | client us/option |")
    print("|---|---|---|---|---|---|---|---|")
    for kind, count in (("single", clients), ("batch", BATCH_CLIENTS)):
        measured(port, release, kind, count, min(3.0, seconds))  # warm
        told = measured(port, release, kind, count, seconds)
        print(
            f"| {kind} | {told['requests_s']:,.0f} | {told['options_s']:,.0f} | {told['p50']:.1f} | {told['p99']:.1f} "
            f"| {told['wrong']:.0f} | {1e6 * told['server']:.1f} | {1e6 * told['client']:.2f} |"
        )


def soak(port: int, release: Path, clients: int, seconds: float) -> None:
    """Both kinds in turn, memory after each minute."""
    measured(port, release, "single", clients, 5.0)
    measured(port, release, "batch", BATCH_CLIENTS, 5.0)
    print(f"| minute | memory MiB | not 200 |\n|---|---|---|\n| 0 | {memory(port):.0f} | 0 |")
    for minute in range(1, max(1, round(seconds / 60)) + 1):
        half = min(30.0, seconds / 2)
        wrong = sum(
            measured(port, release, kind, count, half)["wrong"]
            for kind, count in (("single", clients), ("batch", BATCH_CLIENTS))
        )
        print(f"| {minute} | {memory(port):.0f} | {wrong:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", type=Path, default=Path("releases/staged"))
    parser.add_argument("--clients", type=int, default=8, help="connections at once for single prices (default: 8)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each is measured (default: 10)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="soak for so long instead")
    args = parser.parse_args()
    port = free_port()
    command = api_command(args.release.resolve(), "127.0.0.1", port, workers=args.workers)
    with running([Service("API", command, port, "/v2/health/ready")], timeout=120):
        time.sleep(3.0)  # until the second worker is there too
        if args.soak:
            soak(port, args.release, args.clients, args.soak)
        else:
            table(port, args.release, args.clients, args.seconds)


if __name__ == "__main__":
    main()
