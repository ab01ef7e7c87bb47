"""One live conversation: what a client says is heard, answered, and the answers are spoken."""

import asyncio
from collections.abc import Sequence
from functools import partial
from weakref import WeakSet

from cartrita.application.conversations.conversations import Conversations
from cartrita.application.runs.runs import Runs
from cartrita.application.voice.engines import Engine, Engines
from cartrita.application.voice.fitting import fitted, require_fitting
from cartrita.application.voice.live.answering import Answering, Talk
from cartrita.application.voice.live.audio_inbox import Mark
from cartrita.application.voice.live.hearing import Hearing
from cartrita.application.voice.live.live_events import (
    ListeningEnded,
    LiveClient,
    LiveFailure,
    SpeechEnd,
)
from cartrita.application.voice.live.mouth import Mouth
from cartrita.application.voice.live.options import BargeIn, LiveBounds, LiveOptions
from cartrita.domain.errors import CartritaError, Conflict, Malformed, TooLarge
from cartrita.domain.ids import RunId
from cartrita.domain.ports.speech import SpeechSynthesizer, Transcriber
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.domain.speech import SpeechRequest
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.kit import ids


class LiveVoice:
    """Opens live conversations."""

    def __init__(
        self,
        transcribers: Engines[Transcriber],
        synthesizers: Engines[SpeechSynthesizer],
        calls: ServiceCalls,
        runs: Runs,
        conversations: Conversations,
        bounds: LiveBounds,
    ) -> None:
        self.transcribers = transcribers
        self.synthesizers = synthesizers
        self.calls = calls
        self.runs = runs
        self.conversations = conversations
        self.bounds = bounds
        self._open = WeakSet[LiveConversation]()

    @property
    def listening(self) -> int:
        """How many conversations are listened to."""
        return sum(one.listening for one in self._open)

    def open(
        self, tasks: asyncio.TaskGroup, principal: Principal, client: LiveClient
    ) -> "LiveConversation":
        """A conversation, whose tasks are those of the group until it is closed."""
        conversation = LiveConversation(self, tasks, principal, client)
        self._open.add(conversation)
        return conversation


