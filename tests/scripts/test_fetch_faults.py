"""What a misbehaving service does to data_fetch, from its command line: exit code, message, and old files whole."""

import gzip
import json
import re
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import data_fetch
import pytest
import yaml
from werkzeug import Response

from tests.sources.cboe_feed import DAY, body, feed, option

PATH = "/api/global/delayed_quotes/options/SPY.json"
TOKEN = "OPTIONS_PRICING_CBOE_TOKEN"
SECRET = "canary-4f1c77aa"
HTML = b"<!DOCTYPE html><html><body>Scheduled \x1b[31mmaintenance</body></html>" + b"." * 500


@pytest.fixture
def fetch(tmp_path, httpserver, capsys):
    """Fetch SPY of a day from the test server; gives the exit code and what was said on standard error."""

    def run(day=DAY, base_url=None, *, tries=3, again=False, first_wait=0.0, **http):
        params = {
            "source": {"kind": "cboe", "tickers": ["SPY"], "base_url": base_url or httpserver.url_for("").rstrip("/")},
            "http": {"payloads": str(tmp_path / "payloads"), "deadline": 5.0, **http},
            "retry": {"data_fetch": {"tries": tries, "backoff": "exponential", "first_wait": first_wait}},
        }
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
        out = tmp_path / "raw" / f"options_data_{day}.csv"
        command = ["--params", str(tmp_path / "params.yaml"), "--date", day, "--out", str(out)]
        command += ["--log", str(tmp_path / "fetch.log"), *(["--again"] if again else [])]
        return data_fetch.main(command), capsys.readouterr().err

    return run


def files(tmp_path):
    return {path.name: path.read_bytes() for path in (tmp_path / "raw").glob("*")}


def message(said):
    """What a person reads beside the log lines."""
    lines = [line for line in said.splitlines() if not re.match(r"20\d\d-\d\d-\d\dT", line)]
    assert len(lines) <= 5
    assert lines[0].startswith("data_fetch: ") and any("fix:" in line for line in lines)
    assert "Traceback" not in said
    return "\n".join(lines)


def refused(fetch, tmp_path, code=69, **given):
    """A fetch that must fail and write nothing; its message."""
    before = files(tmp_path)
    found, said = fetch(**given)
    assert found == code, said
    assert files(tmp_path) == before
    return message(said)


def answers(httpserver, *responses):
    """The server gives these one after the other, the last one for ever."""
    left = list(responses)

    def handle(request):
        given = left.pop(0) if len(left) > 1 else left[0]
        return given if isinstance(given, Response) else given(request)

    httpserver.expect_request(PATH).respond_with_handler(handle)


def good(**given):
    return Response(body(**given), content_type="application/json")


@pytest.fixture
def yesterday(fetch, httpserver, tmp_path):
    """A day that was fetched well, before things went wrong."""
    httpserver.expect_oneshot_request(PATH).respond_with_response(
        Response(json.dumps(feed([option("SPY261218C00640000", traded="2026-11-19T15:00:00")])).encode())
    )
    assert fetch("20261119")[0] == 0
    return files(tmp_path)


def test_a_chain_is_fetched_and_says_where_it_came_from(fetch, httpserver, tmp_path):
    answers(httpserver, good())
    assert fetch()[0] == 0
    meta = json.loads(files(tmp_path)[f"options_data_{DAY}.meta.json"])
    assert (meta["rows"], meta["response_codes"], meta["captured_at"]) == (8, [200], "2026-11-20T22:41:22Z")
    assert meta["inputs"][0]["path"].endswith(PATH) and len(meta["inputs"][0]["sha256"]) == 64


@pytest.mark.parametrize("form", ["seconds", "http-date"])
def test_fault_01_retry_after_is_honoured(fetch, httpserver, form):
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    wait = "1" if form == "seconds" else at
    answers(httpserver, Response(status=429, headers={"Retry-After": wait}), good())
    started = time.monotonic()
    code, said = fetch()
    assert code == 0 and time.monotonic() - started >= 0.9
    assert "event=http_retry" in said and "answers 429 and asks to wait" in said


