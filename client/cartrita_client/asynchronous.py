"""What the asynchronous client does once it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from cartrita_client.async_chat_streams import AsyncChatStream
from cartrita_client.async_connections import AsyncConnection
from cartrita_client.async_downloads import AsyncDownload
from cartrita_client.calls import call_of, following
from cartrita_client.construction import module
from cartrita_client.operations import Given, Operation
from cartrita_client.settings import Settings

if TYPE_CHECKING:
    from cartrita_client.async_live import AsyncLiveSession
    from cartrita_client.async_voice import AsyncVoiceSession


class Asynchronous:
    """Answers, pages, streams and downloads over one set of connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection = AsyncConnection(settings)

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def answer(self, operation: Operation, given: Given) -> Any:
        """The value of a whole answer."""
        return await self._connection.answer(call_of(self._settings, operation, given))

    async def items(self, operation: Operation, given: Given) -> AsyncIterator[Any]:
        """What all pages hold, one after the other."""
        cursor: str | None = None
        while True:
            page = await self.answer(operation, following(given, cursor))
            for item in page.items:
                yield item
            cursor = page.next_cursor
            if cursor is None:
                return

    def stream(self, operation: Operation, given: Given) -> AsyncChatStream:
        """A stream of events."""
        return AsyncChatStream(self._connection, call_of(self._settings, operation, given))

    def download(self, operation: Operation, given: Given) -> AsyncDownload:
        """A file."""
        return AsyncDownload(self._connection, call_of(self._settings, operation, given))

    def live(self) -> AsyncLiveSession:
        """A live session; the library for it is loaded when it is wanted."""
        session: AsyncLiveSession = module("async_live").AsyncLiveSession(self._settings)
        return session

    def voice(self, fields: dict[str, Any]) -> AsyncVoiceSession:
        """A live conversation."""
        session: AsyncVoiceSession = module("async_voice").AsyncVoiceSession(self._settings, fields)
        return session
