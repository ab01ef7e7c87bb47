"""Deepgram: writes down what is said, in recordings and live, and speaks.

Over plain HTTP and WebSockets. Source: developers.deepgram.com, and the SDK deepgram-sdk 7.17.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Self

import msgspec

from cartrita.adapters.http.bodies import whole_body
from cartrita.adapters.speech.deepgram_errors import NAME as NAME
from cartrita.adapters.speech.deepgram_errors import in_other_words
from cartrita.adapters.speech.deepgram_listening import DeepgramListening
from cartrita.adapters.speech.deepgram_options import (
    hearing_options,
    live_query,
    may_be_voice,
    recording_query,
    voice_query,
)
from cartrita.adapters.speech.deepgram_results import transcript_of
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.adapters.speech.deepgram_socket import DeepgramSocket
from cartrita.adapters.speech.deepgram_speech import DeepgramSpeech, opened_speech
from cartrita.adapters.speech.deepgram_talk import TALK_QUERY, DeepgramTalk
from cartrita.adapters.speech.deepgram_voices import FAMILY, VOICES
from cartrita.adapters.speech.texts_in_turn import TextsInTurn
from cartrita.domain.ports.speech import Listening, Speaking
from cartrita.domain.speech import (
    AudioFormat,
    PcmFormat,
    Recording,
    SpeechModel,
    SpeechRequest,
    Transcript,
    TranscriptionOptions,
)
from cartrita.kit.secret import Secret

KEY_PREFIXES: Final = ()
"""Its keys are hexadecimal digits: of no shape that tells whose they are."""
_MODELS: Final = ("nova-3", "nova-2")


class _Keyed:
    """What both have of a `Service`."""

    name = NAME
    needs_key = True

    def __init__(self, service: DeepgramService) -> None:
        self._service = service

    @property
    def has_key(self) -> bool:
        """See `Service.has_key`."""
        return bool(self._service.key)

    def with_key(self, key: Secret) -> Self:
        """See `Service.with_key`."""
        return type(self)(msgspec.structs.replace(self._service, key=key))

    async def test_key(self) -> None:
        """See `Service.test_key`; costs nothing."""
        async with self._service.response("GET", "/v1/projects") as response:
            await whole_body(response)


class DeepgramTranscriber(_Keyed):
    """Writes down what is said; implements `Transcriber`."""

    @property
    def models(self) -> tuple[SpeechModel, ...]:
        """See `Transcriber.models`."""
        names = dict.fromkeys((self._service.model, *_MODELS))
        return tuple(SpeechModel(name=name, live=True) for name in names)

    def translates(self, model: str | None) -> bool:
        """See `Transcriber.translates`."""
        return False

    async def transcribe(self, recording: Recording, options: TranscriptionOptions) -> Transcript:
        """See `Transcriber.transcribe`."""
        service = self._service
        hearing = hearing_options(service, options)
        with in_other_words(options):
            async with service.response(
                "POST",
                "/v1/listen",
                recording_query(hearing),
                body=recording.data,
                content_type=recording.media_type,
                patience=service.timeout,
            ) as response:
                body = await whole_body(response)
        return transcript_of(body, hearing.model, hearing.language)

    @asynccontextmanager
    async def listen(
        self, audio: PcmFormat, options: TranscriptionOptions
    ) -> AsyncGenerator[Listening]:
        """See `Transcriber.listen`."""
        service = self._service
        hearing = hearing_options(service, options)
        query = live_query(service, hearing, audio)
        with in_other_words(options):
            async with service.socket("/v1/listen", query) as socket:
                own = DeepgramSocket(service, socket)
                yield DeepgramListening(service, own, audio, hearing.language)


class DeepgramSynthesizer(_Keyed):
    """Speaks; implements `SpeechSynthesizer`."""

    @property
    def models(self) -> tuple[SpeechModel, ...]:
        """See `SpeechSynthesizer.models`."""
        voices = tuple(dict.fromkeys((self._service.voice, *VOICES)))
        return (SpeechModel(name=FAMILY, live=True, voices=voices, formats=tuple(AudioFormat)),)

    def may_know(self, voice: str) -> bool:
        """See `SpeechSynthesizer.may_know`: there may be newer ones of such a name."""
        return may_be_voice(voice)

    def speak(self, request: SpeechRequest) -> AbstractAsyncContextManager[DeepgramSpeech]:
        """See `SpeechSynthesizer.speak`."""
        return opened_speech(self._service, request)

    @asynccontextmanager
    async def converse(self, request: SpeechRequest) -> AsyncGenerator[Speaking]:
        """See `SpeechSynthesizer.converse`; as samples, if no format is asked for."""
        service = self._service
        query = (*voice_query(service, request), *TALK_QUERY)
        if request.format is not None and request.format is not AudioFormat.PCM:
            yield TextsInTurn(self._speech_of(request), request.format, None)
            return
        async with service.socket("/v1/speak", query) as socket:
            yield DeepgramTalk(service, DeepgramSocket(service, socket))

    def _speech_of(
        self, request: SpeechRequest
    ) -> Callable[[str], AbstractAsyncContextManager[DeepgramSpeech]]:
        def speak(text: str) -> AbstractAsyncContextManager[DeepgramSpeech]:
            return self.speak(msgspec.structs.replace(request, text=text))

        return speak
