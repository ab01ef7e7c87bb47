"""Speeches: texts that are spoken, by the first engine that can."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from cartrita.application.voice.engines import Engine, Engines, first_able
from cartrita.application.voice.fitting import fitted
from cartrita.domain.errors import InvalidInput, UpstreamMalformed
from cartrita.domain.ledger import ServiceUse
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.domain.speech import LONGEST_SPEECH, AudioFormat, SpeechRequest
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
        others = () if synthesizer else self.engines.services
        async with AsyncExitStack() as stack:

            async def begun(engine: Engine[SpeechSynthesizer]) -> BegunSpeech:
                asked = fitted(engine, request, others)
                return await stack.enter_async_context(self._begun(principal, engine, asked))

            yield await first_able(engines, begun)

    @asynccontextmanager
    async def _begun(
        self, principal: Principal, engine: Engine[SpeechSynthesizer], request: SpeechRequest
    ) -> AsyncGenerator[BegunSpeech]:
        @asynccontextmanager
        async def opened(service: SpeechSynthesizer) -> AsyncGenerator[BegunSpeech]:
            async with service.speak(request) as speech:
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


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _require_text(request: SpeechRequest) -> None:
    if not request.text.strip():
        raise InvalidInput.of("text", "say what is to be spoken")
    if len(request.text) > LONGEST_SPEECH:
        raise InvalidInput.of("text", f"use at most {LONGEST_SPEECH:,} characters")
