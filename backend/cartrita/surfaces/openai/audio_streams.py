"""Streams of events about audio: the words of a transcript, and the pieces of speech."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, Final, NamedTuple

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cartrita.application.voice.speeches import BegunSpeech
from cartrita.dialects.openai_audio import event_rendering
from cartrita.domain.errors import CartritaError
from cartrita.domain.receipts import Receipt
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.openai.audio_engines import in_openai_words
from cartrita.surfaces.sse import HEADERS
from cartrita.surfaces.v1.call_answers import HEARTBEAT, OutgoingResponse
from cartrita.surfaces.v1.heartbeats import Heartbeats
from cartrita.surfaces.v1.routes_told import route_headers

log = structlog.get_logger(__name__)

EVENTS: Final[dict[str, Any]] = {
    "description": "The events of OpenAI's own streams, each of them an object."
}
"""The schema of an event in openapi.json."""


class AudioFrames(NamedTuple):
    """The events of an answer, rendered, and the headers that tell where it comes from."""

    headers: Iterable[tuple[str, str]]
    frames: AsyncIterator[bytes]


@asynccontextmanager
async def speech_frames(
    opening: AbstractAsyncContextManager[BegunSpeech], receipts: Sequence[Receipt]
) -> AsyncGenerator[AudioFrames]:
    """The events of speech."""
    async with opening as speech, aclosing(_frames(speech.pieces)) as frames:
        yield AudioFrames(route_headers(speech.engine.partition("/")[0], receipts, ()), frames)


async def _frames(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    async for piece in pieces:
        yield event_rendering.audio_event(piece)
    yield event_rendering.audio_done()


class AudioEvents(Response):
    """Sends what is opened, with comments in its pauses; a disconnect ends it.

    What fails before anything was sent is an error like any other, and after that an event.
    """

    def __init__(
        self, opening: AbstractAsyncContextManager[AudioFrames], *, heartbeat_s: float
    ) -> None:
        super().__init__()
        self._opening = opening
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events. Raises CartritaError, and ClientDisconnect."""
        response = OutgoingResponse(send)
        stream = _EventStream(self._opening, response)
        heartbeats = Heartbeats(self._heartbeat_s, lambda: response.sent_at, stream.send_heartbeat)
        async with UntilDisconnect(receive), heartbeats:
            await stream.run()
        if stream.failure is not None:
            raise stream.failure


class _EventStream:
    """The events on their way to one client; `failure` is left where nothing has been sent."""

    def __init__(
        self, opening: AbstractAsyncContextManager[AudioFrames], response: OutgoingResponse
    ) -> None:
        self._opening = opening
        self._response = response
        self._done = False
        self.failure: CartritaError | None = None

    async def run(self) -> None:
        """Send all of them."""
        try:
            async with self._opening as answer:
                await self._response.start(200, [*HEADERS.items(), *answer.headers])
                async for frame in answer.frames:
                    await self._response.write(frame)
        except CartritaError as error:
            told = in_openai_words(error)
            if not self._response.started:
                self.failure = told
                return
            log.info("stream_aborted", code=error.code)
            await self._response.write(event_rendering.error_event(told))
        self._done = True
        await self._response.write(b"", more=False)

    async def send_heartbeat(self) -> None:
        """Send a comment, unless all was sent."""
        if self._done or self.failure is not None:
            return
        await self._response.start(200, HEADERS.items())
        await self._response.write(HEARTBEAT)
