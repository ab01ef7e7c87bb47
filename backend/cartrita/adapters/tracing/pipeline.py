"""A pipeline: takes facts of the event loop, and tells them to one receiver in a thread."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

import structlog
from opentelemetry.sdk.trace import ReadableSpan

from cartrita.adapters.tracing.observations import Observation
from cartrita.adapters.tracing.policies import TracingPolicy
from cartrita.adapters.tracing.sizes import kept_by
from cartrita.domain.traces import CallAnswered, Fact, RunEnded, RunLeft

log = structlog.get_logger(__name__)

_SPANS_AT_ONCE: Final = 64
"""To encode so many takes 3 ms, for which the loop waits: less than a change of threads."""
_WORK_AT_ONCE: Final = 0.001
"""Seconds of telling for which the loop waits at once."""
_REST: Final = 2.0
"""Seconds of rest for each in which facts are told; nobody rests once the server stops."""
_CHARACTERS_AT_ONCE: Final = 1 << 20
"""Of their texts: Langfuse takes requests of 4.5 MB."""


_ENDS: Final = (CallAnswered, RunEnded, RunLeft)

_SILENT: Final = ("opentelemetry", "langfuse")


def silence() -> None:
    """Have libraries that send log nothing: addresses and what servers say, as they do.

    What is wrong is told by `Receiver`.
    """
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    logging.getLogger("httpx").handlers.clear()  # the import of Langfuse's SDK adds one


class Receives(Protocol):
    """What spans are sent to: open while the thread is that sends them."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def send(self, spans: Sequence[ReadableSpan]) -> int:
        """How many of them were taken; it takes a bounded time."""
        ...


class Pipeline:
    """Facts wait here up to a number, and up to a size of what they keep.

    `told` makes observations of a fact, and `span` the span of one; both are called in the thread
    only. The counts that the event loop changes and those that the thread does are not the same,
    so none needs a lock.
    """

    def __init__(
        self,
        told: Callable[[Fact], Sequence[Observation]],
        span: Callable[[Observation], ReadableSpan],
        receiver: Receives,
        policy: TracingPolicy,
    ) -> None:
        self._told = told
        self._span = span
        self._receiver = receiver
        self._policy = policy
        self._facts: deque[tuple[Fact, int]] = deque()
        self._bytes_taken = 0
        self._bytes_given = 0
        self._refused = 0
        self._lost = 0
        self._wake = threading.Event()
        self._stopping = False
        self._worked = 0.0  # seconds since the last rest
        self._cut = False
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many facts found no room, and how many spans nobody took."""
        return self._refused + self._lost

    def note(self, fact: Fact) -> None:
        """Take a fact, or count it as lost.

        Twice as many ends have room: what lost its end alone would be kept for long.
        """
        size = kept_by(fact)
        times = 2 if isinstance(fact, _ENDS) else 1
        kept = self._bytes_taken - self._bytes_given + size
        if (
            len(self._facts) >= times * self._policy.pending_max
            or kept > times * self._policy.pending_bytes
        ):
            self._refused += 1
            return
        self._bytes_taken += size
        self._facts.append((fact, size))
        if len(self._facts) == _SPANS_AT_ONCE:
            self._wake.set()

    def end(self) -> None:
        """Tell what was noted, and then nothing more."""
        self._stopping = True
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait until that is told, for so long at most; what is left then is lost."""
        self._thread.join(seconds)
        self._cut = True
        self._refused += len(self._facts)
        if self.dropped:
            log.warning("traces_lost", count=self.dropped)

    def _run(self) -> None:
        with self._receiver:
            while not self._stopping:
                self._wake.wait(self._policy.flush_s)
                self._wake.clear()
                self._tell()
            self._tell()

    def _tell(self) -> None:
        """Tell all that waits."""
        spans: list[ReadableSpan] = []
        characters = 0
        while self._facts and not self._cut:
            fact, size = self._facts.popleft()
            for span in self._spans(fact):
                spans.append(span)
                characters += _characters(span)
                if len(spans) >= _SPANS_AT_ONCE or characters >= _CHARACTERS_AT_ONCE:
                    self._send(spans)
                    spans, characters = [], 0
            self._bytes_given += size
        if spans:
            self._send(spans)

    def _spans(self, fact: Fact) -> list[ReadableSpan]:
        """The spans of a fact; one that cannot be told is lost alone."""
        began = time.perf_counter()
        try:
            return [self._span(one) for one in self._told(fact)]
        except Exception as error:  # noqa: BLE001 - no error of a trace ends the thread
            self._lost += 1
            log.warning("trace_not_told", fact=type(fact).__name__, error=type(error).__name__)
            return []
        finally:
            self._rest(time.perf_counter() - began)

    def _rest(self, worked: float) -> None:
        """Rest now and then, so that the loop has most of the time where very much is told.

        It is not after each fact: to change threads costs both more than most facts do.
        """
        self._worked += worked
        if self._worked >= _WORK_AT_ONCE and not self._stopping:
            time.sleep(_REST * self._worked)
            self._worked = 0.0

    def _send(self, spans: list[ReadableSpan]) -> None:
        taken = 0
        try:
            taken = 0 if self._cut else self._receiver.send(spans)
        except Exception as error:  # noqa: BLE001 - nor does one of a library
            log.warning("traces_not_sent", error=type(error).__name__)
        self._lost += len(spans) - taken


def _characters(span: ReadableSpan) -> int:
    values = (span.attributes or {}).values()
    return sum(len(value) for value in values if isinstance(value, str))
