import json
import subprocess
import sys

import pytest

from options_pricing.release.verify import read_manifest
from options_pricing.run.errors import UnhealthyError
from options_pricing.serving import trial
from options_pricing.serving.commands import api_command
from options_pricing.serving.processes import Service, fetch, free_port, running

NAMES = ["api_ready", "api_single_price", "api_golden_prices", "app_health", "app_page", "app_page_drawn"]


def tried(folder, *, timeout: float = 120) -> dict[str, bool]:
    manifest = read_manifest(folder / "manifest.json")
    return {check.name: check.passed for check in trial.try_release(folder, manifest, timeout=timeout)}


def test_other_golden_prices_and_a_page_that_can_not_be_drawn_are_found(staged_with, manifest, tmp_path, monkeypatch):
    rows = [row | {"predicted_price": row["predicted_price"] * (1 + 1e-9)} for row in manifest["golden_rows"]]
    broken = tmp_path / "dashboard.py"
    broken.write_text("import streamlit as st\nst.title('half a page')\nraise ValueError('the other half')\n")
    monkeypatch.setattr("options_pricing.serving.commands.DASHBOARD", broken)
    passed = tried(staged_with(golden_rows=rows))
    assert [name for name in NAMES if not passed[name]] == [
        "api_ready",
        "api_single_price",
        "api_golden_prices",
        "app_page_drawn",
    ]


def test_a_release_that_the_api_refuses_is_told_by_its_last_line(staged_copy):
    manifest = read_manifest(staged_copy / "manifest.json")
    (staged_copy / "options_pricing_model.pkl").write_bytes(b"")
    with pytest.raises(UnhealthyError) as caught:
        trial.try_release(staged_copy, manifest, timeout=120)
    assert caught.value.exit_code == 82
    assert "API" in caught.value.what
    assert "options_pricing_model.pkl is refused" in caught.value.why


@pytest.fixture(scope="module")
def gunicorn(staged):
    """The port of a real gunicorn that serves a release."""
    port = free_port()
    command = api_command(staged, "127.0.0.1", port, workers=1)
    with running([Service("API", command, port, "/v2/health/ready")], timeout=120):
        yield port


def chunked(port: int, body: bytes) -> bytes:
    """The raw answer to a POST of chunks, which says nothing of its length."""
    head = b"POST /price HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    sent = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    code = "import socket, sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
    code += "s.sendall(sys.stdin.buffer.read())\nwhile part := s.recv(65536): sys.stdout.buffer.write(part)"
    return subprocess.run(
        [sys.executable, "-S", "-c", code, str(port)], input=sent, capture_output=True, timeout=60, check=False
    ).stdout


def test_gunicorn_answers_as_the_client_of_flask_did(gunicorn, manifest):
    row = manifest["golden_rows"][0]
    asked = {key: row[key] for key in ("underlying", "root", "expiration", "strike", "option_type")}
    body = json.dumps({"options": [asked]}).encode()
    answer = fetch(gunicorn, "/price", body=body, headers={"Content-Type": "application/json"})
    assert json.loads(answer.body)["options"][0]["price"] == row["predicted_price"]
    assert b'"price":%s' % repr(row["predicted_price"]).encode() in chunked(gunicorn, body)
    assert fetch(gunicorn, "/price", body=body).status == 415


def test_gunicorn_refuses_too_long_a_body_in_chunks(gunicorn):
    assert chunked(gunicorn, b" " * ((1 << 20) + 10)).startswith(b"HTTP/1.1 413")


def test_gunicorn_refuses_too_long_an_address(gunicorn):
    answer = fetch(gunicorn, "/" + "x" * 5000)
    assert 400 <= answer.status < 500
    assert b"Traceback" not in answer.body
