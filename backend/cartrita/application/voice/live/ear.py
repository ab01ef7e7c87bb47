"""An ear: one transcriber after the other hears what is said, from `start` to `stop`."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final, Protocol

from cartrita.application.voice.engines import Engine, after, log_failure, may_pass_over
from cartrita.application.voice.live.audio_inbox import Arrival, AudioInbox, Mark
from cartrita.application.voice.live.options import LiveBounds, LiveOptions
from cartrita.application.voice.live.two_ways import both_ways
from cartrita.domain.errors import CartritaError, DeadlineExceeded, UpstreamCut
from cartrita.domain.ledger import ServiceUse
from cartrita.domain.ports.speech import Listening, Transcriber
from cartrita.domain.principals import Principal
from cartrita.domain.speech import Heard, ListeningEvent, TranscriptionOptions
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import LISTENING, MeteredRequest

_FINISH_S: Final = 10.0
"""How long a transcriber may take for its last words once there is no more audio."""


class Attention(Protocol):
    """Who is told what an ear hears."""

    async def hears_with(self, engine: Engine[Transcriber]) -> None:
        """It is open, and hears."""
        ...

    async def heard(self, event: ListeningEvent) -> None:
        """Something was heard."""
        ...

    async def ends_turn(self, *, words_to_come: bool) -> None:
        """The client has ended the turn; the transcriber was asked for its final words, if any."""
        ...

    @property
    def attends(self) -> bool:
        """Whether nobody is expected to speak now."""
        ...


class Ear:
    """Hears with the first transcriber that can, until the inbox ends or `run` is cancelled.

    Another one takes the place of one that fails, and hears again what has no final words yet.
    """

    def __init__(
        self,
        calls: ServiceCalls,
        principal: Principal,
        options: LiveOptions,
        bounds: LiveBounds,
        attention: Attention,
    ) -> None:
        self._calls = calls
        self._principal = principal
        self._options = options
        self._bounds = bounds
        self._attention = attention
        self._quiet_s = 0.0
        self._began_s = 0.0
        self._ended = False
        self._sent_in_turn = False
        self.inbox = AudioInbox(options.audio, bounds.audio_wait_s, bounds.audio_kept_s)

    async def run(self, engines: Sequence[Engine[Transcriber]]) -> None:
        """Hear to the end. Raises CartritaError."""
        while True:
            if len(engines) == 1:
                self.inbox.forget()
            try:
                return await self._hear(engines[0])
            except CartritaError as error:
                if error.callers_own or not may_pass_over(error):
                    raise
                log_failure(engines[0], error)
                engines = after(engines, error)
                if not engines:
                    raise
                self._began_s = self.inbox.give_back()

    async def _hear(self, engine: Engine[Transcriber]) -> None:
        self._ended = False
        self._sent_in_turn = False
        asked = TranscriptionOptions(model=engine.model, language=self._options.language)
        opening = self._calls.open(
            self._principal,
            engine.service,
            lambda service: service.listen(self._options.audio, asked),
            operation=LISTENING,
            model=engine.model_name,
            stretch=ServiceUse(audio_seconds=self._bounds.metered_s),
        )
        async with opening as (listening, metered):
            await self._attention.hears_with(engine)
            await both_ways(self._send(listening, metered, engine), self._take(listening, metered))
            if not self._ended:
                raise UpstreamCut(
                    f"{engine.service.name} stopped listening.", provider=engine.service.name
                )

    async def _send(
        self, listening: Listening, metered: MeteredRequest, engine: Engine[Transcriber]
    ) -> None:
        """Send what arrives until the end, and give the transcriber the time for its last words."""
        while (arrival := await self._next()) is not Mark.END:
            if isinstance(arrival, Mark):
                await self._end_utterance(listening, arrival)
            else:
                await self._send_audio(listening, metered, arrival)
        self._ended = True
        await listening.finish()
        await asyncio.sleep(_FINISH_S)
        raise UpstreamCut(
            f"{engine.service.name} did not tell the last words in time: start again.",
            provider=engine.service.name,
            code="upstream_timeout",
        )

    async def _end_utterance(self, listening: Listening, mark: Mark) -> None:
        """Ask for the words of what was sent since the last time; of nothing there are none."""
        words_to_come, self._sent_in_turn = self._sent_in_turn, False
        if words_to_come:
            await listening.end_utterance()
        if mark is Mark.END_OF_TURN:
            await self._attention.ends_turn(words_to_come=words_to_come)

    async def _next(self) -> Arrival:
        try:
            async with asyncio.timeout(self._bounds.audio_idle_s):
                return await self.inbox.take()
        except TimeoutError:
            raise DeadlineExceeded(
                "No audio came for too long, so that nothing is listened to: start again.",
                code="audio_idle",
            ) from None

    async def _send_audio(self, listening: Listening, metered: MeteredRequest, pcm: bytes) -> None:
        seconds = self._options.audio.seconds(len(pcm))
        await metered.cover(ServiceUse(audio_seconds=seconds))
        await listening.send(pcm)
        self._sent_in_turn = True
        self._quiet_s = 0.0 if self._attention.attends else self._quiet_s + seconds
        if self._quiet_s > self._bounds.silence_s:
            raise DeadlineExceeded(
                "Nobody has spoken for too long, so that nothing is listened to: start again.",
                code="silence",
            )

    async def _take(self, listening: Listening, metered: MeteredRequest) -> None:
        async with aclosing(listening.events()) as events:
            async for event in events:
                later = event.later(self._began_s) if self._began_s else event
                if isinstance(later, Heard):
                    self._note(later, metered)
                await self._attention.heard(later)

    def _note(self, heard: Heard, metered: MeteredRequest) -> None:
        if heard.text.strip():
            self._quiet_s = 0.0
        if heard.final:
            metered.got(heard.text)
            self.inbox.forget_until(heard.start + heard.duration)
