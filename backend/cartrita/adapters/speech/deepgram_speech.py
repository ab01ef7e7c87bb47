"""Speech of Deepgram's REST API, as it comes: of one text, or of texts one after the other."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import msgspec

from cartrita.adapters.http.transport import HttpResponse
from cartrita.adapters.speech.deepgram_errors import malformed
from cartrita.adapters.speech.deepgram_options import (
    SAMPLE_RATE,
    encoding_query,
    rate_of,
    voice_query,
)
from cartrita.adapters.speech.deepgram_service import DeepgramService, Query
from cartrita.adapters.speech.text_pieces import pieces_of
from cartrita.domain.errors import InvalidInput, NotOffered
from cartrita.domain.speech import AudioFormat, SpeechRequest, SpokenText

LONGEST_PIECE: Final = 2000
"""In characters: it takes no more at once."""
_JOINED: Final = frozenset(AudioFormat) - {AudioFormat.FLAC}
"""Formats of which several files after each other are one."""
_UNKNOWN_LENGTH: Final = 0xFFFFFFFF


class _Order(msgspec.Struct, frozen=True):
    """What Deepgram is asked for, request after request, and what comes before their audio."""

    pieces: tuple[str, ...]
    query: Query
    header: bytes = b""


class DeepgramSpeech:
    """One text; implements `Speech`. Its first response is there."""

    def __init__(
        self, service: DeepgramService, audio: AudioFormat, order: _Order, first: HttpResponse
    ) -> None:
        self.format = audio
        self.sample_rate = rate_of(audio)
        self._service = service
        self._order = order
        self._first = first

    async def pieces(self) -> AsyncGenerator[bytes]:
        """See `Speech.pieces`."""
        if self._order.header:
            yield self._order.header
        async with aclosing(_audio_in(self._first)) as audio:
            async for piece in audio:
                yield piece
        for text in self._order.pieces[1:]:
            async with (
                _spoken(self._service, self._order.query, text) as response,
                aclosing(_audio_in(response)) as audio,
            ):
                async for piece in audio:
                    yield piece


@asynccontextmanager
async def opened_speech(
    service: DeepgramService, request: SpeechRequest
) -> AsyncGenerator[DeepgramSpeech]:
    """The speech of a text, which has begun. Raises UpstreamError and InvalidInput."""
    audio = request.format or AudioFormat.MP3
    order = _order_of(service, request, audio)
    async with _spoken(service, order.query, order.pieces[0]) as response:
        yield DeepgramSpeech(service, audio, order, response)


class SpokenTexts:
    """Texts one after the other, each a whole speech of its format; implements `Speaking`.

    Deepgram's WebSocket knows samples only. Texts that were dropped count as spoken.
    """

    def __init__(self, service: DeepgramService, request: SpeechRequest) -> None:
        self.format = request.format or AudioFormat.MP3
        self.sample_rate = rate_of(self.format)
        self._service = service
        self._request = request
        self._texts: deque[str] = deque()
        self._changed = asyncio.Event()
        self._said = 0
        self._clears = 0
        self._finished = False

    async def say(self, text: str) -> None:
        """See `Speaking.say`."""
        self._texts.append(text)
        self._said += 1
        self._changed.set()

    async def clear(self) -> None:
        """See `Speaking.clear`."""
        self._texts.clear()
        self._clears += 1

    async def finish(self) -> None:
        """See `Speaking.finish`."""
        self._finished = True
        self._changed.set()

    async def pieces(self) -> AsyncIterator[bytes | SpokenText]:
        """See `Speaking.pieces`."""
        while self._texts or not self._finished:
            if not self._texts:
                self._changed.clear()
                await self._changed.wait()
                continue
            clears, text = self._clears, self._texts.popleft()
            if text.strip():
                async with aclosing(self._speech_of(text, clears)) as audio:
                    async for piece in audio:
                        yield piece
            if clears == self._clears:
                yield SpokenText(self._said - len(self._texts))

    async def _speech_of(self, text: str, clears: int) -> AsyncGenerator[bytes]:
        """The audio of a text, until it is dropped."""
        request = msgspec.structs.replace(self._request, text=text, format=self.format)
        async with (
            opened_speech(self._service, request) as speech,
            aclosing(speech.pieces()) as audio,
        ):
            async for piece in audio:
                if clears != self._clears:
                    return
                yield piece


def _order_of(service: DeepgramService, request: SpeechRequest, audio: AudioFormat) -> _Order:
    pieces = tuple(pieces_of(request.text, LONGEST_PIECE))
    if not pieces:
        raise InvalidInput.of("text", "It is empty.")
    if len(pieces) > 1 and audio not in _JOINED:
        raise NotOffered.of("text", f"Deepgram speaks {LONGEST_PIECE} characters as {audio}.")
    voice = voice_query(service, request)
    if len(pieces) > 1 and audio is AudioFormat.WAV:
        return _Order(pieces, (*voice, *encoding_query(AudioFormat.PCM)), _open_header())
    return _Order(pieces, (*voice, *encoding_query(audio)))


@asynccontextmanager
async def _spoken(
    service: DeepgramService, query: Query, text: str
) -> AsyncGenerator[HttpResponse]:
    body = msgspec.json.encode({"text": text})
    async with service.response(
        "POST", "/v1/speak", query, body=body, content_type="application/json"
    ) as response:
        kind = response.headers.get("content-type", "").lower()
        if "json" in kind or "text/" in kind:
            raise malformed(f"{kind.partition(';')[0]} instead of audio. Check its base URL")
        yield response


async def _audio_in(response: HttpResponse) -> AsyncGenerator[bytes]:
    """The audio of a response. Raises UpstreamMalformed if there is none."""
    empty = True
    while piece := await response.read():
        empty = False
        yield piece
    if empty:
        raise malformed("no audio")


def _open_header() -> bytes:
    """The header of a wav that is longer than can be told yet."""
    return b"".join(_header_fields())


def _header_fields() -> Iterator[bytes]:
    unknown = _UNKNOWN_LENGTH.to_bytes(4, "little")
    yield b"RIFF" + unknown + b"WAVEfmt " + (16).to_bytes(4, "little")
    yield (1).to_bytes(2, "little") * 2 + SAMPLE_RATE.to_bytes(4, "little")
    yield (2 * SAMPLE_RATE).to_bytes(4, "little") + (2).to_bytes(2, "little")
    yield (16).to_bytes(2, "little") + b"data" + unknown
