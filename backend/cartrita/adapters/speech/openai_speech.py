"""Speech by a server with OpenAI's audio API, passed on as it arrives."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

import msgspec

from cartrita.adapters.http.transport import HttpResponse
from cartrita.adapters.speech.openai_server import ModelServer
from cartrita.dialects.openai_audio import speech_requests, speech_texts
from cartrita.dialects.openai_audio.speech_requests import SpeechForm
from cartrita.domain.errors import UpstreamMalformed, UpstreamRejected
from cartrita.domain.speech import AudioFormat, SpeechRequest

SAMPLE_RATE: Final = 24_000
"""Of its PCM, which has one channel."""
USUAL_FORMAT: Final = AudioFormat.MP3
_PATH: Final = "/audio/speech"
_VOICE: Final = "alloy"
_JSON: Final = "application/json"
_JOINABLE: Final = frozenset({AudioFormat.MP3, AudioFormat.OPUS, AudioFormat.AAC, AudioFormat.PCM})
"""Of these one may follow the other: the rest tell at their beginning how long they are."""
_OLDER: Final = "tts-1"
"""What the models are called that take no instructions."""


def sample_rate(audio: AudioFormat) -> int | None:
    """The rate of what does not tell it itself."""
    return SAMPLE_RATE if audio is AudioFormat.PCM else None


class OpenAISpeech:
    """Asks one server; a text that is too long for one request is spoken by several."""

    def __init__(self, server: ModelServer, patience: float) -> None:
        self._server = server
        self._patience = patience

    @asynccontextmanager
    async def speak(self, request: SpeechRequest, model: str) -> AsyncGenerator["AnsweredSpeech"]:
        """Speech whose first bytes are there. Raises UpstreamError."""
        form = _form(request, model)
        texts = speech_texts.parts(request.text)
        if len(texts) > 1 and form.response_format not in _JOINABLE:
            raise self._too_long(form.response_format)
        async with (
            self._answered(form, texts[0]) as response,
            aclosing(self._pieces(form, texts, response)) as arriving,
        ):
            speech = AnsweredSpeech(form.response_format, arriving)
            await speech.begin(self._server.name)
            yield speech

    async def _pieces(
        self, form: SpeechForm, texts: Sequence[str], first: HttpResponse
    ) -> AsyncGenerator[bytes]:
        while piece := await first.read():
            yield piece
        for text in texts[1:]:
            async with self._answered(form, text) as response:
                while piece := await response.read():
                    yield piece

    @asynccontextmanager
    async def _answered(self, form: SpeechForm, text: str) -> AsyncGenerator[HttpResponse]:
        body = speech_requests.render(msgspec.structs.replace(form, input=text))
        async with self._server.post(_PATH, body, _JSON, patience=self._patience) as response:
            if "json" in response.headers.get("content-type", "").lower():
                raise _malformed(self._server.name, "JSON")
            yield response

    def _too_long(self, audio: AudioFormat) -> UpstreamRejected:
        return UpstreamRejected(
            f"{self._server.name} speaks {speech_texts.LONGEST:,} characters at once, and {audio} "
            "cannot be put together: send a shorter text, or ask for mp3, opus, aac or pcm.",
            provider=self._server.name,
            code="speech_too_long",
        )


class AnsweredSpeech:
    """Implements `Speech` over the pieces that arrive; the first one is waited for by `begin`."""

    def __init__(self, audio: AudioFormat, arriving: AsyncGenerator[bytes]) -> None:
        self.format = audio
        self.sample_rate = sample_rate(audio)
        self._arriving = arriving
        self._first = b""

    async def begin(self, provider: str) -> None:
        """Wait for the first bytes. Raises UpstreamMalformed if there are none."""
        self._first = await anext(self._arriving, b"")
        if not self._first:
            raise _malformed(provider, "nothing")

    async def pieces(self) -> AsyncIterator[bytes]:
        """See `Speech.pieces`."""
        first, self._first = self._first, b""
        if first:
            yield first
        async for piece in self._arriving:
            yield piece


def _form(request: SpeechRequest, model: str) -> SpeechForm:
    older = model.rpartition("/")[2].startswith(_OLDER)
    return SpeechForm(
        model=model,
        input=request.text,
        voice=request.voice or _VOICE,
        response_format=request.format or USUAL_FORMAT,
        speed=request.speed,
        instructions=None if older else request.instructions,
    )


def _malformed(provider: str, what: str) -> UpstreamMalformed:
    return UpstreamMalformed(f"{provider} sent {what} instead of speech.", provider=provider)
