"""Ports of speech: what writes down what is said, and what speaks."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from cartrita.domain.ports.services import Service
from cartrita.domain.speech import (
    AudioFormat,
    ListeningEvent,
    PcmFormat,
    Recording,
    SpeechModel,
    SpeechRequest,
    SpokenText,
    Transcript,
    TranscriptionOptions,
)


class RecordingReader(Protocol):
    """Finds out what a recording is, and decodes it. See `domain.recordings` for its errors."""

    async def read(self, data: bytes, name: str) -> Recording:
        """What these bytes are, whatever their sender calls them; `name` is a file's.

        Raises InvalidInput, UnsupportedMedia, TooLarge and Busy.
        """
        ...

    def decoded(self, recording: Recording, audio: PcmFormat) -> AsyncGenerator[bytes]:
        """Its samples in this format, as they are decoded. Raises what `read` raises."""
        ...


class SpeechEncoder(Protocol):
    """Encodes speech that was made as samples."""

    @property
    def formats(self) -> frozenset[AudioFormat]:
        """Those that it can make here: always `pcm` and `wav`."""
        ...

    def encoded(
        self,
        samples: AsyncIterator[bytes],
        audio: PcmFormat,
        target: AudioFormat,
        owner_id: str | None,
    ) -> AbstractAsyncContextManager[AsyncGenerator[bytes]]:
        """The same sound in a format, as it is made, for this owner, if it is anybody's.

        Raises Unavailable and Busy.
        """
        ...


class Listening(Protocol):
    """Live transcription of audio that is still being recorded."""

    async def send(self, pcm: bytes) -> None:
        """More audio; waits while the transcriber is behind. Raises UpstreamError."""
        ...

    async def end_utterance(self) -> None:
        """What was said so far is complete: its final words are wanted now.

        The last of them is told as `asked`, or that there are no more.
        """
        ...

    async def finish(self) -> None:
        """There is no more audio: the events end after the final words."""
        ...

    def events(self) -> AsyncGenerator[ListeningEvent]:
        """What is heard, as it is heard. Raises UpstreamError."""
        ...


class Transcriber(Service, Protocol):
    """Writes down what is said. Raises NotOffered for what it cannot do and another may."""

    @property
    def models(self) -> tuple[SpeechModel, ...]:
        """Those that it has, the preferred first; it may take others by name."""
        ...

    def translates(self, model: str | None) -> bool:
        """Whether it can write down in English what is said in another language, with this model.

        None is its usual one.
        """
        ...

    async def transcribe(self, recording: Recording, options: TranscriptionOptions) -> Transcript:
        """What is said in a recording. Raises UpstreamError, UnsupportedMedia and InvalidInput."""
        ...

    def listen(
        self, audio: PcmFormat, options: TranscriptionOptions
    ) -> AbstractAsyncContextManager[Listening]:
        """Listen to audio of this format until the context is left. Raises UpstreamError."""
        ...


class Speech(Protocol):
    """Speech that is being made; `sample_rate` is None for formats that tell it themselves."""

    format: AudioFormat
    sample_rate: int | None

    def pieces(self) -> AsyncGenerator[bytes]:
        """Its audio, as it is made. Raises UpstreamError."""
        ...


class Speaking(Protocol):
    """Texts that are spoken one after the other, in one voice, as they come."""

    format: AudioFormat
    sample_rate: int | None

    async def say(self, text: str) -> None:
        """Speak this after what is being spoken."""
        ...

    async def clear(self) -> None:
        """Be silent: what was not spoken yet is dropped, and no audio of it comes any more."""
        ...

    async def finish(self) -> None:
        """There is no more text: the pieces end after what there is."""
        ...

    def pieces(self) -> AsyncGenerator[bytes | SpokenText]:
        """Audio, and after that of each text how many were spoken. Raises UpstreamError."""
        ...


class SpeechSynthesizer(Service, Protocol):
    """Speaks texts. `speak` and `converse` raise UpstreamError, InvalidInput and Unavailable.

    They raise NotOffered for what it cannot do and another may.
    """

    @property
    def models(self) -> tuple[SpeechModel, ...]:
        """Those that it has, the preferred first; it may take others by name."""
        ...

    def may_know(self, voice: str) -> bool:
        """Whether it may have a voice that its models do not tell."""
        ...

    def speak(self, request: SpeechRequest) -> AbstractAsyncContextManager[Speech]:
        """Speak one text. Leaving the context ends it."""
        ...

    def converse(self, request: SpeechRequest) -> AbstractAsyncContextManager[Speaking]:
        """Speak texts as they come, in the voice and format of a request without a text."""
        ...
