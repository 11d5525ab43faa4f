"""Whether a port can be listened on and, if not, who does."""

import errno
import os
import socket
from pathlib import Path

from options_pricing.run.errors import ExitCode, TaskError

LISTENING = "0A"


class CannotListenError(TaskError):
    """The address that was asked for cannot be listened on."""

    exit_code = ExitCode.BUSY


def require_free(host: str, port: int) -> None:
    """Raise a `CannotListenError`, which names the process that is in the way, unless a port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except (OSError, OverflowError) as error:
        raise CannotListenError(f"cannot listen on {host}:{port}", why=_why(error, port), fix=_fix(error)) from error


def _why(error: OSError | OverflowError, port: int) -> str:
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        held = [f"process {pid} ({name})" for pid, name in listeners(port)]
        return f"{', '.join(held) or 'another process'} {'listen' if len(held) > 1 else 'listens'} there already"
    if isinstance(error, PermissionError):
        return f"port {port} is privileged: only root may listen below 1024"
    return getattr(error, "strerror", None) or str(error)


def _fix(error: OSError | OverflowError) -> str:
    if isinstance(error, PermissionError):
        return "name a port from 1024 up with --port, and put a proxy before it where others expect the lower one"
    return "name another with --host and --port, or stop what listens there"


def listeners(port: int) -> list[tuple[int, str]]:
    """The processes that listen on a port, with their names; those of other users only for root, none off Linux."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    found = []
    for folder in Path("/proc").glob("[0-9]*") if wanted else ():
        try:
            if any(os.readlink(file) in wanted for file in (folder / "fd").iterdir()):
                found.append((int(folder.name), (folder / "comm").read_text().strip()))
        except OSError:  # it has ended, or is not ours to look at
            continue
    return sorted(found)


def _listening_inodes(port: int) -> list[str]:
    rows = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows += [line.split() for line in Path(table).read_text().splitlines()[1:]]
        except OSError:
            continue
    return [row[9] for row in rows if row[3] == LISTENING and int(row[1].rsplit(":", 1)[1], 16) == port]