def test_fault_01_a_wait_beyond_the_total_ends_at_once(fetch, httpserver, tmp_path):
    answers(httpserver, Response(status=429, headers={"Retry-After": "1000"}))
    started = time.monotonic()
    said = refused(fetch, tmp_path)
    assert time.monotonic() - started < 5
    assert "asks to wait 1000 s" in said and "900 s" in said
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_fault_02_a_failure_that_passes_is_tried_again_and_logged(fetch, httpserver, tmp_path, status):
    answers(httpserver, Response(status=status), Response(status=status), good())
    code, said = fetch()
    assert code == 0
    assert said.count("event=http_retry") == 2
    assert json.loads(files(tmp_path)[f"options_data_{DAY}.meta.json"])["response_codes"] == [status, status, 200]


def test_fault_03_a_failure_that_stays_leaves_yesterday_untouched(yesterday, fetch, httpserver, tmp_path):
    answers(httpserver, Response(status=500))
    said = refused(fetch, tmp_path)
    assert "answers 500" in said and "attempts: 3" in said
    assert files(tmp_path) == yesterday


def test_fault_04_a_refused_connection_is_tried_again(fetch, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = refused(fetch, tmp_path, base_url=f"http://127.0.0.1:{port}")
    assert "refused" in said and "attempts: 3" in said


def test_fault_04_a_name_that_is_not_known_is_tried_again(fetch, tmp_path):
    said = refused(fetch, tmp_path, base_url="https://no-such-host.invalid")
    assert "attempts: 3" in said


def test_fault_04_a_tls_error_is_not_tried_again(fetch, httpserver, tmp_path):
    said = refused(fetch, tmp_path, base_url=f"https://localhost:{httpserver.port}")
    assert "cannot be trusted" in said
    assert "event=http_retry" not in (tmp_path / "fetch.log").read_text()


@pytest.fixture
def raw_server():
    """Start a server that answers every connection with the given chunks, a pause after each; gives its address."""
    sockets = []

    def start(*chunks, pause=0.0, forever=False):
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection):
            try:
                with connection:
                    connection.recv(65536)
                    for chunk in chunks:
                        connection.sendall(chunk)
                        time.sleep(pause)
                    while forever:
                        connection.sendall(chunks[-1])
                        time.sleep(pause)
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for each in sockets:
        each.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "chunks",
    [(HEAD + b"Content-Length: 100000\r\n\r\n", b"{"), (b"HTTP/1.1 200 OK\r\n", b"X"), (b"",)],
    ids=["body", "headers", "nothing"],
)
def test_fault_05_a_trickle_ends_at_the_total_deadline(fetch, raw_server, tmp_path, chunks):
    started = time.monotonic()
    base_url = raw_server(*chunks, pause=0.1, forever=True)
    said = refused(fetch, tmp_path, base_url=base_url, tries=2, deadline=1.0)
    assert "no whole answer within" in said and "attempts: 2" in said
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("cut", ["content-length", "json", "gzip", "chunked"])
def test_fault_06_a_body_cut_short_is_tried_again_and_never_parsed(fetch, httpserver, raw_server, tmp_path, cut):
    half = body()[: len(body()) // 2]
    if cut == "content-length":
        base_url = raw_server(HEAD + f"Content-Length: {len(body())}\r\n\r\n".encode() + half)
    elif cut == "chunked":
        base_url = raw_server(HEAD + f"Transfer-Encoding: chunked\r\n\r\n{len(body()):x}\r\n".encode() + half)
    elif cut == "json":
        base_url = raw_server(HEAD + b"\r\n" + half)
    else:
        packed = gzip.compress(body())
        base_url = raw_server(HEAD + b"Content-Encoding: gzip\r\n\r\n" + packed[: len(packed) // 2])
    assert "attempts: 3" in refused(fetch, tmp_path, base_url=base_url)
    assert not (tmp_path / "payloads").exists()
    answers(httpserver, Response(half), good())
    assert fetch()[0] == 0


def test_fault_07_a_page_is_named_not_json_with_its_first_characters(fetch, httpserver, tmp_path):
    answers(httpserver, Response(HTML, content_type="text/html"))
    said = refused(fetch, tmp_path)
    assert "not JSON" in said and "<!DOCTYPE html>" in said
    assert "\x1b" not in said and "." * 60 not in said


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("token", [None, SECRET], ids=["unset", "set"])
def test_fault_08_no_entry_names_the_variable_and_never_the_key(
    fetch, httpserver, tmp_path, monkeypatch, status, token
):
    if token:
        monkeypatch.setenv(TOKEN, token)
    answers(httpserver, lambda request: Response(str(request.headers), status=status))
    said = refused(fetch, tmp_path)
    assert TOKEN in said and len(httpserver.log) == 1
    assert httpserver.log[0][0].headers.get("Authorization") == (f"Bearer {SECRET}" if token else None)
    assert SECRET not in said + (tmp_path / "fetch.log").read_text()


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("https://elsewhere.invalid/x", "another host"),
        ("http://127.0.0.1:1/x", "another"),
        ("ftp://localhost/x", "ftp"),
        (PATH, "more than 5 times"),
    ],
    ids=["host", "port", "scheme", "loop"],
)
def test_fault_09_a_redirect_elsewhere_or_for_ever_is_refused(fetch, httpserver, tmp_path, monkeypatch, to, why):
    monkeypatch.setenv(TOKEN, SECRET)
    answers(httpserver, Response(status=301, headers={"Location": to}))
    said = refused(fetch, tmp_path)
    assert why in said and "not followed" in said
    assert len(httpserver.log) == (6 if to == PATH else 1)


def test_a_redirect_on_the_same_host_is_followed(fetch, httpserver):
    answers(httpserver, Response(status=302, headers={"Location": "/moved.json"}))
    httpserver.expect_request("/moved.json").respond_with_response(good())
    assert fetch()[0] == 0


def test_fault_10_a_gzip_bomb_stops_at_the_limit_of_bytes(httpserver, root, tmp_path):
    bomb = gzip.compress(bytes(64 << 20)) * 160
    assert len(bomb) < 11 << 20
    httpserver.expect_request(PATH).respond_with_response(Response(bomb, headers={"Content-Encoding": "gzip"}))
    done = limited_fetch(httpserver.url_for("").rstrip("/"), root, tmp_path)
    assert done.returncode == 69 and "too large" in message(done.stderr)


def test_fault_11_an_endless_body_stops_at_the_limit_of_bytes(raw_server, root, tmp_path):
    done = limited_fetch(raw_server(HEAD + b"\r\n[", b" " * (1 << 20), forever=True), root, tmp_path)
    assert done.returncode == 69 and "too large" in message(done.stderr)


def limited_fetch(base_url, root, tmp_path):
    """Fetch in a process of its own, which must not come to hold 512 MiB."""
    source = {"kind": "cboe", "tickers": ["SPY"], "base_url": base_url}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"source": source, "http": {"payloads": None}}))
    command = [sys.executable, "-c", LIMITED, str(root / "scripts"), "--params", str(tmp_path / "params.yaml")]
    command += ["--date", DAY, "--out", str(tmp_path / "raw" / "x.csv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    largest = int(re.search(r"^RSS (\d+)$", done.stdout, flags=re.MULTILINE)[1])
    assert largest < 512 << 10, f"{largest} KiB"
    assert not (tmp_path / "raw").exists()
    return done


LIMITED = """
import re, sys
sys.path.insert(0, sys.argv.pop(1))
import data_fetch
code = data_fetch.main(sys.argv[1:])
# Not what getrusage says, which a process takes over from the one that started it.
print("RSS", re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
sys.exit(code)
"""


@pytest.mark.parametrize("where", ["document", "data", "option"])
def test_fault_12_a_renamed_field_is_named_with_what_stands_in_its_place(fetch, httpserver, tmp_path, where):
    given = feed()
    part, old = {"document": (given, "data"), "data": (given["data"], "options"), "option": (None, "bid")}[where]
    for each in given["data"]["options"] if part is None else [part]:
        each["neuer"] = each.pop(old)
    answers(httpserver, Response(json.dumps(given)))
    said = refused(fetch, tmp_path, code=65)
    assert f"missing: {old}" in said and "neuer" in said and "F02" in said


def test_fault_13_what_is_no_number_is_null_and_counted(fetch, httpserver, tmp_path):
    bids = ["1.5", "1,234.5", "N/A", None, "-", True, [], "nan"]
    symbols = [each["option"] for each in feed()["data"]["options"]]
    options = [option(symbol, bid) for symbol, bid in zip(symbols, bids, strict=True)]
    document = json.dumps(feed(options)).replace('"bid": true', '"bid": 1e400')
    answers(httpserver, Response(document))
    code, said = fetch()
    assert code == 0 and "unreadable" in said
    raw = files(tmp_path)[f"options_data_{DAY}.csv"].decode().splitlines()
    held = [line.split(",")[raw[0].split(",").index('"bid"')] for line in raw[1:]]
    assert held == ["1.5", *[""] * 7]
    assert json.loads(files(tmp_path)[f"options_data_{DAY}.meta.json"])["unreadable"] == {"bid": 6}


def test_fault_16_an_empty_chain_on_a_session_day_is_no_empty_file(yesterday, fetch, httpserver, tmp_path):
    answers(httpserver, Response(json.dumps(feed([]))))
    assert "empty chain" in refused(fetch, tmp_path)


@pytest.mark.parametrize("day", ["20261126", "20261121"], ids=["holiday", "fault-18-weekend"])
def test_fault_17_on_a_day_without_session_nothing_is_asked(fetch, httpserver, tmp_path, day):
    answers(httpserver, Response(json.dumps(feed([]))))
    code, said = fetch(day)
    assert code == 0 and "event=no_session" in said
    assert not httpserver.log and not (tmp_path / "raw").exists()


@pytest.mark.parametrize("value", ["", "two\nlines", " spaced ", "ünicode"])
def test_fault_33_a_token_that_cannot_be_one_is_named_and_never_shown(fetch, httpserver, tmp_path, monkeypatch, value):
    monkeypatch.setenv(TOKEN, value)
    answers(httpserver, good())
    said = refused(fetch, tmp_path, code=78)
    assert TOKEN in said and not httpserver.log
    assert not value or value.strip() not in said


def test_fault_72_a_user_in_the_address_is_refused_without_being_shown(fetch, tmp_path):
    said = refused(fetch, tmp_path, code=78, base_url=f"https://user:{SECRET}@example.invalid")
    assert "base_url" in said and SECRET not in said


def test_another_day_than_the_one_asked_for_is_refused_and_named(yesterday, fetch, httpserver, tmp_path):
    answers(httpserver, good())
    said = refused(fetch, tmp_path, day="20261118")
    assert "it shows the newest day only, 20261120" in said and "kept from earlier: 20261119" in said


def test_a_day_that_was_captured_is_made_again_from_its_kept_answers(yesterday, fetch, httpserver, tmp_path):
    for file in (tmp_path / "raw").glob("*"):
        file.unlink()
    asked = len(httpserver.log)
    assert fetch("20261119")[0] == 0
    assert files(tmp_path) == yesterday and len(httpserver.log) == asked


def test_again_asks_the_service_even_so(fetch, httpserver, tmp_path):
    answers(httpserver, good(price=650.0), good(price=651.0))
    fetch()
    first = files(tmp_path)
    for file in (tmp_path / "raw").glob("*"):
        file.unlink()
    assert fetch(again=True)[0] == 0
    assert files(tmp_path) != first


def test_kept_answers_that_are_damaged_are_named(yesterday, fetch, tmp_path):
    (kept,) = (tmp_path / "payloads").rglob("*.gz")
    kept.write_bytes(kept.read_bytes()[:-9])
    for file in (tmp_path / "raw").glob("*"):
        file.unlink()
    said = refused(fetch, tmp_path, code=65, day="20261119")
    assert kept.name in said
