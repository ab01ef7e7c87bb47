"""What the reader of a run's events has, and what it asks for next, without any I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from cartrita_client.answers import error_told, failure, not_a_stream
from cartrita_client.errors import (
    CartritaApiError,
    CartritaError,
    NotCartrita,
    StreamStalled,
    TimedOut,
    Unreachable,
)
from cartrita_client.events import ChatEvent, UnknownEvent, parse_event
from cartrita_client.generated.models import (
    DoneData,
    DoneFrame,
    ErrorFrame,
    SnapshotFrame,
    StreamStartFrame,
    TokenFrame,
)
from cartrita_client.operations import Call, Operation
from cartrita_client.retries import RetryPolicy, may_repeat
from cartrita_client.shapes import is_absent
from cartrita_client.sse import Frame, Parser

RESUME = Operation("get_run_events", "GET", "/api/runs/{run_id}/events", kind="stream")
_HEALTHY_S = 10.0
"""A connection over which something came after so long was no failure when it broke."""
_STALL_COUNTS = 4
"""A silence counts as so many attempts: each has lasted long already."""
_STALLED = "Nothing came for too long; a proxy may hold the stream back."


class AnswerText:
    """The text of an answer as its tokens come; each stands where its position says."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.length = 0

    def add(self, position: int, delta: str) -> None:
        """Put a token in its place: what was there, and behind it, is replaced."""
        if not is_absent(position) and position != self.length:
            self.replace(str(self)[:position])
        self._pieces.append(delta)
        self.length += len(delta)

    def replace(self, text: str) -> None:
        """Take this text instead."""
        self._pieces, self.length = [text], len(text)

    def __str__(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""


class ToldText:
    """What of an answer's text its reader was told: each piece once, whatever repeats it."""

    def __init__(self) -> None:
        self._length = 0

    def new_in(self, event: ChatEvent) -> str:
        """The text that an event adds."""
        match event:
            case TokenFrame():
                return self._new(event.data.position, event.data.delta)
            case SnapshotFrame():
                return self._new(0, text_of(event))
            case DoneFrame():
                return self._new(0, event.data.final_response)
            case _:
                return ""

    def _new(self, position: int, text: str) -> str:
        if is_absent(position):
            position = self._length
        fresh = text[max(0, self._length - position) :]
        self._length = max(self._length, position + len(text))
        return fresh


class StreamCourse:
    """The course of one stream over all its connections.

    It ends with a terminal event, or raises after so many attempts in a row that brought nothing.
    """

    def __init__(
        self, opening: Call, policy: RetryPolicy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.run_id, self._seq = _cursor_of(opening)
        self.last_event_id = f"{self.run_id}.{self._seq}" if self.run_id else ""
        self.text = AnswerText()
        self.done: DoneData | None = None
        self.error: CartritaApiError | None = None
        self.ended = False
        self._opening = opening
        self._policy = policy
        self._clock = clock
        self._moved = False
        self._failures = 0
        self._wait = 0.0
        self._retry = 0.0
        self._parser = Parser()
        self._connected = clock()
        self._healthy = False

    @property
    def pause(self) -> float:
        """Seconds to wait before the next call."""
        return self._wait

    def next_call(self) -> Call:
        """The opening request until an id has come; from then on, the events behind it."""
        self._parser = Parser()
        self._connected, self._healthy = self._clock(), False
        if not self.last_event_id or (
            self._opening.operation.name == RESUME.name and not self._moved
        ):
            return self._opening
        headers = {k: v for k, v in self._opening.headers.items() if k != "Idempotency-Key"}
        headers["Last-Event-ID"] = self.last_event_id
        path = RESUME.path.replace("{run_id}", self.run_id)
        asked = replace(self._opening, operation=RESUME, path=path, query=(), headers=headers)
        return replace(asked, body=None, form=None)

    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        """Look at the head of an answer. Raises CartritaError."""
        if status == 204:
            self._step_back()
        elif "text/event-stream" not in headers.get("content-type", ""):
            raise not_a_stream(headers) if status == 200 else failure(status, headers, b"")

    def take(self, octets: bytes) -> Iterator[ChatEvent]:
        """The events in these bytes, up to the terminal one."""
        self._healthy = self._clock() - self._connected > _HEALTHY_S
        try:
            for frame in self._parser.feed(octets):
                event = self._read(frame)
                if event is not None:
                    yield event
                if self.ended:
                    return
        except ValueError as problem:
            raise NotCartrita(f"The stream cannot be read: {problem}") from problem

    def broke(self, problem: CartritaError | None) -> None:
        """Note the end of a connection; raises when it is not to be opened again."""
        if self._healthy:
            self._failures = 0
        self._failures += _STALL_COUNTS if isinstance(problem, TimedOut) else 1
        told = problem.retry_after if isinstance(problem, CartritaApiError) else None
        if not self._may_begin_again(problem):
            raise _as_error(problem)
        if not _passes(problem) or (told or 0) > self._policy.longest_retry_after:
            raise _as_error(problem)
        if self._failures >= self._policy.attempts:
            raise _as_error(problem) from problem
        # A server that ends a stream early says when to come back; all its readers will.
        asked = min(self._retry, self._policy.longest_retry_after)
        self._wait = self._policy.delay(self._failures, asked if problem is None else told)

    def _may_begin_again(self, problem: CartritaError | None) -> bool:
        """Whether the next call does nothing twice: what is no beginning never does."""
        operation, form = self._opening.operation, self._opening.form
        if self.last_event_id:
            return True
        if form is not None and not form.repeatable:
            return False
        if operation.repeatable:
            return True
        return problem is not None and may_repeat(operation, problem)

    def _read(self, frame: Frame) -> ChatEvent | None:
        if frame.retry is not None:
            self._retry = frame.retry
        seq = 0 if frame.id is None else _seq(frame.id)
        event = None if frame.data is None else parse_event(frame.data, frame.id)
        if 0 < seq <= self._seq and not isinstance(event, SnapshotFrame):
            return None
        if frame.id is not None:
            self._move(frame.id, seq)
        if event is None or isinstance(event, UnknownEvent):
            return None
        self._apply(event)
        return event

    def _move(self, event_id: str, seq: int) -> None:
        if seq > 0:
            self._failures, self._wait = 0, 0.0
        self.last_event_id, self._seq, self._moved = event_id, seq, True
        self.run_id = event_id.rpartition(".")[0]

    def _apply(self, event: ChatEvent) -> None:
        match event:
            case TokenFrame():
                self.text.add(event.data.position, event.data.delta)
            case StreamStartFrame():
                self.run_id = event.data.run_id
            case SnapshotFrame():
                self.text.replace(text_of(event))
            case DoneFrame():
                self.done, self.ended = event.data, True
            case ErrorFrame():
                self.error, self.ended = error_told(event.data), True
            case _:
                pass

    def _step_back(self) -> None:
        """The run's end was seen before: have its last event sent again, as this stream's end."""
        if self._seq <= 0:
            raise NotCartrita("The stream ended before its first event.")
        self._seq -= 1
        self.last_event_id, self._moved = f"{self.run_id}.{self._seq}", True


def _cursor_of(opening: Call) -> tuple[str, int]:
    """Where a stream begins that follows a run; nowhere for one that starts its run."""
    if opening.operation.name != RESUME.name:
        return "", 0
    after = dict(opening.query).get("after", "0")
    return opening.path.split("/")[-2], int(after)


def _seq(event_id: str) -> int:
    number = event_id.rpartition(".")[2]
    return int(number) if number.isdigit() else 0


def text_of(event: SnapshotFrame) -> str:
    """The answer in the messages of a snapshot."""
    messages = event.data.messages or ()
    return "".join(each.content for each in messages if each.role == "assistant")


def _passes(problem: CartritaError | None) -> bool:
    """Whether coming back may help."""
    if isinstance(problem, CartritaApiError):
        return problem.status == 408 or (problem.status in (429, 503) and problem.retryable)
    return problem is None or isinstance(problem, TimedOut | Unreachable)


def _as_error(problem: CartritaError | None) -> CartritaError:
    if isinstance(problem, TimedOut):
        return StreamStalled(_STALLED)
    return problem or Unreachable("The stream ended again and again before the run did.")
