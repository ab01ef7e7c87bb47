"""A stream of a run's events, for programs that block."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Self

from cartrita_client.connections import Connection
from cartrita_client.errors import CartritaError
from cartrita_client.events import ChatEvent
from cartrita_client.generated.models import DoneData
from cartrita_client.operations import Call
from cartrita_client.streams import StreamCourse, ToldText


class ChatStream:
    """Iterate over it for the events; it comes back by itself after a cut, where it was.

    The last event is `done` or `error`. `text` gives the answer's text piece by piece, `final`
    waits for its end. The request leaves when the first event is asked for.
    """

    def __init__(self, connection: Connection, opening: Call) -> None:
        self._connection = connection
        self._course = StreamCourse(opening, connection.settings.resumes)
        self._events = self._run()

    @property
    def run_id(self) -> str:
        """The run that is read; empty until it is known."""
        return self._course.run_id

    @property
    def last_event_id(self) -> str:
        """The last event that has come; `get_run_events` goes on behind it."""
        return self._course.last_event_id

    @property
    def answer(self) -> str:
        """The answer's text so far."""
        return str(self._course.text)

    def text(self) -> Iterator[str]:
        """The text of the answer, piece by piece. Raises the error of a run that fails."""
        told = ToldText()
        for event in self:
            if piece := told.new_in(event):
                yield piece
        self._raise_error()

    def final(self) -> DoneData:
        """Read to the end; what the last event says. Raises the error of a run that fails."""
        for _ in self:
            pass
        self._raise_error()
        if self._course.done is None:
            raise CartritaError("The stream was closed before its end.")
        return self._course.done

    def close(self) -> None:
        """Stop reading; the run goes on, and can be read again or cancelled."""
        self._events.close()

    def __iter__(self) -> Iterator[ChatEvent]:
        return self

    def __next__(self) -> ChatEvent:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _raise_error(self) -> None:
        if self._course.error is not None:
            raise self._course.error

    def _run(self) -> Generator[ChatEvent]:
        while not self._course.ended:
            time.sleep(self._course.pause)
            problem: CartritaError | None = None
            try:
                yield from self._read()
            except CartritaError as broken:
                problem = broken
            if not self._course.ended:
                self._course.broke(problem)

    def _read(self) -> Iterator[ChatEvent]:
        """The events of one connection."""
        with self._connection.opened(self._course.next_call()) as response:
            self._course.opened(response.status_code, response.headers)
            for octets in response.iter_bytes():
                yield from self._course.take(octets)
                if self._course.ended:
                    return
