"""A stream of a run's events, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Self

from cartrita_client.async_connections import AsyncConnection
from cartrita_client.errors import CartritaError
from cartrita_client.events import ChatEvent
from cartrita_client.generated.models import DoneData
from cartrita_client.operations import Call
from cartrita_client.streams import StreamCourse, ToldText


class AsyncChatStream:
    """Iterate over it for the events; it comes back by itself after a cut, where it was.

    The last event is `done` or `error`. `text` gives the answer's text piece by piece, `final`
    waits for its end. The request leaves when the first event is asked for.
    """

    def __init__(self, connection: AsyncConnection, opening: Call) -> None:
        self._connection = connection
        self._course = StreamCourse(opening, connection.settings.resumes)
        self._events = _events(connection, self._course)

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

    def text(self) -> AsyncIterator[str]:
        """The text of the answer, piece by piece. Raises the error of a run that fails."""
        return _Words(self._events, self._course)

    async def final(self) -> DoneData:
        """Read to the end; what the last event says. Raises the error of a run that fails."""
        async for _ in self:
            pass
        _raise_error_of(self._course)
        if self._course.done is None:
            raise CartritaError("The stream was closed before its end.")
        return self._course.done

    async def close(self) -> None:
        """Stop reading; the run goes on, and can be read again or cancelled."""
        await self._events.aclose()

    def __aiter__(self) -> AsyncIterator[ChatEvent]:
        return self

    async def __anext__(self) -> ChatEvent:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class _Words:
    """The text that a stream's events add; like the stream itself, it is no generator."""

    def __init__(self, events: AsyncIterator[ChatEvent], course: StreamCourse) -> None:
        self._events = events
        self._course = course
        self._told = ToldText()

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        async for event in self._events:
            if piece := self._told.new_in(event):
                return piece
        _raise_error_of(self._course)
        raise StopAsyncIteration


def _raise_error_of(course: StreamCourse) -> None:
    if course.error is not None:
        raise course.error


async def _events(connection: AsyncConnection, course: StreamCourse) -> AsyncGenerator[ChatEvent]:
    """The events of all connections.

    It does not know its stream, so that it ends with that: of two that know each other the garbage
    collector would close this and each generator within at the same time.
    """
    while not course.ended:
        await asyncio.sleep(course.pause)
        problem: CartritaError | None = None
        try:
            async with aclosing(_read(connection, course)) as events:
                async for event in events:
                    yield event
        except CartritaError as broken:
            problem = broken
        if not course.ended:
            course.broke(problem)


async def _read(connection: AsyncConnection, course: StreamCourse) -> AsyncGenerator[ChatEvent]:
    """The events of one connection."""
    async with connection.opened(course.next_call()) as response:
        course.opened(response.status_code, response.headers)
        async for octets in response.aiter_bytes():
            for event in course.take(octets):
                yield event
            if course.ended:
                return
