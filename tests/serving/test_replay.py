"""A receipt gives the same bits again, long after the answer, from the release that is kept."""

import base64
import hashlib
import json
import shutil
import zlib
from datetime import date

import pytest

from options_pricing.cli import main
from options_pricing.release.verify import load_release
from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.serving.api import create_app
from options_pricing.serving.receipts import KIND, LARGEST, read, written
from options_pricing.serving.replay import replay
from tests.made_release import edit_manifest


@pytest.fixture(scope="module")
def releases(staged, tmp_path_factory):
    """A folder of releases that keeps the staged one under its id."""
    folder = tmp_path_factory.mktemp("releases")
    shutil.copytree(staged, folder / load_release(staged).manifest.release_id)
    return folder


@pytest.fixture(scope="module")
def client(staged):
    return create_app(staged, today=lambda: date(2026, 11, 23)).test_client()


@pytest.fixture(scope="module")
def option(staged):
    return load_release(staged).manifest.golden_rows[0].asked()


def tensors(option) -> list[dict]:
    kinds = {"strike": "FP64"}
    return [{"name": n, "shape": [1], "datatype": kinds.get(n, "BYTES"), "data": [v]} for n, v in option.items()]


ASKED = {
    "one": lambda client, option: client.get("/price", query_string=option),
    "greeks": lambda client, option: client.get("/greeks", query_string=option),
    "rows": lambda client, option: client.post("/price", json={"options": [option, option | {"strike": 1e-9}]}),
    "columns": lambda client, option: client.post("/price", json={"columns": option | {"strike": [90, 110.5]}}),
    "infer": lambda client, option: client.post(
        "/v2/models/options_pricing/infer", json={"id": "7", "inputs": tensors(option)}
    ),
    "smile": lambda client, option: client.get(
        "/smile", query_string={"underlying": option["underlying"], "expiration": option["expiration"]}
    ),
    "surface": lambda client, option: client.get("/surface", query_string={"underlying": "STK", "points": 3}),
    "model": lambda client, option: client.get("/model"),
    "predict": lambda client, option: client.get("/predict/0.2/1.1/0.3"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_receipt_gives_the_same_bits_again(client, option, releases, asked):
    answer = ASKED[asked](client, option)
    assert answer.status_code == 200
    receipt = answer.json["receipt"]
    assert list(answer.json)[-1] == "receipt"
    assert replay(releases, receipt) == answer.data
    # The age of the data is that of the day of the answer, not of the replay.
    assert read(receipt).asked_on == date(2026, 11, 23)


def test_a_batch_has_one_receipt_that_holds_the_request_packed(client, option):
    body = json.dumps({"columns": option | {"strike": [100 + n / 100 for n in range(10_000)]}}).encode()
    answer = client.post("/price", data=body, content_type="application/json")
    receipt = answer.json["receipt"]
    assert read(receipt).body == body
    assert len(receipt) < len(body)
    assert answer.text.count('"receipt"') == 1


def test_the_command_prints_the_answer_from_an_argument_a_file_or_standard_input(
    client, option, releases, tmp_path, capfdbinary, monkeypatch
):
    answer = client.get("/price", query_string=option)
    receipt = answer.json["receipt"]
    file = tmp_path / "receipt"
    file.write_text(receipt + "\n")
    monkeypatch.setattr("sys.stdin", file.open())
    for given in (receipt, f"@{file}", "-"):
        assert main(["replay", given, "--releases", str(releases)]) == 0
        assert capfdbinary.readouterr().out == answer.data


def test_a_receipt_of_a_release_that_is_not_kept_or_answers_otherwise_is_told(client, option, releases, tmp_path):
    receipt = client.get("/price", query_string=option).json["receipt"]
    with pytest.raises(MissingInputError):
        replay(tmp_path, receipt)
    held = read(receipt)
    other = type(held)(**{**vars(held), "target": held.target.replace("strike=", "strike=1")})
    with pytest.raises(BadDataError, match="not give what was answered"):
        replay(releases, written(other))


def test_a_release_under_another_s_id_is_not_replayed(client, option, releases, staged, tmp_path):
    receipt = client.get("/price", query_string=option).json["receipt"]
    folder = tmp_path / read(receipt).release
    shutil.copytree(staged, folder)
    edit_manifest(folder, model="another")
    with pytest.raises(BadDataError, match="not give what was answered"):
        replay(tmp_path, receipt)


def bomb() -> str:
    return KIND + base64.urlsafe_b64encode(zlib.compress(b"0" * (LARGEST * 50))).decode()


@pytest.mark.parametrize(
    "text",
    ["", "op1.", "op2.AAAA", "op1.????", "op1." + base64.urlsafe_b64encode(zlib.compress(b"{}\n")).decode(), bomb()],
)
def test_what_is_no_receipt_is_told(releases, text):
    with pytest.raises(BadDataError, match="no receipt"):
        replay(releases, text)


def test_a_receipt_can_not_name_a_path(client, option, releases):
    held = read(client.get("/price", query_string=option).json["receipt"])
    other = type(held)(**{**vars(held), "release": "../staged"})
    with pytest.raises(BadDataError, match="is no release"):
        replay(releases, written(other))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"target": "//[::1"}, "no receipt"),
        ({"target": "//example.com/price"}, "no receipt"),
        ({"target": "http://example.com/price"}, "no receipt"),
        ({"target": "/price\r\nX: y"}, "no receipt"),
        ({"target": ""}, "no receipt"),
        ({"method": "DELETE"}, "no receipt"),
        ({"method": "GET\r\nX"}, "no receipt"),
        ({"target": "/metrics"}, "not give what was answered"),
        ({"target": "/metrics", "answer": hashlib.sha256(b"").hexdigest()}, "not give what was answered"),
        ({"target": "/openapi.json"}, "not give what was answered"),
    ],
)
def test_a_receipt_that_somebody_made_up_is_told(client, option, releases, changed, says):
    held = read(client.get("/price", query_string=option).json["receipt"])
    with pytest.raises(BadDataError, match=says):
        replay(releases, written(type(held)(**{**vars(held), **changed})))
