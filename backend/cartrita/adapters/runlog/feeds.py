"""Committed events on their way to readers in this process: a bounded window for each run."""

import asyncio
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager

from cartrita.adapters.runlog.encoding import weight
from cartrita.domain.events import LoggedEvent
from cartrita.kit.ids import RunId

_EVENT_BYTES = 200
"""About what an event takes besides its text."""


class Feed:
    """The latest events of one run. Readers hold a cursor into it and nothing else."""

    def __init__(self, window_bytes: int) -> None:
        self._window_bytes = window_bytes
        self._events: deque[LoggedEvent] = deque()
        self._bytes = 0
        self._changed: asyncio.Future[None] | None = None
        self.base: int | None = None
        """The seq before the oldest event held; None until anything is known."""
        self.place: int | None = None
        """Where the run waits, as last seen for all readers at once; None: each asks for itself."""
        self.readers = 0
        self.owned = False

    @property
    def tip(self) -> int | None:
        """The newest seq known."""
        return self._events[-1].seq if self._events else self.base

    def begin(self, seq: int) -> None:
        """Say that everything up to `seq` is in the log, where less was known."""
        if self.tip is None or seq > self.tip:
            self._events.clear()
            self._bytes, self.base = 0, seq
            self.wake()  # who waits at an older seq finds what it missed in the log

    def push(self, events: list[LoggedEvent]) -> None:
        """Take committed events, in order; known ones are skipped, a gap drops what came before."""
        tip = self.tip
        for event in events:
            if tip is not None and event.seq <= tip:
                continue
            if tip is None or event.seq != tip + 1:
                self._events.clear()
                self._bytes, self.base = 0, event.seq - 1
            self._events.append(event)
            self._bytes += _size(event)
            tip = event.seq
        while self._bytes > self._window_bytes and len(self._events) > 1:
            dropped = self._events.popleft()
            self._bytes -= _size(dropped)
            self.base = dropped.seq
        self.wake()

    def after(self, seq: int) -> list[LoggedEvent] | None:
        """What is known after `seq`; None where only the log can say, also of what is to come."""
        if self.base is None or seq < self.base:
            return None
        skip = seq - self.base
        if skip > len(self._events):
            return None
        return [self._events[i] for i in range(skip, len(self._events))]

    def wait_at(self, place: int | None) -> None:
        """Take news of a run that has not begun; None where it is queued no more, or not known."""
        if place is None or place != self.place:
            self.place = place
            self.wake()

    def wake(self) -> None:
        """Let every waiting reader look again."""
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
        self._changed = None

    def changed(self) -> asyncio.Future[None]:
        """Done when there is news; shared by all who wait, so never cancel it."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        return self._changed


class Feeds:
    """The feeds of all runs that this process owns or reads."""

    def __init__(self, window_bytes: int) -> None:
        self._window_bytes = window_bytes
        self._feeds: dict[RunId, Feed] = {}
        self.draining = False

    def own(self, run_id: RunId, seq: int) -> None:
        """Keep a window for a run that is written here, from `seq` on."""
        feed = self._feed(run_id)
        feed.owned = True
        feed.begin(seq)

    def disown(self, run_id: RunId) -> None:
        """The run has ended here, or belongs to others."""
        feed = self._feeds.get(run_id)
        if feed is not None:
            feed.owned = False
            self._forget(run_id, feed)

    def publish(self, run_id: RunId, events: list[LoggedEvent]) -> None:
        """Committed events; nobody keeps them where nobody reads."""
        feed = self._feeds.get(run_id)
        if feed is not None:
            feed.push(events)

    @contextmanager
    def read(self, run_id: RunId) -> Generator[Feed]:
        """The feed of a run, kept while it is read."""
        feed = self._feed(run_id)
        feed.readers += 1
        try:
            yield feed
        finally:
            feed.readers -= 1
            self._forget(run_id, feed)

    def foreign(self) -> dict[RunId, int]:
        """Runs that are read here and written elsewhere, with the newest seq known."""
        return {
            run_id: feed.tip
            for run_id, feed in self._feeds.items()
            if not feed.owned and feed.tip is not None
        }

    def drain(self) -> None:
        """Send every reader away: they come back, here or elsewhere, with their cursor."""
        self.draining = True
        self.wake_all()

    def waiting(self) -> dict[RunId, Feed]:
        """Runs that are read here of which no event is known."""
        return {run_id: feed for run_id, feed in self._feeds.items() if feed.base is None}

    def wake_all(self) -> None:
        for feed in list(self._feeds.values()):
            feed.wake()

    def _feed(self, run_id: RunId) -> Feed:
        feed = self._feeds.get(run_id)
        if feed is None:
            feed = self._feeds[run_id] = Feed(self._window_bytes)
        return feed

    def _forget(self, run_id: RunId, feed: Feed) -> None:
        if feed.readers == 0 and not feed.owned:
            self._feeds.pop(run_id, None)


def _size(event: LoggedEvent) -> int:
    return _EVENT_BYTES + weight(event.event)
