"""Transcribes and speaks with any server that has OpenAI's audio API.

Source: https://platform.openai.com/docs/api-reference/audio. Servers like it (Groq, Ollama, those
of whisper.cpp and faster-whisper) have parts of it: what one of them refuses is not asked again.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec

from cartrita.adapters.speech.openai_server import KnownOfServer, ModelServer, Task, usual_model
from cartrita.adapters.speech.openai_speech import (
    USUAL_FORMAT,
    AnsweredSpeech,
    OpenAISpeech,
    sample_rate,
)
from cartrita.adapters.speech.openai_transcriptions import OpenAITranscriptions
from cartrita.adapters.speech.texts_in_turn import TextsInTurn
from cartrita.domain.speech import (
    Recording,
    SpeechRequest,
    Transcript,
    TranscriptionOptions,
)
from cartrita.kit.secret import Secret


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds a transcript may take, and how long speech may pause at any point."""

    transcription: float = 300.0
    speech: float = 60.0


class OpenAIAudio:
    """One such server; implements `Transcriber` and `SpeechSynthesizer`."""

    def __init__(
        self,
        server: ModelServer,
        patience: Patience | None = None,
        known: KnownOfServer | None = None,
    ) -> None:
        self._server = server
        self._patience = patience or Patience()
        self._known = known or KnownOfServer()
        self._transcriptions = OpenAITranscriptions(
            server, self._known, self._patience.transcription
        )
        self._speech = OpenAISpeech(server, self._patience.speech)

    @property
    def name(self) -> str:
        """See `Service.name`: that of the provider of models at this address."""
        return self._server.name

    @property
    def has_key(self) -> bool:
        """See `Service.has_key`."""
        return self._server.has_key

    @property
    def needs_key(self) -> bool:
        """See `Service.needs_key`."""
        return self._server.needs_key

    def with_key(self, key: Secret) -> "OpenAIAudio":
        """See `Service.with_key`."""
        return OpenAIAudio(self._server.with_key(key), self._patience, self._known)

    async def test_key(self) -> None:
        """See `Service.test_key`; costs nothing."""
        await self._server.model_names()

    async def transcribe(self, recording: Recording, options: TranscriptionOptions) -> Transcript:
        """See `Transcriber.transcribe`."""
        model = options.model or await self._usual(Task.TRANSCRIPTION)
        return await self._transcriptions.transcribe(recording, model, options)

    @asynccontextmanager
    async def speak(self, request: SpeechRequest) -> AsyncGenerator[AnsweredSpeech]:
        """See `SpeechSynthesizer.speak`."""
        model = request.model or await self._usual(Task.SPEECH)
        async with self._speech.speak(request, model) as speech:
            yield speech

    @asynccontextmanager
    async def converse(self, request: SpeechRequest) -> AsyncGenerator[TextsInTurn]:
        """See `SpeechSynthesizer.converse`; each text is a request of its own."""
        audio = request.format or USUAL_FORMAT

        def speak(text: str) -> AbstractAsyncContextManager[AnsweredSpeech]:
            return self.speak(msgspec.structs.replace(request, text=text, format=audio))

        yield TextsInTurn(speak, audio, sample_rate(audio))

    async def _usual(self, task: Task) -> str:
        return await usual_model(self._server, self._known, task)
