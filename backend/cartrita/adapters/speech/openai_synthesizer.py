"""Speaks with any server that has OpenAI's audio API; what arrives is passed on at once.

Source: https://platform.openai.com/docs/api-reference/audio/createSpeech.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Final

import msgspec

from cartrita.adapters.http.transport import HttpResponse
from cartrita.adapters.speech import speech_texts
from cartrita.adapters.speech.openai_server import (
    OPENAI,
    ModelService,
    Task,
    usual_model,
)
from cartrita.adapters.speech.texts_in_turn import TextsInTurn
from cartrita.dialects.openai_audio import speech_requests
from cartrita.dialects.openai_audio.speech_requests import SpeechForm
from cartrita.domain.errors import NotOffered, UpstreamMalformed
from cartrita.domain.speech import AudioFormat, SpeechModel, SpeechRequest

SAMPLE_RATE: Final = 24_000
"""Of its PCM, which has one channel."""
LONGEST_TEXT: Final = 4096
"""In characters; OpenAI refuses a longer one."""
USUAL_FORMAT: Final = AudioFormat.MP3
_PATH: Final = "/audio/speech"
_VOICE: Final = "alloy"
_VOICES: Final = (
    _VOICE, "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse",
    "marin", "cedar",
)  # fmt: skip
_MODELS: Final = tuple(
    SpeechModel(name=name, live=True, label=label, voices=_VOICES, formats=tuple(AudioFormat))
    for name, label in (
        ("gpt-4o-mini-tts", "follows instructions"),
        ("tts-1", "the quickest"),
        ("tts-1-hd", "of higher quality"),
    )
)
_JSON: Final = "application/json"
_JOINABLE: Final = frozenset({AudioFormat.MP3, AudioFormat.OPUS, AudioFormat.AAC, AudioFormat.PCM})
"""Of these one may follow the other: the rest tell at their beginning how long they are."""
_OLDER: Final = "tts-1"
"""What the models are called that take no instructions."""


def sample_rate(audio: AudioFormat) -> int | None:
    """The rate of what does not tell it itself."""
    return SAMPLE_RATE if audio is AudioFormat.PCM else None


class OpenAISynthesizer(ModelService):
    """Implements `SpeechSynthesizer`; speech may pause for `patience` seconds at any point.

    A text that is too long for one request is spoken by several.
    """

    @property
    def models(self) -> tuple[SpeechModel, ...]:
        """See `SpeechSynthesizer.models`: OpenAI's, or the one found at another server."""
        if self.name == OPENAI:
            return _MODELS
        found = self._known.models.get(Task.SPEECH)
        return () if found is None else (SpeechModel(name=found, formats=tuple(AudioFormat)),)

    def may_know(self, voice: str) -> bool:
        """See `SpeechSynthesizer.may_know`: at OpenAI it is one that somebody made."""
        return self.name != OPENAI or speech_requests.is_own_voice(voice)

    @asynccontextmanager
    async def speak(self, request: SpeechRequest) -> AsyncGenerator["AnsweredSpeech"]:
        """See `SpeechSynthesizer.speak`; the first bytes are there."""
        model = request.model or await usual_model(self._server, self._known, Task.SPEECH)
        form = _form(request, model)
        texts = speech_texts.parts(request.text, LONGEST_TEXT)
        if len(texts) > 1 and form.response_format not in _JOINABLE:
            raise _too_long(self.name, form.response_format)
        async with (
            self._spoken(form, texts[0]) as response,
            aclosing(self._pieces(form, texts, response)) as arriving,
        ):
            speech = AnsweredSpeech(form.response_format, arriving)
            await speech.begin(self.name)
            yield speech

    @asynccontextmanager
    async def converse(self, request: SpeechRequest) -> AsyncGenerator[TextsInTurn]:
        """See `SpeechSynthesizer.converse`; each text is a request of its own."""
        audio = request.format or USUAL_FORMAT

        def speak(text: str) -> AbstractAsyncContextManager[AnsweredSpeech]:
            return self.speak(msgspec.structs.replace(request, text=text, format=audio))

        yield TextsInTurn(speak, audio, sample_rate(audio))

    async def _pieces(
        self, form: SpeechForm, texts: Sequence[str], first: HttpResponse
    ) -> AsyncGenerator[bytes]:
        while piece := await first.read():
            yield piece
        for text in texts[1:]:
            async with self._spoken(form, text) as response:
                while piece := await response.read():
                    yield piece

    @asynccontextmanager
    async def _spoken(self, form: SpeechForm, text: str) -> AsyncGenerator[HttpResponse]:
        body = speech_requests.render(msgspec.structs.replace(form, input=text))
        async with self.answered(_PATH, body, _JSON) as response:
            if "json" in response.headers.get("content-type", "").lower():
                raise _malformed(self.name, "JSON")
            yield response


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

    async def pieces(self) -> AsyncGenerator[bytes]:
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


def _too_long(name: str, audio: AudioFormat) -> NotOffered:
    return NotOffered.of(
        "format",
        f"{name} speaks {LONGEST_TEXT:,} characters at once, and {audio} cannot be put "
        "together; send a shorter text, or ask for mp3, opus, aac or pcm",
    )


def _malformed(provider: str, what: str) -> UpstreamMalformed:
    return UpstreamMalformed(f"{provider} sent {what} instead of speech.", provider=provider)
