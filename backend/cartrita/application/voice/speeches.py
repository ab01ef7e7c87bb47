"""Speeches: texts that are spoken, by the first engine that can."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from msgspec.structs import replace

from cartrita.application.voice.engines import Engine, Engines, first_able
from cartrita.domain.errors import InvalidInput, NotOffered, UpstreamMalformed
from cartrita.domain.ledger import ServiceUse
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.domain.speech import LONGEST_SPEECH, AudioFormat, SpeechModel, SpeechRequest
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import SPEECH


class BegunSpeech(NamedTuple):
    """Speech whose first audio is there; `sample_rate` as in `Speech`, `engine` as it is named."""

    format: AudioFormat
    sample_rate: int | None
    engine: str
    pieces: AsyncIterator[bytes]


class Speeches:
    """Speaks for callers."""

    def __init__(self, engines: Engines[SpeechSynthesizer], calls: ServiceCalls) -> None:
        self.engines = engines
        self._calls = calls

    @asynccontextmanager
    async def speak(
        self, principal: Principal, request: SpeechRequest, synthesizer: str | None = None
    ) -> AsyncGenerator[BegunSpeech]:
        """Speech from its first audio on: no engine is tried after that.

        `synthesizer` is the one that the caller names, as `provider` or `provider/model`. If it
        names none, an engine speaks in its usual voice instead of one of another's. Raises
        InvalidInput, and what `Engines.of` and `ServiceCalls.open` raise; the pieces raise
        UpstreamError.
        """
        principal.scopes.require_operation(Operation.VOICE)
        _require_text(request)
        engines = await self.engines.of(principal, synthesizer)
        async with AsyncExitStack() as stack:

            async def begun(engine: Engine[SpeechSynthesizer]) -> BegunSpeech:
                asked = request if synthesizer else self._voiced(engine, request)
                return await stack.enter_async_context(self._begun(principal, engine, asked))

            yield await first_able(engines, begun)

    def _voiced(self, engine: Engine[SpeechSynthesizer], request: SpeechRequest) -> SpeechRequest:
        """The request without a voice that only others have."""
        own = _voices(engine.service)
        if request.voice is None or not own or request.voice in own:
            return request
        known = any(request.voice in _voices(one) for one in self.engines.services)
        return replace(request, voice=None) if known else request

    @asynccontextmanager
    async def _begun(
        self, principal: Principal, engine: Engine[SpeechSynthesizer], request: SpeechRequest
    ) -> AsyncGenerator[BegunSpeech]:
        chosen = _fitted(engine, request)

        @asynccontextmanager
        async def opened(service: SpeechSynthesizer) -> AsyncGenerator[BegunSpeech]:
            async with service.speak(chosen) as speech:
                pieces = aiter(speech.pieces())
                first = await anext(pieces, b"")
                if not first:
                    raise UpstreamMalformed(
                        f"{service.name} has spoken nothing.", provider=service.name
                    )
                yield BegunSpeech(
                    speech.format, speech.sample_rate, engine.label, _joined(first, pieces)
                )

        use = ServiceUse(characters=len(request.text))
        async with self._calls.open(
            principal, engine.service, opened, operation=SPEECH, expected=use
        ) as (speech, asked):
            asked.use(use)
            yield speech


def _voices(service: SpeechSynthesizer) -> frozenset[str]:
    return frozenset(voice for one in service.models for voice in one.voices)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _require_text(request: SpeechRequest) -> None:
    if not request.text.strip():
        raise InvalidInput.of("text", "say what is to be spoken")
    if len(request.text) > LONGEST_SPEECH:
        raise InvalidInput.of("text", f"use at most {LONGEST_SPEECH:,} characters")


def _fitted(engine: Engine[SpeechSynthesizer], request: SpeechRequest) -> SpeechRequest:
    """The request as this engine can serve it. Raises NotOffered."""
    model = engine.model or request.model
    offered = engine.offered
    if offered is None:
        return replace(request, model=model)
    return replace(request, model=model, format=_format(engine.label, offered, request.format))


def _format(label: str, offered: SpeechModel, wanted: AudioFormat | None) -> AudioFormat | None:
    """What is asked for, or mp3, or else wav. Raises NotOffered."""
    formats = offered.formats
    if wanted is None:
        return AudioFormat.MP3 if not formats or AudioFormat.MP3 in formats else AudioFormat.WAV
    if formats and wanted not in formats:
        raise NotOffered.of("format", f"{label} speaks in {', '.join(formats)} only")
    return wanted
