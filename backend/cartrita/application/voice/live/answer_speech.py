"""The speech of one answer while it is being written, which can be stopped."""

from collections.abc import Sequence

import structlog

from cartrita.application.voice.engines import Engine
from cartrita.application.voice.live.answer_text import AnswerText
from cartrita.application.voice.live.live_events import (
    AnswerSpoken,
    LiveClient,
    LiveEvent,
    LiveFailure,
    SpeechEnd,
    SpeechStopped,
)
from cartrita.application.voice.live.sentence_speaker import SentenceSpeaker
from cartrita.application.voice.live.two_ways import both_ways
from cartrita.domain.errors import BudgetExhausted, CartritaError
from cartrita.domain.events import StopStatus
from cartrita.domain.ids import RunId
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.kit.cuts import CuttableWork

log = structlog.get_logger(__name__)


class _Silenced(Exception):
    """Somebody had it stop."""


class AnswerSpeech:
    """Tells the client how it ends: spoken, or stopped and why."""

    def __init__(
        self, run_id: RunId, text: AnswerText, speaker: SentenceSpeaker, client: LiveClient
    ) -> None:
        self.run_id = run_id
        self._text = text
        self._speaker = speaker
        self._client = client
        self._reason: SpeechEnd | None = None
        self._silenced = CuttableWork(_Silenced)
        self._running = False
        self._end_told = False

    @property
    def audible(self) -> bool:
        """Whether it is heard now."""
        return self._running and self._reason is None and self._speaker.heard

    def stop(self, reason: SpeechEnd) -> None:
        """Speak no more; `tell_stop` tells it."""
        self._reason = self._reason or reason
        if self._running:
            self._silenced.cut()

    async def tell_stop(self) -> None:
        """Tell that it was stopped, although what speaks may take long to be closed."""
        await self._tell_stop(self._reason or SpeechEnd.ASKED)

    async def run(self, engines: Sequence[Engine[SpeechSynthesizer]]) -> None:
        """Speak to the end."""
        try:
            await self._speak(engines)
        except _Silenced:
            await self.tell_stop()
        except CartritaError as error:
            if error.code != "draining":  # then the whole socket ends, and the speech is resumed
                await self._fail(error)
        except Exception:
            log.exception("speech_failed")
            await self._fail(CartritaError("Something broke on our side: ask to hear it again."))
        else:
            await self._tell_end()

    async def _speak(self, engines: Sequence[Engine[SpeechSynthesizer]]) -> None:
        if self._reason is not None:
            raise _Silenced
        with self._silenced:
            self._running = True
            try:
                await both_ways(self._read(), self._speaker.speak(self.run_id, self._text, engines))
            finally:
                self._running = False

    async def _read(self) -> None:
        await self._text.read()
        if self._text.stopped is StopStatus.CANCELLED:
            self.stop(SpeechEnd.CANCELLED)

    async def _tell_end(self) -> None:
        match self._text.stopped:
            case None:
                await self._tell_last(AnswerSpoken(self.run_id))
            case _:
                await self._tell_stop(SpeechEnd.FAILED)

    async def _tell_stop(self, reason: SpeechEnd) -> None:
        await self._tell_last(SpeechStopped(self.run_id, reason, self._speaker.next))

    async def _tell_last(self, event: LiveEvent) -> None:
        """Tell how it ended, once."""
        if not self._end_told:
            self._end_told = True
            await self._client.tell(event)

    async def _fail(self, error: CartritaError) -> None:
        used_up = isinstance(error, BudgetExhausted)
        await self._tell_stop(SpeechEnd.BUDGET_EXHAUSTED if used_up else SpeechEnd.FAILED)
        await self._client.tell(LiveFailure(error, self.run_id))
