"""What the blocking client does once it is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cartrita_client.calls import call_of, following
from cartrita_client.chat_streams import ChatStream
from cartrita_client.connections import Connection
from cartrita_client.construction import module
from cartrita_client.downloads import Download
from cartrita_client.operations import Given, Operation
from cartrita_client.settings import Settings

if TYPE_CHECKING:
    from cartrita_client.live import LiveSession
    from cartrita_client.voice import VoiceSession


class Blocking:
    """Answers, pages, streams and downloads over one set of connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection = Connection(settings)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def answer(self, operation: Operation, given: Given) -> Any:
        """The value of a whole answer."""
        return self._connection.answer(call_of(self._settings, operation, given))

    def items(self, operation: Operation, given: Given) -> Iterator[Any]:
        """What all pages hold, one after the other."""
        cursor: str | None = None
        while True:
            page = self.answer(operation, following(given, cursor))
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def stream(self, operation: Operation, given: Given) -> ChatStream:
        """A stream of events."""
        return ChatStream(self._connection, call_of(self._settings, operation, given))

    def download(self, operation: Operation, given: Given) -> Download:
        """A file."""
        return Download(self._connection, call_of(self._settings, operation, given))

    def live(self) -> LiveSession:
        """A live session; the library for it is loaded when it is wanted."""
        session: LiveSession = module("live").LiveSession(self._settings)
        return session

    def voice(self, fields: dict[str, Any]) -> VoiceSession:
        """A live conversation."""
        session: VoiceSession = module("voice").VoiceSession(self._settings, fields)
        return session
