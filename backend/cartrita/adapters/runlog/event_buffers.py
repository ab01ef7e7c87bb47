"""Event buffers: the latest committed events of each run, from which its readers are served."""

import asyncio
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager

from cartrita.adapters.runlog.encoding import encoded_size
from cartrita.domain.events import LoggedEvent
from cartrita.domain.ids import RunId

_EVENT_BYTES = 200
"""Approximate size of an event besides its text."""


class EventBuffer:
    """The latest events of one run, in a bounded window. Readers hold only a cursor into it."""

    def __init__(self, window_bytes: int) -> None:
        self._window_bytes = window_bytes
        self._events: deque[LoggedEvent] = deque()
        self._bytes = 0
        self._changed: asyncio.Future[None] | None = None
        self.base_seq: int | None = None
        """The number before the oldest buffered event; None until any number is known."""
        self.queue_position: int | None = None
        """The run's position in its queue, if known; otherwise each reader queries it."""
        self.readers = 0
        self.owned = False
        """Whether this process writes the run."""

    @property
    def last_seq(self) -> int | None:
        """The highest number known."""
        return self._events[-1].seq if self._events else self.base_seq

    def advance_to(self, seq: int) -> None:
        """Record that the log reaches at least to `seq`; without effect if that is known."""
        if self.last_seq is None or seq > self.last_seq:
            self._events.clear()
            self._bytes, self.base_seq = 0, seq
            self.wake()  # readers at an older number have to read the log

    def append(self, events: list[LoggedEvent]) -> None:
        """Add committed events, in order. Skips known ones; a gap empties the buffer first."""
        last_seq = self.last_seq
        for event in events:
            if last_seq is not None and event.seq <= last_seq:
                continue
            if last_seq is None or event.seq != last_seq + 1:
                self._events.clear()
                self._bytes, self.base_seq = 0, event.seq - 1
            self._events.append(event)
            self._bytes += _size(event)
            last_seq = event.seq
        while self._bytes > self._window_bytes and len(self._events) > 1:
            dropped = self._events.popleft()
            self._bytes -= _size(dropped)
            self.base_seq = dropped.seq
        self.wake()

    def after(self, seq: int) -> list[LoggedEvent] | None:
        """The buffered events after `seq`; None if `seq` is outside the buffer."""
        if self.base_seq is None or seq < self.base_seq:
            return None
        skip = seq - self.base_seq
        if skip > len(self._events):
            return None
        return [self._events[i] for i in range(skip, len(self._events))]

    def set_queue_position(self, position: int | None) -> None:
        """Wakes the readers if the position has changed, or is not known any more (None)."""
        if position is None or position != self.queue_position:
            self.queue_position = position
            self.wake()

    def wake(self) -> None:
        """Wake every waiting reader."""
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
        self._changed = None

    def changed(self) -> asyncio.Future[None]:
        """Done at the next change. Shared by all waiting readers, so it must not be cancelled."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        return self._changed


class EventBuffers:
    """The buffers of all runs that this process writes or reads."""

    def __init__(self, window_bytes: int) -> None:
        self._window_bytes = window_bytes
        self._buffers: dict[RunId, EventBuffer] = {}
        self.draining = False

    def own(self, run_id: RunId, seq: int) -> None:
        """Keep a buffer for a run that this process writes from `seq` on."""
        buffer = self._buffer(run_id)
        buffer.owned = True
        buffer.advance_to(seq)

    def disown(self, run_id: RunId) -> None:
        """This process does not write the run any more."""
        buffer = self._buffers.get(run_id)
        if buffer is not None:
            buffer.owned = False
            self._drop_if_unused(run_id, buffer)

    def publish(self, run_id: RunId, events: list[LoggedEvent]) -> None:
        """Hand committed events to the run's readers, if it has any or is written here."""
        buffer = self._buffers.get(run_id)
        if buffer is not None:
            buffer.append(events)

    @contextmanager
    def subscribe(self, run_id: RunId) -> Generator[EventBuffer]:
        """The buffer of a run, kept while the context is open."""
        buffer = self._buffer(run_id)
        buffer.readers += 1
        try:
            yield buffer
        finally:
            buffer.readers -= 1
            self._drop_if_unused(run_id, buffer)

    def remote(self) -> dict[RunId, int]:
        """Runs that are read here and written elsewhere, with the highest number known."""
        return {
            run_id: buffer.last_seq
            for run_id, buffer in self._buffers.items()
            if not buffer.owned and buffer.last_seq is not None
        }

    def queued(self) -> dict[RunId, EventBuffer]:
        """Runs that are read here and of which no event is known yet."""
        return {
            run_id: buffer for run_id, buffer in self._buffers.items() if buffer.base_seq is None
        }

    def drain(self) -> None:
        """End all tails; readers come back with their cursors, here or at another replica."""
        self.draining = True
        for buffer in list(self._buffers.values()):
            buffer.wake()

    def _buffer(self, run_id: RunId) -> EventBuffer:
        buffer = self._buffers.get(run_id)
        if buffer is None:
            buffer = self._buffers[run_id] = EventBuffer(self._window_bytes)
        return buffer

    def _drop_if_unused(self, run_id: RunId, buffer: EventBuffer) -> None:
        if buffer.readers == 0 and not buffer.owned:
            self._buffers.pop(run_id, None)


def _size(event: LoggedEvent) -> int:
    return _EVENT_BYTES + encoded_size(event.event)
