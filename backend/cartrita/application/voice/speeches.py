"""Speeches: texts that are spoken, by the first engine that can."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from time import monotonic
from typing import NamedTuple

from msgspec.structs import replace

from cartrita.application.voice.engines import Engine, Engines, first_able
from cartrita.application.voice.fitting import fitted, require_fitting
from cartrita.application.voice.takers import Patience, not_taken, taken
from cartrita.domain.errors import InvalidInput, UpstreamMalformed
from cartrita.domain.ledger import ServiceUse
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.domain.speech import LONGEST_SPEECH, AudioFormat, SpeechRequest
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import SPEECH
from cartrita.kit.cuts import CuttableWork


class BegunSpeech(NamedTuple):
    """Speech whose first audio is there; `sample_rate` as in `Speech`, `engine` as it is named."""

    format: AudioFormat
    sample_rate: int | None
    engine: str
    pieces: AsyncGenerator[bytes]


class Speeches:
    """Speaks for callers, who take what is spoken in a time that has bounds."""

    def __init__(
        self,
        engines: Engines[SpeechSynthesizer],
        calls: ServiceCalls,
        patience: Patience,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.engines = engines
        self._calls = calls
        self._patience = patience
        self._clock = clock

    @asynccontextmanager
    async def speak(
        self, principal: Principal, request: SpeechRequest, synthesizer: str | None = None
    ) -> AsyncGenerator[BegunSpeech]:
        """Speech from its first audio on: no engine is tried after that.

        `synthesizer` is the one that the caller names, as `provider` or `provider/model`. If it
        names none, an engine speaks in its usual voice instead of one of another's. Raises
        InvalidInput, and what `Engines.of` and `ServiceCalls.open` raise; the pieces raise
        UpstreamError. Where they are not taken the body is cut, and DeadlineExceeded raised.
        """
        principal.scopes.require_operation(Operation.VOICE)
        _require_text(request)
        request = replace(request, owner_id=principal.owner_id)
        engines = await self.engines.of(principal, synthesizer)
        others = () if synthesizer else self.engines.services
        work = CuttableWork(not_taken)
        with work:
            async with AsyncExitStack() as stack:

                async def begun(engine: Engine[SpeechSynthesizer]) -> BegunSpeech:
                    asked = fitted(engine, request, others)
                    return await stack.enter_async_context(self._begun(principal, engine, asked))

                speech = await first_able(engines, begun)
                limits = (self._patience.piece_s, self._patience.whole_s(request))
                pieces = taken(speech.pieces, *limits, work.cut, self._clock)
                yield speech._replace(pieces=await stack.enter_async_context(aclosing(pieces)))

    async def require(
        self, principal: Principal, request: SpeechRequest, synthesizer: str | None = None
    ) -> None:
        """Raise what `speak` would raise for any text, without asking an engine.

        It is what cannot be: no engine at all, or of this name, or with such a voice or format.
        """
        principal.scopes.require_operation(Operation.VOICE)
        engines = await self.engines.of(principal, synthesizer)
        require_fitting(engines, request, () if synthesizer else self.engines.services)

    @asynccontextmanager
    async def _begun(
        self, principal: Principal, engine: Engine[SpeechSynthesizer], request: SpeechRequest
    ) -> AsyncGenerator[BegunSpeech]:
        @asynccontextmanager
        async def opened(service: SpeechSynthesizer) -> AsyncGenerator[BegunSpeech]:
            async with (
                service.speak(request) as speech,
                aclosing(speech.pieces()) as pieces,
                aclosing(_joined(await _first(service.name, pieces), pieces)) as whole,
            ):
                yield BegunSpeech(speech.format, speech.sample_rate, engine.label, whole)

        use = ServiceUse(characters=len(request.text))
        async with self._calls.open(
            principal,
            engine.service,
            opened,
            operation=SPEECH,
            model=request.model or engine.model_name,
            text=request.text,
            expected=use,
        ) as (speech, asked):
            asked.use(use)
            yield speech


async def _first(name: str, pieces: AsyncGenerator[bytes]) -> bytes:
    """The first piece. Raises UpstreamMalformed if there is none."""
    first = await anext(pieces, b"")
    if not first:
        raise UpstreamMalformed(f"{name} has spoken nothing.", provider=name)
    return first


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _require_text(request: SpeechRequest) -> None:
    if not request.text.strip():
        raise InvalidInput.of("text", "say what is to be spoken")
    if len(request.text) > LONGEST_SPEECH:
        raise InvalidInput.of("text", f"use at most {LONGEST_SPEECH:,} characters")
