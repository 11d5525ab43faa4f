"""Where alerts go: the addresses of the environment, by Apprise, and never for longer than a few seconds."""

import hashlib
import json
import logging
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from options_pricing.run.errors import BadParamsError

VARIABLE = "OPTIONS_PRICING_ALERT_URLS"
SENDER = Path(__file__).with_name("send.py")
# An address may hold a comma itself.
BETWEEN = re.compile(r"\s+|,(?=[A-Za-z][\w+.-]*://)")


class Message(NamedTuple):
    """What is sent: a line, a text, and whether it is good news."""

    title: str
    body: str
    good: bool = False


class Targets:
    """The addresses that alerts are sent to, known by a fingerprint, so that no file has to hold one of them."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = {hashlib.sha256(url.encode()).hexdigest()[:12]: url for url in urls}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Targets":
        """Those that ``OPTIONS_PRICING_ALERT_URLS`` names, with white space or commas between them."""
        return cls([url for url in BETWEEN.split(environ.get(VARIABLE, "")) if url])

    @property
    def ids(self) -> list[str]:
        """The fingerprints, in the order of the addresses."""
        return list(self._urls)

    def require(self) -> None:
        """Raise a `BadParamsError` where there is no target, or one that Apprise does not know; it is not quoted."""
        if not self.ids:
            raise BadParamsError(
                f"{VARIABLE} names no target",
                why="it is not set, or empty",
                fix=f"set it to addresses as Apprise writes them, such as {VARIABLE}='mailto://... slack://...'",
            )
        unknown = [str(place) for place, id in enumerate(self.ids, 1) if not self._known(id)]
        if unknown:
            raise BadParamsError(
                f"{VARIABLE}: number {', '.join(unknown)} of {len(self.ids)} is no address that Apprise knows",
                why="its scheme is unknown, or a part that the scheme needs is missing",
                fix="write it as the list of services in the documentation of Apprise shows",
            )

    def deliver(self, messages: Mapping[str, Sequence[Message]], seconds: float) -> dict[str, int]:
        """Send each target its messages in their order, all targets at once, and say how many each of them took.

        A target that fails gets no more of them. After `seconds` what is being sent is given up and counts as not
        taken, though it may have arrived: a message can arrive twice, but is not lost.
        """
        job = {"urls": self._urls, "letters": messages}
        try:
            # Another process: a target that hangs can hold up neither this one nor its end. The addresses go in by its
            # standard input, as everybody sees its command line. -P: this folder's calendar.py is not Python's.
            said = subprocess.run(
                [sys.executable, "-P", str(SENDER)],
                input=json.dumps(job).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=max(seconds, 0.0),
            ).stdout
        except subprocess.TimeoutExpired as error:
            said = error.stdout or b""
        took = Counter(said.decode().split())
        return {id: took[id] for id in messages}

    def _known(self, id: str) -> bool:
        import apprise

        # It would tell standard error of addresses.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        return apprise.Apprise.instantiate(self._urls[id], suppress_exceptions=True) is not None
