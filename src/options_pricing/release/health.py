"""What a running API says of the release that it serves, asked from outside as its clients ask."""

import http.client
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from options_pricing.release.candidate import GOLDEN_TOLERANCE
from options_pricing.release.manifest import Manifest
from options_pricing.run.errors import BadParamsError
from options_pricing.run.secrets import secret

READY = "/v2/health/ready"
PRICE = "/price"
API_KEY = "OPTIONS_PRICING_API_KEY"
ANSWER_SECONDS = 1.5
PAUSE_SECONDS = 0.1
# Each on a connection of its own, so that every worker is very likely among those that answer.
GOOD_ANSWERS = 20
# One answer may be lost for another reason than the release.
BAD_ANSWERS = 2
# Longer than a worker takes to look at what is live, so that none still answers with the release before.
STEADY_SECONDS = 0.4
PATIENCE_SECONDS = 60.0


class Seen(NamedTuple):
    """One look at a release: good, bad, or not yet taken up, with the reason."""

    verdict: Literal["good", "bad", "not yet"]
    why: str


@dataclass(frozen=True)
class Api:
    """A running API at an address, ``http://host:port``; what is none is a `BadParamsError`."""

    address: str

    def __post_init__(self) -> None:
        self._connection().close()

    def ready(self) -> dict[str, Any] | None:
        """What it says of itself; None where nobody listens there.

        Raises
        ------
        OSError, http.client.HTTPException, ValueError
            It listens, and does not answer as an API of this project does.
        """
        try:
            status, told = self._asked("GET", READY)
        except ConnectionRefusedError:
            return None
        return told | {"status": status}

    def follows_releases(self) -> bool:
        """Whether an API is there that takes up what is made live."""
        try:
            told = self.ready()
        except (OSError, http.client.HTTPException, ValueError):
            # It is there: whether it can be relied upon, the watch will say.
            return True
        return told is not None and told.get("standing") != "fixed"

    def look(self, manifest: Manifest) -> Seen:
        """How a release does there: does it serve, is it ready, does it give its golden prices, and in time."""
        wanted = manifest.release_id
        try:
            status, told = self._asked("GET", READY)
            if told.get("refused") == wanted:
                return Seen("bad", f"a worker refused it: {told.get('trouble')}")
            if status != 200:
                return Seen("bad", f"{READY} answered {status}: {told.get('detail', '')}")
            if told.get("release_id") != wanted:
                return Seen("not yet", f"{told.get('release_id')} serves")
            return self._golden_prices(manifest)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Seen("bad", f"no answer within {ANSWER_SECONDS:g} s, or none of an API: {error}")

    def _golden_prices(self, manifest: Manifest) -> Seen:
        rows = manifest.golden_rows
        status, told = self._asked("POST", PRICE, {"options": [row.asked() for row in rows]})
        if status == 429:
            return Seen("not yet", "it takes no more requests at the moment")
        if status != 200:
            return Seen("bad", f"{PRICE} answered {status}: {told.get('detail', '')}")
        if told.get("release_id") != manifest.release_id:
            return Seen("not yet", f"{told.get('release_id')} serves")
        given = [answer.get("price") for answer in told["options"]]
        wrong = sum(not _same(price, row.predicted_price) for price, row in zip(given, rows, strict=True))
        return Seen("bad", f"{wrong} of {len(rows)} golden prices differ") if wrong else Seen("good", "")

    def _asked(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        connection = self._connection()
        try:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, path, content, _headers(content))
            response = connection.getresponse()
            told = json.loads(response.read())
            return response.status, told if isinstance(told, dict) else {}
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        try:
            parts = urlsplit(self.address)
            kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
            if parts.scheme in kinds and parts.hostname and not parts.path.strip("/"):
                return kinds[parts.scheme](parts.hostname, parts.port, timeout=ANSWER_SECONDS)
            why = "it is written as http://host:port"
        except ValueError as error:
            why = str(error)
        raise BadParamsError(f"{self.address!r} is no address of an API", why=why, fix="mend --api")


def watch(
    api: Api,
    manifest: Manifest,
    *,
    patience: float = PATIENCE_SECONDS,
    pause: Callable[[float], None] = time.sleep,
) -> str | None:
    """Look until a release has answered well often enough in a row; else why it has not.

    Parameters
    ----------
    api : Api
    manifest : Manifest
        Of the release.
    patience : float
        Seconds until every worker must have taken it up.
    pause : callable
        Waits some seconds.
    """
    until = time.monotonic() + patience
    good, bad = 0, 0
    while good < GOOD_ANSWERS:
        seen = api.look(manifest)
        good = good + 1 if seen.verdict == "good" else 0
        bad += seen.verdict == "bad"
        if bad >= BAD_ANSWERS:
            return seen.why if seen.verdict == "bad" else f"{bad} bad answers"
        if time.monotonic() > until:
            return f"not every worker had taken it up after {patience:g} s ({seen.why or 'the last one had'})"
        pause(PAUSE_SECONDS)
    return None


def serves(api: Api, release_ids: Sequence[str], *, seconds: float) -> bool:
    """Whether an API begins within some seconds to say, and says again and again, that it serves one of these."""
    begin = time.monotonic()
    since = begin
    while since < begin + seconds:
        try:
            told = api.ready()
        except (OSError, http.client.HTTPException, ValueError):
            told = {}
        if told is None:
            return False
        now = time.monotonic()
        if told.get("release_id") not in release_ids:
            since = now
        elif now >= since + STEADY_SECONDS:
            return True
        time.sleep(PAUSE_SECONDS / 4)
    return False


def _same(price: object, golden: float) -> bool:
    return isinstance(price, int | float) and abs(price - golden) <= GOLDEN_TOLERANCE * abs(golden)


def _headers(content: bytes | None) -> Mapping[str, str]:
    key = secret(API_KEY)
    headers = {} if content is None else {"Content-Type": "application/json"}
    return headers if key is None else headers | {"Authorization": f"Bearer {key}"}
