"""Where alerts go: the addresses of the environment, by Apprise, and never for longer than a few seconds."""

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from options_pricing.run.errors import BadParamsError

VARIABLE = "OPTIONS_PRICING_ALERT_URLS"
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
        unknown = [str(place) for place, id in enumerate(self.ids, 1) if self._service(id) is None]
        if unknown:
            raise BadParamsError(
                f"{VARIABLE}: number {', '.join(unknown)} of {len(self.ids)} is no address that Apprise knows",
                why="its scheme is unknown, or a part that the scheme needs is missing",
                fix="write it as the list of services in the documentation of Apprise shows",
            )

    def deliver(self, messages: Mapping[str, Sequence[Message]], seconds: float) -> dict[str, int]:
        """Send each target its messages in their order, all targets at once, and say how many each of them took.

        A target that fails gets no more of them. What is not done after `seconds` counts as not taken, though it may
        arrive yet: a message can arrive twice, but is not lost.
        """
        taken = dict.fromkeys(messages, 0)
        stop = threading.Event()
        deadline = time.monotonic() + seconds
        # Daemons: a target that hangs holds up neither this process nor its end.
        threads = [
            threading.Thread(target=self._deliver_to, args=(id, messages[id], taken, stop), daemon=True)
            for id in messages
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        stop.set()
        return dict(taken)

    def _deliver_to(self, id: str, messages: Sequence[Message], taken: dict[str, int], stop: threading.Event) -> None:
        service = self._service(id)
        for message in messages:
            if service is None or stop.is_set() or not _sent(service, message):
                return
            taken[id] += 1

    def _service(self, id: str) -> Any:
        """Apprise with this one address, or None where it does not know such an address."""
        import apprise

        # It would tell standard error of addresses.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        asset = apprise.AppriseAsset(app_id="options-pricing", app_desc="options-pricing")
        plugin = apprise.Apprise.instantiate(self._urls[id], asset=asset, suppress_exceptions=True)
        return None if plugin is None else apprise.Apprise([plugin], asset=asset)


def _sent(service: Any, message: Message) -> bool:
    try:
        return bool(
            service.notify(
                body=message.body,
                title=message.title,
                notify_type="success" if message.good else "failure",
                # It may quote what stands in a file of quotes: where a target shows HTML, it is shown as it is written.
                body_format="text",
            )
        )
    except Exception:
        # Whatever a plugin of Apprise trips over, the message stays in the outbox.
        return False
