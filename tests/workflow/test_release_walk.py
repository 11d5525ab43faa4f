"""From `snakemake` to a live release and back, as the README tells it."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from options_pricing.serving.processes import free_port

pytestmark = pytest.mark.workflow

SOON = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
PATIENCE = 120


@contextmanager
def api(checkout):
    """`options-pricing serve` on a free port, from when it is ready."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "options_pricing.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=checkout.folder, env=checkout.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        end = time.monotonic() + PATIENCE
        while not answered(f"{address}/v2/health/ready"):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def answered(address):
    try:
        return get(address)
    except (OSError, urllib.error.URLError):
        return None


def get(address):
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.loads(answer.read())


def staged(checkout):
    return json.loads((checkout.folder / "releases/staged/manifest.json").read_text())


def priced(address, manifest):
    """One of its golden rows by the path that people type."""
    row = manifest["golden_rows"][0]
    asked = "&".join(f"{name}={row[name]}" for name in ("underlying", "root", "strike", "expiration", "option_type"))
    return get(f"{address}/price?{asked}")["price"], row["predicted_price"]


def act(checkout, command, *options, by, address=None):
    api_option = () if address is None else ("--api", address)
    return checkout.run("options-pricing", command, *options, "--by", by, "--reason", "a test", *api_option)


def test_approve_promote_serve_price_a_second_release_and_roll_back(copy_of_ran):
    checkout, first = copy_of_ran, staged(copy_of_ran)
    said = checkout.ok("options-pricing", "status")
    assert first["release_id"] in said and "CLOSED" in said

    refused = act(checkout, "promote", "staged", by="Bob")
    assert refused.returncode == 84 and len(refused.stderr.strip().splitlines()) <= 5
    assert act(checkout, "approve", first["release_id"], "--expires", SOON, by="Bob").returncode == 0
    assert act(checkout, "promote", first["release_id"], by="Bob").returncode == 84, "nobody approves for themselves"
    assert act(checkout, "approve", first["release_id"], "--expires", SOON, by="Ann").returncode == 0
    promoted = act(checkout, "promote", first["release_id"], by="Bob", address=f"http://127.0.0.1:{free_port()}")
    assert promoted.returncode == 0, promoted.stderr

    with api(checkout) as address:
        given, golden = priced(address, first)
        assert given == golden

        params = checkout.folder / "params.yaml"
        params.write_text(params.read_text().replace("golden_rows: 25", "golden_rows: 24"))
        checkout.snakemake("deploy")
        second = staged(checkout)
        assert second["release_id"] != first["release_id"]
        assert get(f"{address}/v2/health/ready")["release_id"] == first["release_id"], "staged is not live"
        assert act(checkout, "approve", second["release_id"], "--expires", SOON, by="Ann").returncode == 0
        swapped = act(checkout, "promote", second["release_id"], by="Bob", address=address)
        assert swapped.returncode == 0, swapped.stderr
        assert get(f"{address}/v2/health/ready")["release_id"] == second["release_id"]
        assert len(set(priced(address, second))) == 1

        back = act(checkout, "rollback", by="Bob", address=address)
        assert back.returncode == 0, back.stderr
        assert get(f"{address}/v2/health/ready")["release_id"] == first["release_id"]

    assert checkout.run("options-pricing", "verify").returncode == 0
    ledger = (checkout.folder / "releases/ledger.jsonl").read_text().splitlines()
    events = [json.loads(line)["event"] for line in ledger]
    for event in ("trained", "evaluated", "staged", "approved", "promoted", "rolled_back"):
        assert event in events
    cut = "".join(f"{line}\n" for line in ledger[:-1])
    (checkout.folder / "releases/ledger.jsonl").write_text(cut)
    assert checkout.run("options-pricing", "verify").returncode == 85
