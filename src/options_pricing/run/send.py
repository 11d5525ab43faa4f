"""Send messages through Apprise, in a process of its own that can be ended whatever a target does.

Started by `targets.py` with a JSON document on its standard input: ``urls`` by target, and for each target its messages
in ``letters``. It says the target on a line of its own for every message that was taken.
"""

import json
import os
import sys
import threading
from typing import Any


def main() -> None:
    """Send each target its messages in their order, all targets at once."""
    job = json.load(sys.stdin)
    threads = [
        threading.Thread(target=_send, args=(id, job["urls"][id], letters)) for id, letters in job["letters"].items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Apprise may have threads of its own that still wait for something.
    os._exit(0)


def _send(id: str, url: str, letters: list[list[Any]]) -> None:
    import apprise

    plugin = apprise.Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    for title, body, good in letters:
        kind = "success" if good else "failure"
        # A text may quote what stands in a file of quotes: where a target shows HTML, it is shown as it is written.
        service = apprise.Apprise([plugin], asset=_asset()) if plugin else None
        if not service or not service.notify(body=body, title=title, notify_type=kind, body_format="text"):
            return
        print(id, flush=True)


def _asset() -> Any:
    import apprise

    return apprise.AppriseAsset(app_id="options-pricing", app_desc="options-pricing")


if __name__ == "__main__":
    main()
