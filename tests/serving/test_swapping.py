"""Faults 63 and 66, against a real gunicorn with two workers."""

import http.client
import json
import pickle
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlencode

import pytest

from options_pricing.models.bundle import PricingModel
from options_pricing.release.approvals import approve
from options_pricing.release.health import READY, Api, watch
from options_pricing.release.manifest import MANIFEST_FILE
from options_pricing.release.promotion import Act, Releases, RolledBackError
from options_pricing.release.staging import release_files
from options_pricing.release.store import Store
from options_pricing.release.verify import read_manifest
from options_pricing.run.params import Params, Train
from options_pricing.serving.commands import api_command
from options_pricing.serving.processes import Service, free_port, running
from tests.made_release import pickled_model, write_trained
from tests.made_up_features import Market, make_features
from tests.misbehaving import HOW, Misbehaving

SWAPS = 100
CLIENTS = 4
BOB = Act("Bob", "a test")


def kept(store: Store, folder: Path, model: bytes) -> str:
    """Keep a release of a model and give its id."""
    folder.mkdir()
    files = release_files(*write_trained(folder, model), golden_count=5)
    release_id = str(json.loads(files[MANIFEST_FILE])["release_id"])
    store.keep(release_id, files)
    return release_id


def misbehaving(how: str) -> bytes:
    features = make_features(Market(underlyings=("IDX",), days=2, expirations=(20, 41), strikes=9))
    return pickle.dumps(PricingModel(Misbehaving(how).fit(features), features, Train().model_dump(mode="json")))


class Served:
    """A store with releases of two models, one of them live, and a gunicorn that follows it."""

    def __init__(self, store: Store, port: int, good: list[str], bad: dict[str, str]) -> None:
        self.store, self.port, self.good, self.bad = store, port, good, bad
        self.api = Api(f"http://127.0.0.1:{port}")

    def manifest(self, release_id: str):
        return read_manifest(self.store.folder_of(release_id) / MANIFEST_FILE)


@pytest.fixture(scope="module")
def served(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    store = Store(folder / "releases")
    good = [kept(store, folder / name, pickled_model(name)) for name in ("boosted", "flat_vol")]
    bad = {how: kept(store, folder / how, misbehaving(how)) for how in HOW}
    store.make_live(good[0])
    port = free_port()
    command = api_command(store.folder, "127.0.0.1", port, workers=2)
    command[-1] = command[-1].replace("options_pricing.serving.api:", "tests.serving.quick_app:")
    with pytest.MonkeyPatch.context() as patch:
        # The workers find this checkout's `tests` by it.
        patch.setenv("PYTHONPATH", str(root))
        with running([Service("API", command, port, READY)], timeout=120):
            yield Served(store, port, good, bad)


class Client:
    """Asks for one option again and again over one connection, and says what came that must not come."""

    def __init__(self, port: int, asked: dict, prices: dict[str, float]) -> None:
        self.path, self.prices = f"/price?{urlencode(asked)}", prices
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.answers, self.seen, self.wrong = 0, [], []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()

    def ask(self) -> None:
        while not self.stopped.is_set():
            try:
                self.connection.request("GET", self.path)
                response = self.connection.getresponse()
                status, told = response.status, json.loads(response.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.wrong.append(repr(error))
                return
            self.answers += 1
            if status != 200 or told["price"] != self.prices.get(told["release_id"]):
                self.wrong.append(f"{status}: {told}")
            if not self.seen or self.seen[-1] != told["release_id"]:
                self.seen.append(told["release_id"])

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()
        self.connection.close()


def until(condition, *, seconds: float = 60.0) -> bool:
    """Whether it comes to hold within that time."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return held


def served_by_all(served: Served, release_id: str) -> bool:
    """Whether the workers come to answer with a release and its golden prices."""
    return watch(served.api, served.manifest(release_id)) is None


def test_fault_66_a_hundred_swaps_under_load_lose_no_request(served):
    row = served.manifest(served.good[0]).golden_rows[0]
    rows = {name: served.manifest(name).golden_rows[0] for name in served.good}
    assert {json.dumps(found.asked()) for found in rows.values()} == {json.dumps(row.asked())}
    prices = {name: found.predicted_price for name, found in rows.items()}
    assert len(set(prices.values())) == 2
    clients = [Client(served.port, row.asked(), prices) for _ in range(CLIENTS)]
    for release_id in islice(cycle(reversed(served.good)), SWAPS):
        served.store.make_live(release_id)
        assert until(lambda wanted=release_id: all(client.seen[-1:] == [wanted] for client in clients))
    for client in clients:
        client.stop()
    assert [wrong for client in clients for wrong in client.wrong] == []
    # Each of them saw all the swaps, and perhaps the first release before them.
    assert all(len(client.seen) >= SWAPS for client in clients)


@pytest.mark.parametrize("how", HOW)
def test_fault_63_a_release_whose_answers_go_wrong_is_taken_back_within_five_seconds(served, how, monkeypatch):
    old, bad = served.store.live().live, served.bad[how]
    releases, now = Releases(served.store.folder, served.api), datetime.now(UTC)
    words = {"by": "Ann", "reason": "a test", "expires": now + timedelta(days=1), "now": now}
    approve(served.store.folder, releases.ledger, bad, **words)
    looks, alerts = [], []
    look = Api.look

    def timed(self, manifest):
        began, seen = time.monotonic(), look(self, manifest)
        looks.append((began, seen))
        return seen

    monkeypatch.setattr(Api, "look", timed)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    with pytest.raises(RolledBackError):
        releases.promote(bad, BOB, Params(), alert=lambda *said: alerts.append((time.monotonic(), *said)))
    assert served.store.live().live == old
    assert served_by_all(served, old)
    first = next(began for began, seen in looks if seen.verdict == "bad")
    ((told_at, told_of, _, _),) = alerts
    assert told_of == bad
    assert told_at - first < 5
    last = releases.ledger.entries()[-1]
    assert (last.event, last.release_id, last.details["to"]) == ("rolled_back", bad, old)


def test_going_back_is_seen_by_the_workers(served):
    one, two = served.good
    live = served.store.live().live
    other = two if live == one else one
    served.store.make_live(other)
    assert served_by_all(served, other)
    now, seen = Releases(served.store.folder, served.api).roll_back(BOB)
    assert (now.live, seen) == (live, True)
    assert served_by_all(served, live)
