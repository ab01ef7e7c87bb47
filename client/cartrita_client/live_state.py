"""What a live session knows: its runs, its outbox and its cursors, without any I/O."""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from cartrita_client.answers import error_of_frame
from cartrita_client.errors import CartritaApiError, CartritaError, NotCartrita, SessionClosed
from cartrita_client.events import read_event
from cartrita_client.live_runs import RunState
from cartrita_client.retries import RetryPolicy
from cartrita_client.returns import Returns

_LATER = frozenset({"client_seq_gap", "internal"})
"""What is refused with one of these may be asked for again, as what passes by its kind may."""
_PING = '{"type": "ping"}'


@dataclass(slots=True, eq=False)
class Command:
    """A frame, mostly about a run. The `pong` behind it tells that it was handled, an error not."""

    frame: dict[str, Any]
    run: RunState | None
    handled: bool = False
    left: bool = False
    """Whether nobody waits for it any more: it is not said again."""
    error: CartritaApiError | None = None

    @property
    def frames(self) -> list[str]:
        """What is sent for it."""
        return [_PING] if self.frame["type"] == "ping" else [written(self.frame), _PING]


class LiveState:
    """Takes the server's frames and says which are to be sent, and when.

    Of what is refused for now it sends that again after a while, and no cursor is lost to it.
    """

    def __init__(
        self,
        auth: dict[str, Any],
        policy: RetryPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._auth = auth
        self._clock = clock
        self._runs: list[RunState] = []
        self._commands: deque[Command] = deque()
        self._later: list[tuple[float, RunState]] = []
        self._returns = Returns(policy)
        self.broken: CartritaError | None = None

    @property
    def wanted(self) -> bool:
        """Whether anything is still to come."""
        return bool(self._runs or any(not each.left for each in self._commands))

    def say(self, fields: dict[str, Any]) -> RunState:
        """A new message, which stays in the outbox until the server says that it is stored."""
        token = fields.get("client_msg_id") or f"live-{secrets.token_hex(16)}"
        run = RunState(str(token), {"type": "chat", **fields, "client_msg_id": token})
        self._runs.append(run)
        return run

    def follow(self, run_id: str, after: int) -> RunState:
        """A run that was started elsewhere, or earlier."""
        run = RunState(run_id=run_id, seq=after)
        self._runs.append(run)
        return run

    def leave(self, run: RunState) -> None:
        """Nobody will read it: it is neither said again nor taken up again, and goes on."""
        if run in self._runs:
            self._runs.remove(run)
        for command in self._commands:
            command.left = command.left or command.run is run

    def frames_of(self, run: RunState) -> Iterator[str]:
        """What has to be sent for a run to go on."""
        if run.settled:
            return
        if run.message is not None:
            yield written(run.message)
        else:
            yield from self.command(run, {"type": "resume", "after": run.seq})[1]

    def command(self, run: RunState, frame: dict[str, Any]) -> tuple[Command, list[str]]:
        """A frame about a run, and what is sent for it: a ping behind it tells its fate."""
        if run.message is not None and not run.run_id:
            raise SessionClosed("The server has not taken the message yet: read its first event.")
        return self.say_command(Command({**frame, "run_id": run.run_id}, run))

    def say_command(self, command: Command) -> tuple[Command, list[str]]:
        """Note it until its `pong` comes, and what is sent for it."""
        self._commands.append(command)
        return command, command.frames

    def greeting(self) -> list[str]:
        """What is sent first over a new connection: who calls, cursors, the outbox."""
        again = [each for each in self._commands if _is_said_again(each)]
        self._commands.clear()
        self._later.clear()
        self._returns.told = None
        frames = [written(self._auth)] if self._auth["api_key"] else []
        for run in self._runs:
            frames.extend(self.frames_of(run))
        for command in again:
            self._commands.append(command)
            frames.extend(command.frames)
        return frames

    def due(self) -> list[str]:
        """What was put off until now."""
        now = self._clock()
        ready = [run for at, run in self._later if at <= now]
        self._later = [(at, run) for at, run in self._later if at > now]
        return [frame for run in ready for frame in self.frames_of(run)]

    def next_due(self) -> float | None:
        """Seconds until something that was put off is due."""
        return max(0.0, min(at for at, _ in self._later) - self._clock()) if self._later else None

    def take(self, content: str | bytes) -> None:
        """Take a frame of the server. Raises NotCartrita for what is none."""
        self._take(read_frame(content))

    def closed(self, code: int | None) -> float:
        """After a connection ended: seconds to wait before the next. Raises if there is none."""
        return self._returns.closed(code)

    def failed(self, problem: CartritaError | None, told: float | None = None) -> float:
        """After a connection could not be made: seconds to wait. Raises after too many."""
        return self._returns.failed(problem, told)

    def break_off(self, problem: CartritaError) -> None:
        """Nothing more can come: everybody who waits is told why."""
        self.broken = problem
        while self._runs:
            self._runs.pop().broken = problem

    def _take(self, frame: dict[str, Any]) -> None:
        if "event" in frame:
            self._take_event(frame)
        elif "error" in frame:
            self._take_error(frame)
        elif frame.get("type") == "accepted":
            self._take_accepted(frame)
        elif frame.get("type") == "pong":
            self._returns.heard()
            if self._commands:
                self._commands.popleft().handled = True
        elif frame.get("type") == "drain":
            self._returns.drain(frame.get("retry_after"))

    def _take_event(self, frame: dict[str, Any]) -> None:
        run_id, seq = frame.get("run_id"), frame.get("seq")
        run = self._run(run_id=run_id)
        if run is None:
            return
        self._returns.heard()
        number = seq if isinstance(seq, int) else None
        try:
            event = read_event(frame, None if number is None else f"{run_id}.{number}")
        except ValueError as problem:
            self._break(run, NotCartrita(f"A frame cannot be read: {problem}"))
            return
        run.take(event, number)
        if run.ended:
            self._runs.remove(run)

    def _take_accepted(self, frame: dict[str, Any]) -> None:
        self._returns.heard()
        run = self._run(client_msg_id=frame.get("client_msg_id"))
        if run is not None:
            run.message, run.run_id = None, str(frame.get("run_id"))

    def _take_error(self, frame: dict[str, Any]) -> None:
        error = error_of_frame(frame)
        run = self._run(frame.get("run_id"), frame.get("client_msg_id"))
        if run is None:
            self._returns.told = error
            return
        command = next((each for each in self._commands if each.run is run), None)
        if command is not None and command.frame["type"] != "resume":
            command.error = error
        elif _passes(error) and run.refusals < self._returns.policy.attempts:
            self._put_off(run, error)
        else:
            self._break(run, error)

    def _break(self, run: RunState, error: CartritaError) -> None:
        run.broken = error
        self._runs.remove(run)

    def _put_off(self, run: RunState, error: CartritaApiError) -> None:
        run.refusals += 1
        wait = self._returns.policy.delay(run.refusals, error.retry_after)
        self._later.append((self._clock() + wait, run))

    def _run(self, run_id: object = None, client_msg_id: object = None) -> RunState | None:
        """The run that a frame names."""
        for run in self._runs:
            if (run.run_id and run.run_id == run_id) or (
                run.client_msg_id and run.client_msg_id == client_msg_id
            ):
                return run
        return None


def _is_said_again(command: Command) -> bool:
    return command.frame["type"] != "resume" and not command.left


def _passes(error: CartritaApiError) -> bool:
    return error.retry_after is not None or error.retryable or error.code in _LATER


def read_frame(content: str | bytes) -> dict[str, Any]:
    """A frame of the server. Raises NotCartrita for what is none."""
    try:
        found = json.loads(content)
    except ValueError as problem:
        raise NotCartrita(f"A frame cannot be read: {problem}") from problem
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def written(frame: dict[str, Any]) -> str:
    """A frame as it is sent, without what is not there."""
    return json.dumps({name: value for name, value in frame.items() if value is not None})
