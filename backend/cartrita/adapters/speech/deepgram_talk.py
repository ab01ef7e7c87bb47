"""Speech of Deepgram's WebSocket: texts go out as they come, and their samples come back.

A `Flush` after each text has it spoken at once, and is answered when all of it is there. Deepgram
takes 20 in a minute: where texts come faster, several of them are flushed together.
Source: developers.deepgram.com (streaming text to speech; Flush, Clear and Close).
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Final

import msgspec
import structlog

from cartrita.adapters.http.web_sockets import SocketClosed
from cartrita.adapters.speech import speech_texts
from cartrita.adapters.speech.deepgram_errors import NAME, frame_error, malformed
from cartrita.adapters.speech.deepgram_options import SAMPLE_RATE
from cartrita.adapters.speech.deepgram_service import DeepgramService, Query
from cartrita.adapters.speech.deepgram_socket import DeepgramSocket
from cartrita.adapters.speech.deepgram_speech import LONGEST_PIECE
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.speech import AudioFormat, SpokenText

_FLUSH: Final = '{"type":"Flush"}'
_CLEAR: Final = '{"type":"Clear"}'
_CLOSE: Final = '{"type":"Close"}'
_FLUSHES: Final = 20
_LAST_FLUSHES: Final = 2
"""So many of them are kept for the end of the texts."""
_WINDOW_SECONDS: Final = 60.0
_NEXT_FLUSH_SECONDS: Final = 5.0
"""When one that was refused is tried again."""

log = structlog.get_logger(__name__)

TALK_QUERY: Final[Query] = (("encoding", "linear16"), ("sample_rate", str(SAMPLE_RATE)))


class _Frame(msgspec.Struct):
    type: str
    code: str | None = None
    description: str | None = None


class DeepgramTalk:
    """One WebSocket; implements `Speaking`."""

    format = AudioFormat.PCM
    sample_rate: int | None = SAMPLE_RATE

    def __init__(self, service: DeepgramService, socket: DeepgramSocket) -> None:
        self._service = service
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._spoken = 0
        self._unflushed = 0
        """So many texts are after the last `Flush`."""
        self._awaited: deque[int] = deque()
        """For each `Flush` that was not answered: how many texts it is about."""
        self._flush_times: deque[float] = deque()
        self._no_flush_before = 0.0
        self._clears = 0
        self._clearing = 0
        """So many of them were not answered yet."""
        self._finished = False

    async def say(self, text: str) -> None:
        """See `Speaking.say`; a blank text is none."""
        if not text.strip():
            return
        clears = self._clears
        for part in speech_texts.parts(text, LONGEST_PIECE):
            await self._socket.send(_speak(part))
        if clears != self._clears:  # it was dropped while it was sent
            return
        self._unflushed += 1
        await self._flush()
        self._socket.wake()

    async def clear(self) -> None:
        """See `Speaking.clear`."""
        self._clears += 1
        self._clearing += 1
        self._unflushed = 0
        self._awaited.clear()
        await self._socket.send(_CLEAR)
        self._socket.wake()

    async def finish(self) -> None:
        """See `Speaking.finish`."""
        self._finished = True
        self._socket.wake()

    async def pieces(self) -> AsyncGenerator[bytes | SpokenText]:
        """See `Speaking.pieces`."""
        while True:
            await self._flush()
            if self._finished and self._idle and not self._unflushed:
                break
            due = self._due
            try:
                message = await self._socket.receive(due)
            except SocketClosed as closed:
                raise self._socket.error_of(closed) from None
            if message is None:
                self._check_overdue(due)
            elif isinstance(message, bytes):
                if message and not self._clearing:
                    yield message
            elif (spoken := self._told(_frame_of(message))) is not None:
                yield spoken
        await self._socket.send(_CLOSE)

    @property
    def _idle(self) -> bool:
        """Whether nothing is awaited of Deepgram."""
        return not self._awaited and not self._clearing

    @property
    def _due(self) -> float | None:
        """When something has to be done if nothing comes."""
        if not self._idle:
            return self._loop.time() + self._service.idle
        return self._next_flush if self._unflushed else None

    @property
    def _next_flush(self) -> float:
        """From when on it takes another `Flush`."""
        kept = 0 if self._finished else _LAST_FLUSHES
        if len(self._flush_times) < _FLUSHES - kept:
            return self._no_flush_before
        oldest = self._flush_times[len(self._flush_times) - (_FLUSHES - kept)]
        return max(self._no_flush_before, oldest + _WINDOW_SECONDS)

    async def _flush(self) -> None:
        """Have the texts spoken that were not flushed, if it may be told now."""
        now = self._loop.time()
        while self._flush_times and self._flush_times[0] <= now - _WINDOW_SECONDS:
            self._flush_times.popleft()
        if not self._unflushed or now < self._next_flush:
            return
        self._awaited.append(self._unflushed)
        self._unflushed = 0
        self._flush_times.append(now)
        await self._socket.send(_FLUSH)

    def _told(self, frame: _Frame) -> SpokenText | None:
        match frame.type:
            case "Flushed" if self._awaited and not self._clearing:
                self._spoken += self._awaited.popleft()
                return SpokenText(self._spoken)
            case "Cleared":
                self._clearing = max(self._clearing - 1, 0)
            case "Warning":
                self._warned(frame)
            case "Error":
                raise frame_error(frame.description, self._service.key)
            case _:
                pass  # metadata, and types of newer versions
        return None

    def _warned(self, frame: _Frame) -> None:
        log.warning("deepgram_warning", code=(frame.code or "")[:64])
        if "FLUSH" in (frame.code or "").upper() and self._awaited:
            self._unflushed += self._awaited.pop()
            self._no_flush_before = self._loop.time() + _NEXT_FLUSH_SECONDS

    def _check_overdue(self, due: float | None) -> None:
        if due is None or self._idle or self._loop.time() < due:
            return
        limit = self._service.idle
        raise UpstreamCut(f"{NAME} sent nothing of a speech for {limit:g} s.", provider=NAME)


def _speak(text: str) -> str:
    return msgspec.json.encode({"type": "Speak", "text": text}).decode()


def _frame_of(message: str) -> _Frame:
    try:
        return msgspec.json.decode(message.encode("utf-8", "surrogatepass"), type=_Frame)
    except (ValueError, RecursionError):
        raise malformed("something that is no message about a speech") from None
