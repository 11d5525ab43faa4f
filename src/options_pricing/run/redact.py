"""Keeping secrets out of every log line and message."""

import os
import re
from urllib.parse import quote

HIDDEN = "***"
SHORTEST_SECRET = 6
SECRET_NAME = re.compile(
    r"(ALERT_URL|TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|RELEASE_KEY|CREDENTIALS?)S?$", re.IGNORECASE
)
USER_OF_URL = re.compile(r"(?<=://)[^/@\s'\"]+(?=@)")
SECRET_OF_QUERY = re.compile(
    r"(?i)(?<=[?&])((?:api_?key|access_token|token|secret|password|crumb|sig(?:nature)?)=)[^&\s'\"]+"
)


def redacted(text: str) -> str:
    """A text without secrets: those of the environment's variables, users of URLs, tokens in queries.

    A variable counts as secret where its name ends in TOKEN, SECRET, PASSWORD, API_KEY or the like.
    """
    text = SECRET_OF_QUERY.sub(rf"\1{HIDDEN}", USER_OF_URL.sub(HIDDEN, text))
    for held in _held():
        text = text.replace(held, HIDDEN)
    return text


def _held() -> list[str]:
    """Every secret of the environment as it is and as it stands in a URL, the longest first."""
    values = {value.strip() for name, value in os.environ.items() if SECRET_NAME.search(name)}
    secrets = {value for value in values if len(value) >= SHORTEST_SECRET}
    return sorted(secrets | {quote(value, safe="") for value in secrets}, key=lambda value: (-len(value), value))
