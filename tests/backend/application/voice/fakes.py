"""Engines that hear and say what a test says, and calls of them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self

from tests.backend.fake_services import FakeService

from cartrita.domain.errors import UpstreamError
from cartrita.domain.ports.speech import Listening, Speaking, Speech
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


class FakeTranscriber(FakeService):
    """Hears its own name and model for two seconds."""

    models: tuple[SpeechModel, ...] = ()
    translating: bool = True

    def with_key(self, key: Secret) -> Self:
        other = super().with_key(key)
        other.models, other.translating = self.models, self.translating
        return other

    def translates(self, model: str | None) -> bool:
        return self.translating

    async def transcribe(self, recording: Recording, options: TranscriptionOptions) -> Transcript:
        await self.call()
        model = options.model or "usual"
        return Transcript(
            text=f"{self.name} {model}", duration=2.0, provider=self.name, model=model
        )

    def listen(
        self, audio: PcmFormat, options: TranscriptionOptions
    ) -> AbstractAsyncContextManager[Listening]:
        raise NotImplementedError


class FakeSpeech:
    """Speech of these pieces, after which it fails as told; `ends` tells each of its ends."""

    def __init__(
        self, format_: AudioFormat, said: Sequence[bytes | UpstreamError], ends: list[bool]
    ) -> None:
        self.format = format_
        self.sample_rate: int | None = None
        self._said = said
        self._ends = ends

    async def pieces(self) -> AsyncGenerator[bytes]:
        try:
            for one in self._said:
                if isinstance(one, UpstreamError):
                    raise one
                yield one
        finally:
            self._ends.append(True)


class FakeSynthesizer(FakeTranscriber):
    """Says its own name; `said` instead, if there is any. `requests` are those that came."""

    said: Sequence[bytes | UpstreamError] = ()
    unlisted: Sequence[str] = ()
    requests: list[SpeechRequest]
    ends: list[bool]

    def __init__(self, name: str, key: str = "", *, needs_key: bool = False) -> None:
        super().__init__(name, key, needs_key=needs_key)
        self.requests = []
        self.ends = []

    def with_key(self, key: Secret) -> Self:
        other = super().with_key(key)
        other.said, other.requests, other.ends = self.said, self.requests, self.ends
        return other

    def may_know(self, voice: str) -> bool:
        return voice in self.unlisted

    @asynccontextmanager
    async def speak(self, request: SpeechRequest) -> AsyncGenerator[Speech]:
        await self.call()
        self.requests.append(request)
        said = self.said or [self.name.encode()]
        yield FakeSpeech(request.format or AudioFormat.MP3, said, self.ends)

    def converse(self, request: SpeechRequest) -> AbstractAsyncContextManager[Speaking]:
        raise NotImplementedError


class FakeReader:
    """Takes all bytes for a recording of two seconds, and none for silence."""

    async def read(self, data: bytes, name: str) -> Recording:
        return Recording(data=data, media_type="audio/wav", duration=2.0, silent=not data)

    async def decoded(self, recording: Recording, audio: PcmFormat) -> AsyncGenerator[bytes]:
        yield recording.data