class LiveConversation:
    """Listens from `start` to `stop`, in the conversation of the options or a new one."""

    def __init__(
        self, voice: LiveVoice, tasks: asyncio.TaskGroup, principal: Principal, client: LiveClient
    ) -> None:
        self._voice = voice
        self._tasks = tasks
        self._principal = principal
        self._client = client
        self._talk: Talk | None = None
        self._hearing: Hearing | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answering = Answering(tasks, voice.runs, principal, client, self._speak)
        self._mouth = Mouth(tasks, voice.calls, voice.runs, principal, client, voice.bounds)

    @property
    def listening(self) -> bool:
        """Whether its client is listened to."""
        return self._hearing is not None and not self._hearing.ended

    @property
    def busy(self) -> bool:
        """Whether something goes on for which the client need not send anything."""
        return self._mouth.busy

    async def start(self, options: LiveOptions) -> None:
        """Begin to listen, instead of what was listened to, which ends with a turn.

        Raises CartritaError.
        What can be answered or spoken by nobody is told before anything is heard.
        """
        if options.respond:
            self._principal.scopes.require_operation(Operation.CHAT)
            named = (options.agent, options.provider, options.model)
            await self._voice.runs.require(self._principal, *named)
        if options.conversation_id is not None:
            await self._voice.conversations.get(self._principal, options.conversation_id)
        hears = await self._voice.transcribers.of(self._principal, options.transcriber)
        speaks = await self._speaking_engines(options)
        if self._hearing is not None:
            await self._hearing.leave()
        self._stop_listening()
        talk = self._talk = Talk(options, speaks)
        self._hearing = Hearing(
            self._voice.calls,
            self._principal,
            options,
            self._voice.bounds,
            self._client,
            speaks[0] if speaks else None,
            answer=partial(self._answering.answer, talk),
            answered=self._answering.settle,
            is_speaking=lambda: self._mouth.audible is not None,
            interrupt=self._interrupt,
        )
        self._listening = self._tasks.create_task(self._hearing.run(hears))

    def hear(self, pcm: bytes) -> None:
        """Some audio. Raises Conflict, Malformed and TooLarge.

        It is dropped where the listening has ended: that was told, and audio is on its way still.
        """
        if self._talk is not None and (self._hearing is None or self._hearing.ended):
            if self._hearing is not None:
                self._hearing.miss()
            return
        hearing, options = self._attentive()
        if len(pcm) > self._voice.bounds.frame_bytes:
            raise TooLarge(
                f"A frame of audio has at most {self._voice.bounds.frame_bytes:,} bytes: send "
                "shorter ones.",
                code="audio_frame_too_long",
            )
        if len(pcm) % (2 * options.audio.channels):
            raise Malformed(
                "A frame of audio holds whole samples of 16 bits for each channel.",
                code="invalid_audio",
            )
        hearing.take(pcm)

    def end_turn(self) -> None:
        """The client has spoken. Raises Conflict."""
        if self._hearing is not None and self._hearing.winds_up:
            self._hearing.end_turn_at_end()
            return
        hearing, _ = self._attentive()
        hearing.take(Mark.END_OF_TURN)

    async def stop(self) -> None:
        """No more audio comes; it is told when all that was said was heard and answered.

        Where the listening has ended by itself that is going to be told, or was.
        """
        if self._hearing is None or self._hearing.over:
            await self._client.tell(ListeningEnded())
        else:
            self._hearing.stop()

    def stop_speaking(self) -> None:
        """Speak no answer any more that is spoken, or waits to be."""
        self._mouth.silence(SpeechEnd.ASKED)

    def resume(self, run_id: RunId, from_sentence: int) -> None:
        """Speak the rest of an answer of this caller, if the client has asked for speech."""
        if self._talk is not None and self._talk.speaks:
            self._speak(run_id, self._talk, from_sentence)

    async def wind_up(self) -> None:
        """The server is about to stop: what was said is a turn, and answered."""
        if self._hearing is not None and self._listening is not None:
            self._hearing.wind_up()
            await asyncio.wait({self._listening})

    def close(self) -> None:
        """The client has left: nothing goes on but the runs."""
        self._stop_listening()
        self._answering.close()
        self._mouth.close()

    async def _speaking_engines(self, options: LiveOptions) -> Sequence[Engine[SpeechSynthesizer]]:
        if not options.speak:
            return ()
        engines = await self._voice.synthesizers.of(self._principal, options.synthesizer)
        require_fitting(engines, _speech_of(options), self._others(options))
        return engines

    def _others(self, options: LiveOptions) -> Sequence[SpeechSynthesizer]:
        """Whose voices are known, though what speaks may not have them."""
        return () if options.synthesizer else self._voice.synthesizers.services

    def _attentive(self) -> tuple[Hearing, LiveOptions]:
        """What listens. Raises Conflict."""
        if self._hearing is None or self._talk is None or self._hearing.ended:
            raise Conflict(
                "Nothing is listened to: send a `start` frame before the audio.",
                code="not_started",
            )
        return self._hearing, self._talk.options

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        self._listening = self._hearing = None

    def _speak(self, run_id: RunId, talk: Talk, from_sentence: int = 0) -> None:
        others = self._others(talk.options)
        asks = partial(fitted, request=_speech_of(talk.options), others=others)
        self._mouth.speak(run_id, asks, talk.speaks, from_sentence)

    def _interrupt(self) -> None:
        """Somebody speaks: what is heard now is spoken no more, by the client's wish."""
        audible = self._mouth.audible
        if audible is None or self._talk is None:
            return
        wish = self._talk.options.on_barge_in
        if wish is BargeIn.IGNORE:
            return
        self._mouth.silence(SpeechEnd.BARGE_IN)
        if wish is BargeIn.CANCEL:
            run = ids.public("run", audible.run_id)
            self._tasks.create_task(self._cancel(run))

    async def _cancel(self, run: str) -> None:
        try:
            await self._voice.runs.cancel(self._principal, run)
        except CartritaError as error:
            await self._client.tell(LiveFailure(error))


def _speech_of(options: LiveOptions) -> SpeechRequest:
    """How answers are spoken."""
    return SpeechRequest(text="", voice=options.voice, format=options.format)
