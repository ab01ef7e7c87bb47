"""The recording of one client: its plan, its connections, every frame with its time.

Moments are `time.monotonic()`, which all processes of one machine share.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

TERMINAL = frozenset({"done", "error"})
UNLOGGED = frozenset({"queued", "snapshot"})
"""Frames that are sent but not logged, so they have no number of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one client behaves, fixed before it starts."""

    name: str
    api_key: str
    owner: str
    message: str
    model: str
    agent: str = ""
    conversation: str | None = None
    http_method: Literal["get", "post"] = "get"
    identity: Literal["client_msg_id", "idempotency_key", "plain"] = "client_msg_id"
    token: str = ""
    busy: str | None = None
    resume_by: Literal["url", "run"] = "url"
    leave_after: tuple[int, ...] = ()
    cancel_after: int | None = None
    slow_read_s: float = 0.0
    poll: bool = False
    wait_for_204: bool = False
    follow: str | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """One frame as it arrived."""

    at: float
    id: str
    data: str

    @property
    def seq(self) -> int:
        """Its place in the log as its id says; 0 where it has none."""
        number = self.id.rpartition(".")[2]
        return int(number) if number.isdigit() else 0

    @property
    def run(self) -> str:
        """The run's 32 hexadecimal digits, "" where the id names none."""
        return self.id.rpartition(".")[0].removeprefix("run_")

    @property
    def payload(self) -> dict[str, Any]:
        return msgspec.json.decode(self.data, type=dict[str, Any])

    @property
    def event(self) -> str:
        return str(self.payload.get("event"))

    @property
    def logged(self) -> bool:
        if self.event == "queued" and self.payload["data"]["provider"] is not None:
            return True  # it waits for a provider, which is an event of the run
        return self.event not in UNLOGGED


@dataclass(slots=True)
class Connection:
    """One request of a client and everything that came back.

    `by_id` says that it came back with a Last-Event-ID; `cursor` is the number after which it asked
    to go on (0: from the start); `ended` says how it ended: clean, cut, left (on purpose), refused
    (nobody there), status (another one than 200).
    """

    port: int
    target: str
    cursor: int
    opened: float
    status: int | None = None
    ended: str = "open"
    closed: float = 0.0
    longest_wait: float = 0.0
    by_id: bool = False
    slow_read: bool = False
    retry_ms: int | None = None
    problem: str = ""
    frames: list[ReceivedFrame] = field(default_factory=list[ReceivedFrame])


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A cancel that was acknowledged."""

    run: str
    asked: float
    acknowledged: float
    acknowledged_wall: float
    status: int
    run_status: str


@dataclass(slots=True)
class Record:
    """Everything that one client did and received.

    `outcome`: ended (saw the terminal frame), stopped (204 before one), rejected (a first
    request answered with an error), stopped_by_error (a reconnect answered with an error, which
    stops an EventSource permanently), timed_out (its watchdog expired), left (disconnected as
    planned, without reconnecting).
    """

    plan: Plan
    started: float
    started_wall: float = field(default_factory=time.time)
    connections: list[Connection] = field(default_factory=list[Connection])
    cancels: list[Cancelled] = field(default_factory=list[Cancelled])
    polled: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    run: str = ""
    outcome: str = "running"
    finished: float = 0.0

    def frames(self) -> Iterator[ReceivedFrame]:
        for connection in self.connections:
            yield from connection.frames

    def logged(self) -> Iterator[ReceivedFrame]:
        return (frame for frame in self.frames() if frame.logged)

    @property
    def last_seq(self) -> int:
        return max((frame.seq for frame in self.frames()), default=0)

    @property
    def asked_times(self) -> int:
        """How often it sent its message, because it did not know its run yet."""
        return sum(not c.by_id and c.target.startswith("/api/chat") for c in self.connections)

    @property
    def reconnects(self) -> int:
        return max(0, len(self.connections) - 1)

    def text(self) -> str:
        """The text of the token frames, in the order of arrival."""
        tokens = (frame.payload for frame in self.frames() if '"token"' in frame.data)
        return "".join(str(p["data"]["delta"]) for p in tokens if p.get("event") == "token")
