"""Speaks the sentences of an answer one after the other, with the first synthesizer that can."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Final

from msgspec.structs import replace

from cartrita.application.voice.engines import Engine, after, log_failure, may_pass_over, telling
from cartrita.application.voice.live.answer_text import AnswerText
from cartrita.application.voice.live.live_events import LiveClient, SentenceBegan, SentenceEnded
from cartrita.application.voice.live.options import LiveBounds
from cartrita.application.voice.live.playback import Playback
from cartrita.domain.errors import BudgetExhausted, CartritaError, UpstreamCut, UpstreamOverloaded
from cartrita.domain.ids import RunId
from cartrita.domain.ledger import ServiceUse
from cartrita.domain.ports.speech import Speaking, SpeechSynthesizer
from cartrita.domain.principals import Principal
from cartrita.domain.speech import AudioFormat, PcmFormat, SpeechRequest, SpokenText
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.gateway.service_metering import SPEECH, MeteredRequest

_CHARACTERS_PER_S: Final = 15.0
"""About as fast as synthesizers speak, where the length of what they make is not known."""
_SAID_AHEAD: Final = 2
"""So many sentences are given to a synthesizer at once: the next is made while one is heard."""


class SentenceSpeaker:
    """Speaks from the sentence `next` on; what was `heard` of it was told to the client.

    `asks` says what is asked of each synthesizer. Another one takes the place of one that fails
    before anything is heard, and one that is cut or overloaded is tried again between two
    sentences. What waits for its turn in `order` is opened already.
    """

    def __init__(
        self,
        calls: ServiceCalls,
        principal: Principal,
        client: LiveClient,
        asks: Callable[[Engine[SpeechSynthesizer]], SpeechRequest],
        playback: Playback,
        order: asyncio.Lock,
        bounds: LiveBounds,
    ) -> None:
        self._calls = calls
        self._principal = principal
        self._client = client
        self._asks = asks
        self._playback = playback
        self._order = order
        self._ahead_s = bounds.ahead_s
        self._stretch = int(bounds.metered_s * _CHARACTERS_PER_S)
        self._opened = False
        self._engine = self._label = ""
        self._in_turn = False
        self._sounding = False
        self._seconds: float | None = None
        self.next = 0
        self.heard = False

    async def speak(
        self, run_id: RunId, text: AnswerText, engines: Sequence[Engine[SpeechSynthesizer]]
    ) -> None:
        """Speak all of it, and wait until it was heard. Raises CartritaError.

        What a budget still paid for was heard too when its end is told: who is told stops playing.
        """
        try:
            try:
                await self._speak_with_any(run_id, text, engines)
            except BudgetExhausted:
                await self._await_turn()
                await asyncio.sleep(self._playback.ahead)
                raise
            await asyncio.sleep(self._playback.ahead)
        finally:
            if self._in_turn:
                self._order.release()

    async def _speak_with_any(
        self, run_id: RunId, text: AnswerText, engines: Sequence[Engine[SpeechSynthesizer]]
    ) -> None:
        left = engines
        failures: list[CartritaError] = []
        tried_again = -1
        while True:
            try:
                return await self._speak_with(left[0], run_id, text)
            except CartritaError as error:
                if self._is_final(left[0], error):
                    raise
                if self._is_passing(error) and tried_again < self.next:
                    tried_again = self.next
                elif self.heard:
                    raise
                else:
                    failures.append(error)
                    left = after(left, error)
                    if not left:
                        raise telling(failures) from None

    def _is_final(self, engine: Engine[SpeechSynthesizer], error: CartritaError) -> bool:
        """Whether nobody goes on after it."""
        if error.callers_own or not may_pass_over(error):
            return True
        log_failure(engine, error)
        return self._sounding

    def _is_passing(self, error: CartritaError) -> bool:
        """Whether the same synthesizer, which had begun, may do better at once."""
        return self._opened and isinstance(error, UpstreamCut | UpstreamOverloaded)

    async def _speak_with(
        self, engine: Engine[SpeechSynthesizer], run_id: RunId, text: AnswerText
    ) -> None:
        self._opened, self._engine, self._label = False, engine.service.name, engine.label
        request = replace(self._asks(engine), owner_id=self._principal.owner_id)
        opening = self._calls.open(
            self._principal,
            engine.service,
            lambda service: service.converse(request),
            operation=SPEECH,
            model=request.model or engine.model_name,
            stretch=ServiceUse(characters=self._stretch),
        )
        async with opening as (speaking, metered):
            self._opened = True
            await self._converse(speaking, metered, run_id, text)
            await speaking.finish()

    async def _converse(
        self, speaking: Speaking, metered: MeteredRequest, run_id: RunId, text: AnswerText
    ) -> None:
        first = said = self.next
        async with aclosing(speaking.pieces()) as pieces:
            while await text.has(self.next):
                await self._await_turn()
                while True:
                    said = await self._say_known(speaking, metered, text, said)
                    piece = await anext(pieces, None)
                    if piece is None:
                        raise UpstreamCut("What speaks fell silent.", provider=self._engine)
                    if isinstance(piece, SpokenText):
                        await self._end_sentences(run_id, text, first + piece.texts)
                        break
                    await self._play(run_id, text.sentences[self.next], speaking, piece)

    async def _say_known(
        self, speaking: Speaking, metered: MeteredRequest, text: AnswerText, said: int
    ) -> int:
        """Say the sentence that is due, and the next if it is known; which one comes after them.

        What is not paid for any more is refused when it is due: what is said already is heard.
        """
        for sentence in text.sentences[said : self.next + _SAID_AHEAD]:
            try:
                await metered.cover(ServiceUse(characters=len(sentence)))
            except BudgetExhausted:
                if said > self.next:
                    break
                raise
            metered.sent(sentence)
            await speaking.say(sentence)
            said += 1
        return said

    async def _play(self, run_id: RunId, text: str, speaking: Speaking, audio: bytes) -> None:
        """Send it when it is nearly due, so that little is lost where somebody interrupts."""
        if not self._sounding:
            await self._begin_sentence(run_id, text, speaking)
        await asyncio.sleep(max(0.0, self._playback.ahead - self._ahead_s))
        await self._client.play(audio)
        if self._seconds is not None:
            seconds = PcmFormat(speaking.sample_rate or 1).seconds(len(audio))
            self._seconds += seconds
            self._playback.add(seconds)

    async def _begin_sentence(self, run_id: RunId, text: str, speaking: Speaking) -> None:
        counted = speaking.format is AudioFormat.PCM and speaking.sample_rate is not None
        self._seconds = 0.0 if counted else None
        self._sounding = self.heard = True
        await self._client.tell(
            SentenceBegan(
                run_id=run_id,
                sentence=self.next,
                text=text,
                format=speaking.format,
                sample_rate=speaking.sample_rate,
                synthesizer=self._label,
            )
        )

    async def _end_sentences(self, run_id: RunId, text: AnswerText, end: int) -> None:
        """All audio of the sentences before this one was sent."""
        for sentence in text.sentences[self.next : end]:
            if self._sounding:
                if self._seconds is None:
                    self._playback.add(len(sentence) / _CHARACTERS_PER_S)
                seconds = None if self._seconds is None else round(self._seconds, 3)
                await self._client.tell(SentenceEnded(run_id, self.next, seconds))
            self._sounding = False
            self.next += 1

    async def _await_turn(self) -> None:
        if not self._in_turn:
            await self._order.acquire()
            self._in_turn = True
