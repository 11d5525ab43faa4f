"""What has been told and what waits to be sent, in a small file: nothing twice, all in order, not for ever."""

import fcntl
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from options_pricing.run.alerts import Alert
from options_pricing.run.clock import utc_now
from options_pricing.run.files import parsed_json, write_json
from options_pricing.run.outgoing import outgoing
from options_pricing.run.targets import Message, Targets

LONGEST_SPOOL = 200
LONGEST_LIST = 1000
KEPT = pd.Timedelta(days=7)
# A target that did not answer is left alone for as long as a run takes, so that it holds up one task and not each.
REST = pd.Timedelta(minutes=15)
MOST_AT_ONCE = 5
MOST_IN_A_WHILE, A_WHILE = 10, pd.Timedelta(minutes=10)
PATIENCE = 0.5

State = dict[str, Any]


class Outbox:
    """Alerts of one checkout, in ``logs/alerts``.

    Parameters
    ----------
    folder : Path
        Where its file and locks are; made if need be.
    targets : Targets
        Whom alerts are sent to.
    now : callable
        Gives the time, in UTC.
    """

    def __init__(self, folder: Path, targets: Targets, *, now: Callable[[], pd.Timestamp] = utc_now) -> None:
        self.folder, self.targets, self.now = folder, targets, now
        self.file = folder / "state.json"

    def open_keys(self) -> list[str]:
        """What was told and has not been mended since."""
        return list(self._read()["open"])

    @property
    def idle(self) -> bool:
        """Whether nothing is open and nothing waits."""
        state = self._read()
        return not (state["open"] or state["waiting"])

    def note(self, alerts: Iterable[Alert], mended: Iterable[str] = ()) -> None:
        """Put what is new into the queue: alerts that are not open yet, and for open ones `mended` their recovery.

        Parameters
        ----------
        alerts : iterable of Alert
        mended : iterable of str
            Beginnings of keys; what begins so and is none of `alerts` is mended.
        """
        found = {alert.key: alert for alert in alerts}
        with self._locked("state.lock", PATIENCE), self._changed() as state:
            for key in [k for k in state["open"] if k.startswith(tuple(mended)) and k not in found]:
                self._queue(state, _recovery(state["open"].pop(key)))
            for key, alert in found.items():
                if key not in state["open"]:
                    state["open"][key] = {"since": self._time(), "title": outgoing(alert.title)}
                    self._queue(state, Message(alert.title, alert.body))
            state["open"] = dict(list(state["open"].items())[-LONGEST_LIST:])

    def send(self, seconds: float, *, at_once: bool = False) -> None:
        """Send what waits, for at most `seconds`; what is not taken waits on.

        Parameters
        ----------
        seconds : float
        at_once : bool
            Ask targets too that have not answered a while ago, and though many messages were just sent.
        """
        deadline = time.monotonic() + seconds
        try:
            with self._locked("send.lock", 0.0):
                state = self._read()
                if not at_once and len(self._lately(state)) >= MOST_IN_A_WHILE:
                    return
                waiting = {id: self._waiting_for(state, id, at_once) for id in self.targets.ids}
                waiting = {id: queue for id, queue in waiting.items() if queue}
                if waiting:
                    letters = {id: _letters(queue, state["dropped"]) for id, queue in waiting.items()}
                    taken = self.targets.deliver(letters, deadline - time.monotonic() - PATIENCE)
                    self._settle(waiting, letters, taken)
        except TimeoutError:
            return  # another task is sending: it takes ours along, or the next one does

    def _settle(
        self, waiting: dict[str, list[State]], letters: dict[str, list[Message]], taken: dict[str, int]
    ) -> None:
        with self._locked("state.lock", PATIENCE), self._changed() as state:
            gone: set[tuple[int, str]] = set()
            for id, count in taken.items():
                together = len(letters[id]) < len(waiting[id])
                done = waiting[id] if together and count else waiting[id][:count]
                gone |= {(message["number"], id) for message in done}
                if count == len(letters[id]):
                    state["resting"].pop(id, None)
                else:
                    state["resting"][id] = str(self.now() + REST)
            for message in state["waiting"]:
                message["to"] = [id for id in message["to"] if (message["number"], id) not in gone]
            most = max(taken.values())
            state["dropped"] = 0 if most else state["dropped"]
            state["sent"] = [*self._lately(state), *[self._time()] * most]

    def _waiting_for(self, state: State, id: str, at_once: bool) -> list[State]:
        until = state["resting"].get(id)
        resting = until is not None and self.now() < pd.Timestamp(until) <= self.now() + REST
        return [] if resting and not at_once else [message for message in state["waiting"] if id in message["to"]]

    def _queue(self, state: State, message: Message) -> None:
        state["number"] += 1
        state["waiting"].append(
            {
                "number": state["number"],
                "at": self._time(),
                "title": outgoing(message.title),
                "body": outgoing(message.body),
                "good": message.good,
                "to": self.targets.ids,
            }
        )

    def _lately(self, state: State) -> list[str]:
        return [at for at in state["sent"] if self.now() - A_WHILE < pd.Timestamp(at) <= self.now()]

    def _time(self) -> str:
        return f"{self.now():%Y-%m-%dT%H:%M:%SZ}"

    def _read(self) -> State:
        empty: State = {"number": 0, "open": {}, "waiting": [], "sent": [], "resting": {}, "dropped": 0}
        try:
            found = parsed_json(self.file.read_bytes())
            return found if {name: type(value) for name, value in found.items()} == _kinds(empty) else empty
        except (OSError, ValueError, AttributeError, RecursionError):
            return empty  # of a torn or foreign file nothing is kept: at worst something is told twice

    @contextmanager
    def _changed(self) -> Iterator[State]:
        """The state, to be changed; written if it was, within its bounds."""
        state = self._read()
        before = json.dumps(state)
        yield state
        waiting = [message for message in state["waiting"] if set(message["to"]) & set(self.targets.ids)]
        young = [message for message in waiting if self.now() - pd.Timestamp(message["at"]) < KEPT][-LONGEST_SPOOL:]
        state["waiting"], state["dropped"] = young, state["dropped"] + len(waiting) - len(young)
        if json.dumps(state) != before:
            write_json(self.file, state)

    @contextmanager
    def _locked(self, name: str, patience: float) -> Iterator[None]:
        """Hold a lock, or raise a `TimeoutError` after `patience` seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + patience
        with (self.folder / name).open("w") as handle:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise TimeoutError(f"{name} is held") from None
                    time.sleep(0.02)
            yield


def _kinds(state: State) -> dict[str, type]:
    return {name: type(value) for name, value in state.items()}


def _recovery(told: State) -> Message:
    title = str(told["title"]).replace("options-pricing: ", "options-pricing: recovered: ", 1)
    return Message(title, f"what was told at {told['since']} is mended\nfix: nothing is left to do", good=True)


def _letters(queue: list[State], dropped: int) -> list[Message]:
    """What is sent of a queue: each message by itself, or, where there are many, all of them in one."""
    lost = f"\n({dropped} older alerts were dropped: the target was out of reach for too long)" if dropped else ""
    if len(queue) > MOST_AT_ONCE:
        text = "\n\n".join(f"{message['at']} {message['title']}\n{message['body']}" for message in queue)
        return [Message(f"options-pricing: {len(queue)} alerts", text + lost, all(m["good"] for m in queue))]
    letters = [Message(m["title"], m["body"], m["good"]) for m in queue]
    return [*letters[:-1], letters[-1]._replace(body=letters[-1].body + lost)]
