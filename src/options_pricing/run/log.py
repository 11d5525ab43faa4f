"""One structured line per event, the same in every task: time, level, task, date, event, then key=value."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from options_pricing.run.redact import redacted

Item = TypeVar("Item")


def _value(value: Any) -> str:
    """A value as it stands in a line: bare where that is unambiguous, else as JSON."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value) if isinstance(value, str | int | Path) else json.dumps(value, default=str)
    return text if text and not set(text) & set(' "=\n\r\t') else json.dumps(text)


class LogfmtFormatter(logging.Formatter):
    """``2026-11-20T23:00:01.123Z INFO data_fetch date=20261120 event=fetched rows=4210``."""

    def format(self, record: logging.LogRecord) -> str:
        """Turn one record into one line without secrets (a traceback, if any, follows on lines of its own)."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        fields = getattr(record, "fields", {})
        pairs = " ".join(f"{key}={_value(value)}" for key, value in fields.items())
        line = f"{at} {record.levelname} {record.name} event={_value(record.getMessage())} {pairs}".rstrip()
        return redacted(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


class _LogFile(logging.FileHandler):
    """A log file; the first line that cannot be written (full disk) is told, and no such line stops anything."""

    def __init__(self, path: Path, tell: Callable[[BaseException | None], None]) -> None:
        super().__init__(path, mode="w", encoding="utf-8")
        self._tell: Callable[[BaseException | None], None] | None = tell

    def handleError(self, record: logging.LogRecord) -> None:
        """What logging calls when a line could not be written."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(sys.exc_info()[1])

    def close(self) -> None:
        """Flush and close, as far as that goes."""
        with suppress(OSError):
            super().close()


class TaskLog:
    """The log of one run of one task, in its file and on standard error.

    A log file that cannot be written (read-only folder, full disk) is not a reason to stop: the lines still go to
    standard error, and one of them says so.
    """

    def __init__(self, task: str, path: Path | None = None, *, date: str | None = None) -> None:
        self._logger = logging.Logger(task, logging.INFO)
        self._fixed = {"date": date} if date else {}
        handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
        problem = None

        def tell(error: BaseException | None) -> None:
            self.warn("log_file_not_writable", path=path, reason=getattr(error, "strerror", error))

        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                handlers.append(_LogFile(path, tell))
            except OSError as error:
                problem = error
        for handler in handlers:
            handler.setFormatter(LogfmtFormatter())
            self._logger.addHandler(handler)
        if problem is not None:
            tell(problem)

    def info(self, event: str, **fields: Any) -> None:
        """Say that something happened."""
        self._logger.info(event, extra={"fields": self._fixed | fields})

    def warn(self, event: str, **fields: Any) -> None:
        """Say that something happened which a person should look at."""
        self._logger.warning(event, extra={"fields": self._fixed | fields})

    def error(self, event: str, *, exc_info: bool = False, **fields: Any) -> None:
        """Say why the task stops."""
        self._logger.error(event, extra={"fields": self._fixed | fields}, exc_info=exc_info)

    def close(self) -> None:
        """Flush and close the file."""
        for handler in self._logger.handlers:
            handler.close()


def progress(items: Iterable[Item], *, what: str, total: int | None = None) -> Iterable[Item]:
    """A progress bar around a loop that may take over five seconds; silent in CI and where nobody watches."""
    quiet = bool(os.environ.get("CI")) or not sys.stderr.isatty()
    return tqdm(items, desc=what, total=total, disable=quiet, leave=False)
