"""Speech of Deepgram's REST API, as it comes: of one text, or of texts one after the other."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import msgspec

from cartrita.adapters.http.transport import HttpResponse
from cartrita.adapters.speech import speech_texts
from cartrita.adapters.speech.deepgram_errors import malformed
from cartrita.adapters.speech.deepgram_options import (
    SAMPLE_RATE,
    encoding_query,
    rate_of,
    voice_query,
)
from cartrita.adapters.speech.deepgram_service import DeepgramService, Query
from cartrita.adapters.speech.wav import wav_header
from cartrita.domain.errors import InvalidInput, NotOffered
from cartrita.domain.speech import AudioFormat, PcmFormat, SpeechRequest

LONGEST_PIECE: Final = 2000
"""In characters: it takes no more at once."""
_JOINED: Final = frozenset(AudioFormat) - {AudioFormat.FLAC}
"""Formats of which several files after each other are one."""


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


def _order_of(service: DeepgramService, request: SpeechRequest, audio: AudioFormat) -> _Order:
    pieces = tuple(speech_texts.parts(request.text, LONGEST_PIECE))
    if not request.text.strip():
        raise InvalidInput.of("text", "It is empty.")
    if len(pieces) > 1 and audio not in _JOINED:
        raise NotOffered.of("text", f"Deepgram speaks {LONGEST_PIECE} characters as {audio}.")
    voice = voice_query(service, request)
    if len(pieces) > 1 and audio is AudioFormat.WAV:
        return _Order(
            pieces, (*voice, *encoding_query(AudioFormat.PCM)), wav_header(PcmFormat(SAMPLE_RATE))
        )
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
