"""Live transcription at Deepgram: audio goes out, and what is heard comes back."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final

from cartrita.adapters.http.web_sockets import SocketClosed
from cartrita.adapters.speech.deepgram_errors import frame_error, malformed, unheard
from cartrita.adapters.speech.deepgram_results import ListeningFrame, frame_of, heard_in
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.adapters.speech.deepgram_socket import DeepgramSocket
from cartrita.domain.speech import (
    Heard,
    ListeningEvent,
    PcmFormat,
    SpeechStarted,
    UtteranceEnded,
)

_KEEP_ALIVE: Final = '{"type":"KeepAlive"}'
_FINALIZE: Final = '{"type":"Finalize"}'
_CLOSE_STREAM: Final = '{"type":"CloseStream"}'
_UNTOLD_S: Final = 1.0
"""Of more audio than this it tells something, if it is asked for the words of it."""


class DeepgramListening:
    """One WebSocket; implements `Listening`.

    While no audio is sent, it is kept alive by whoever reads its events.
    """

    def __init__(
        self,
        service: DeepgramService,
        socket: DeepgramSocket,
        audio: PcmFormat,
        language: str | None,
    ) -> None:
        self._service = service
        self._socket = socket
        self._audio = audio
        self._language = language
        self._loop = asyncio.get_running_loop()
        self._asked = False
        """Whether it was asked for final words, and has not told the last of them."""
        self._finalize_by: float | None = None
        self._sent_s = 0.0
        self._told_to = 0.0
        """Up to where it has told what it hears of the seconds that were sent."""
        self._silent_since = 0.0
        """When it told something last, or was sent or asked for something after that."""
        self._sent_after = False
        self._finished = False
        self._over = False
        self._last_end = 0.0
        self._in_utterance = False

    async def send(self, pcm: bytes) -> None:
        """See `Listening.send`."""
        if pcm:  # an empty message would end the stream
            if not self._sent_after:
                self._sent_after, self._silent_since = True, self._loop.time()
            self._sent_s += self._audio.seconds(len(pcm))
            await self._socket.send(pcm)
            if self._unheard_by is not None:
                self._socket.wake()

    async def end_utterance(self) -> None:
        """See `Listening.end_utterance`: an `UtteranceEnded` comes if there are no more words."""
        await self._socket.send(_FINALIZE)
        self._await_answer()
        self._asked = True
        self._finalize_by = self._loop.time() + self._service.finalize
        self._socket.wake()

    async def finish(self) -> None:
        """See `Listening.finish`."""
        await self._socket.send(_CLOSE_STREAM)
        self._await_answer()
        self._finished = True
        self._socket.wake()

    def _await_answer(self) -> None:
        if not self._sent_after:
            self._silent_since = self._loop.time()

    async def events(self) -> AsyncGenerator[ListeningEvent]:
        """See `Listening.events`."""
        while True:
            try:
                message = await self._socket.receive(self._due)
            except SocketClosed as closed:
                if self._finished and closed.code == 1000:
                    return
                raise self._socket.error_of(closed) from None
            if message is not None:
                self._sent_after, self._silent_since = False, self._loop.time()
            told = self._overdue() if message is None else self._told(message)
            async with aclosing(told) as events:
                async for event in events:
                    yield event
            if self._over:
                return

    @property
    def _due(self) -> float:
        """When something has to be done if nothing comes."""
        alive = None if self._finished else self._socket.sent_at + self._service.keep_alive
        all_of_them = (alive, self._finalize_by, self._unheard_by)
        return min(one for one in all_of_them if one is not None)

    @property
    def _unheard_by(self) -> float | None:
        """When it has to tell something of what was sent: of much, or what it was asked for."""
        limit = self._service.unheard
        much = self._sent_s - self._told_to >= limit
        awaited = self._finished or (self._asked and self._owes_words)
        return self._silent_since + limit if much or awaited else None

    @property
    def _owes_words(self) -> bool:
        return self._in_utterance or self._sent_s - self._told_to >= _UNTOLD_S

    async def _overdue(self) -> AsyncGenerator[ListeningEvent]:
        """Nothing came until something is due, or something has changed."""
        now = self._loop.time()
        if (unheard_by := self._unheard_by) is not None and now >= unheard_by:
            raise unheard(self._service.unheard)
        if self._finalize_by is not None and now >= self._finalize_by:
            self._finalize_by = None
            if not self._owes_words:
                self._asked = False
                yield UtteranceEnded(self._last_end, asked=True)
        if now >= self._socket.sent_at + self._service.keep_alive and not self._finished:
            await self._socket.send(_KEEP_ALIVE)

    async def _told(self, message: str | bytes) -> AsyncGenerator[ListeningEvent]:
        if isinstance(message, bytes):
            raise malformed("bytes where words were expected")
        frame = frame_of(message)
        match frame.type:
            case "Results":
                for event in self._heard(frame, heard_in(frame, self._language)):
                    yield event
            case "SpeechStarted":
                yield SpeechStarted(frame.timestamp)
            case "UtteranceEnd" if self._in_utterance:
                self._in_utterance = False
                yield UtteranceEnded(frame.last_word_end)
            case "Metadata":
                self._over = self._finished
            case "Error":
                raise frame_error(frame.description, self._service.key)
            case _:
                pass  # types of newer versions

    def _heard(self, frame: ListeningFrame, heard: Heard) -> Iterator[ListeningEvent]:
        """Words, or that there were none after those that were told."""
        self._told_to = max(self._told_to, heard.start + heard.duration)
        if heard.text:
            self._in_utterance = not heard.ends_utterance
            if heard.words:
                self._last_end = heard.words[-1].end
            yield heard
        elif heard.ends_utterance and (self._in_utterance or self._awaits(frame)):
            self._in_utterance = False
            yield UtteranceEnded(self._last_end, asked=heard.asked)
        if heard.final and frame.from_finalize:
            self._asked, self._finalize_by = False, None

    def _awaits(self, frame: ListeningFrame) -> bool:
        return bool(frame.from_finalize) and self._asked
