"""The mouth of a live conversation: it speaks one answer after the other, and can be silenced."""

import asyncio
from collections.abc import Callable, Sequence

from cartrita.application.runs.runs import Runs
from cartrita.application.voice.engines import Engine
from cartrita.application.voice.live.answer_speech import AnswerSpeech
from cartrita.application.voice.live.answer_text import AnswerText
from cartrita.application.voice.live.live_events import LiveClient, SpeechEnd
from cartrita.application.voice.live.options import LiveBounds
from cartrita.application.voice.live.playback import Playback
from cartrita.application.voice.live.sentence_speaker import SentenceSpeaker
from cartrita.domain.ids import RunId
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.principals import Principal
from cartrita.domain.speech import SpeechRequest
from cartrita.gateway.service_calls import ServiceCalls


class Mouth:
    """Speaks answers in the order in which they begin; its tasks are those of the group."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        calls: ServiceCalls,
        runs: Runs,
        principal: Principal,
        client: LiveClient,
        bounds: LiveBounds,
    ) -> None:
        self._tasks = tasks
        self._calls = calls
        self._runs = runs
        self._principal = principal
        self._client = client
        self._bounds = bounds
        self._order = asyncio.Lock()
        self._playback = Playback(asyncio.get_running_loop().time)
        self._speeches: dict[AnswerSpeech, asyncio.Task[None]] = {}

    @property
    def busy(self) -> bool:
        """Whether an answer is spoken, or is going to be."""
        return bool(self._speeches)

    @property
    def audible(self) -> AnswerSpeech | None:
        """The answer that is heard now."""
        return next((speech for speech in self._speeches if speech.audible), None)

    def speak(
        self,
        run_id: RunId,
        asks: Callable[[Engine[SpeechSynthesizer]], SpeechRequest],
        engines: Sequence[Engine[SpeechSynthesizer]],
        from_sentence: int = 0,
    ) -> None:
        """Speak this answer after those that are spoken, unless it is spoken already.

        `asks` says what is asked of each synthesizer.
        """
        if any(speech.run_id == run_id for speech in self._speeches):
            return
        speaker = SentenceSpeaker(
            self._calls,
            self._principal,
            self._client,
            asks,
            self._playback,
            self._order,
            self._bounds,
        )
        speaker.next = from_sentence
        speech = AnswerSpeech(run_id, AnswerText(self._runs, run_id), speaker, self._client)
        self._speeches[speech] = self._tasks.create_task(self._run(speech, engines))

    def silence(self, reason: SpeechEnd) -> None:
        """Speak none of them any more, each of which tells it at once."""
        self._playback.stop()
        for speech in self._speeches:
            speech.stop(reason)
            self._tasks.create_task(speech.tell_stop())

    def close(self) -> None:
        """The client has left."""
        for task in self._speeches.values():
            task.cancel()

    async def _run(
        self, speech: AnswerSpeech, engines: Sequence[Engine[SpeechSynthesizer]]
    ) -> None:
        try:
            await speech.run(engines)
        finally:
            del self._speeches[speech]
            self._client.rest()
