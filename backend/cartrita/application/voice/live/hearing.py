"""One hearing, from `start` until it is replaced or ended: what is heard becomes turns."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
import structlog

from cartrita.application.voice.engines import Engine
from cartrita.application.voice.live.audio_inbox import Arrival, Mark
from cartrita.application.voice.live.barge_in import BargeInWatch
from cartrita.application.voice.live.ear import Ear
from cartrita.application.voice.live.live_events import (
    HeardInTurn,
    ListeningBegan,
    ListeningEnded,
    LiveClient,
    LiveFailure,
    SomebodySpeaks,
)
from cartrita.application.voice.live.options import LiveBounds, LiveOptions
from cartrita.application.voice.live.turns import SpeechInHand, Turn, TurnGathering
from cartrita.application.voice.live.two_ways import both_ways
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.ports.speech import SpeechSynthesizer, Transcriber
from cartrita.domain.principals import Principal
from cartrita.domain.speech import Heard, ListeningEvent, SpeechStarted, UtteranceEnded
from cartrita.gateway.service_calls import ServiceCalls

log = structlog.get_logger(__name__)

_OF_ROOM: Final = 0.9
"""The part of the room for audio in which a turn may wait for its words: audio goes on coming."""


class Hearing:
    """Tells the client what is heard, and gives each turn to `answer` when it has ended.

    `is_speaking` says whether an answer is heard now, and `interrupt` is called when somebody
    speaks then. Nothing is heard any more when it has `ended`, and all is told when it is `over`.
    It `winds_up` where the server is about to stop.
    """

    def __init__(
        self,
        calls: ServiceCalls,
        principal: Principal,
        options: LiveOptions,
        bounds: LiveBounds,
        client: LiveClient,
        speaks: Engine[SpeechSynthesizer] | None,
        *,
        answer: Callable[[Turn], Awaitable[None]],
        answered: Callable[[], Awaitable[None]],
        is_speaking: Callable[[], bool],
        interrupt: Callable[[], None],
    ) -> None:
        self._options = options
        self._bounds = bounds
        self._client = client
        self._speaks = speaks
        self._answer = answer
        self._answered = answered
        self._is_speaking = is_speaking
        self._gathering = TurnGathering(bounds.turn_characters)
        self._in_hand = SpeechInHand()
        self._final_words: asyncio.Event | None = None
        self._engine: Engine[Transcriber] | None = None
        self._barge_in = BargeInWatch(interrupt, bounds.barge_in_s)
        self._ear = Ear(calls, principal, options, bounds, self)
        self._behind: asyncio.Future[CartritaError] = asyncio.get_running_loop().create_future()
        self._sent_s = 0.0
        self._cut_short = False
        self._missed = False
        self._turn_asked = False
        self._end_asked = False
        self.winds_up = False
        self.ended = False
        self.over = False

    @property
    def attends(self) -> bool:
        """Whether nobody is expected to speak now."""
        return self._is_speaking()

    async def run(self, engines: Sequence[Engine[Transcriber]]) -> None:
        """Hear to the end, and tell it."""
        try:
            failure = await self._hear(engines)
        finally:
            self.ended = True
            self._barge_in.close()
        if self._turn_asked and self._final_words is None:
            self._final_words = asyncio.Event()
        await self._end_turn()
        await self._answered()
        if (loss := self._loss(failure)) is not None:
            await self._client.tell(LiveFailure(loss))
        self.over = True
        if self._end_asked or not self.winds_up:
            await self._client.tell(ListeningEnded(failure))

    def _loss(self, failure: CartritaError | None) -> CartritaError | None:
        """What is told besides the end: where the server stops, whatever may have lost words."""
        if not self.winds_up:
            return failure
        if failure is None:
            return _unheard() if self._missed else None
        return failure if self._in_hand or self._sent_s > self._in_hand.written_to else None

    async def _hear(self, engines: Sequence[Engine[Transcriber]]) -> CartritaError | None:
        """Hear to the end; what came in between."""
        try:
            await both_ways(self._fall_behind(), self._ear.run(engines))
        except CartritaError as error:
            return error
        except Exception:
            log.exception("listening_failed")
            return CartritaError("Something broke on our side: start again.")
        return None

    def take(self, arrival: Arrival) -> None:
        """Audio, or what the client says about it; it ends where that is too much."""
        try:
            self._ear.inbox.put(arrival)
            if isinstance(arrival, bytes):
                self._sent_s += self._options.audio.seconds(len(arrival))
        except CartritaError as error:
            self.ended = True
            self._behind.set_result(error)

    def stop(self) -> None:
        """No more audio comes, and the client waits to be told that it has ended."""
        self._end_asked = True
        if not self.ended:
            self.take(Mark.END)

    def wind_up(self) -> None:
        """The server is about to stop: nothing more is heard but the last words of a turn.

        What was said is answered. The end is told to a client that asked for it: others come back,
        and go on.
        """
        self.winds_up = True
        if self.ended:
            return
        self.ended = True
        self._cut_short = bool(self._in_hand)
        self._ear.inbox.put(Mark.END)
        asyncio.get_running_loop().call_later(self._bounds.final_words_s, self._leave_words)

    def miss(self) -> None:
        """Audio came after the end: words are lost where somebody was speaking."""
        self._missed = self._cut_short

    def end_turn_at_end(self) -> None:
        """The client ends its turn while it winds up, which does that."""
        self._turn_asked = True

    def _leave_words(self) -> None:
        if not self._behind.done():
            self._behind.set_result(_unheard())

    async def _fall_behind(self) -> None:
        """Raises what ends it while the ear may be waiting for its transcriber."""
        raise await self._behind

    async def hears_with(self, engine: Engine[Transcriber]) -> None:
        """A transcriber is open."""
        self._engine = engine
        await self._client.tell(
            ListeningBegan(
                turn=self._gathering.number,
                audio=self._options.audio,
                transcriber=engine.label,
                synthesizer=None if self._speaks is None else self._speaks.label,
                format=None if self._speaks is None else self._options.format,
            )
        )

    async def heard(self, event: ListeningEvent) -> None:
        """Something was heard."""
        self._barge_in.take(event)
        self._in_hand.take(event)
        match event:
            case SpeechStarted(at):
                await self._client.tell(SomebodySpeaks(at))
            case Heard():
                await self._gather(event)
            case UtteranceEnded(asked=asked):
                await self._pause(asked=asked)

    async def ends_turn(self, *, words_to_come: bool) -> None:
        """The client has ended the turn: it ends with the final words, for which this waits.

        The transcriber tells when there are no more. Meanwhile audio waits, and has room to.
        """
        words = self._final_words = asyncio.Event()
        waits_s = self._bounds.audio_wait_s * _OF_ROOM if words_to_come else 0.0
        if not await _comes(words, waits_s):
            await self._end_turn()

    async def leave(self) -> None:
        """Another listening begins: what was heard until now is a turn."""
        self.ended = True
        await self._end_turn()

    async def _gather(self, heard: Heard) -> None:
        self._gathering.add(heard)
        if heard.text.strip() and (heard.final or self._options.interim):
            await self._client.tell(HeardInTurn(self._gathering.number, heard))
        while self._gathering.full:
            await self._take_turn()
        if heard.ends_utterance or heard.asked:
            await self._pause(asked=heard.asked)

    async def _pause(self, *, asked: bool) -> None:
        """Nobody speaks: that ends a turn, unless its client has ended it, whose words may come.

        Words that come too late for the turn that its client has ended are one of their own.
        """
        if self._final_words is not None:
            if asked:
                await self._end_turn()
        elif (asked or self._options.hands_free) and self._gathering.begun:
            await self._take_turn()

    async def _end_turn(self) -> None:
        """End the turn; one in which nothing was said is told only where the client ended it."""
        asked, self._final_words = self._final_words, None
        if asked is not None:
            asked.set()
            self._ear.inbox.tell_turn()
        if asked is not None or self._gathering.begun:
            await self._take_turn()

    async def _take_turn(self) -> None:
        await self._answer(self._written_down(self._gathering.take()))

    def _written_down(self, turn: Turn) -> Turn:
        """The turn, with what wrote it down."""
        if self._engine is None:
            return turn
        offered = self._engine.offered
        model = self._engine.model or (offered.name if offered else "")
        return msgspec.structs.replace(turn, provider=self._engine.service.name, model=model)


def _unheard() -> CartritaError:
    return Unavailable(
        "This server stops before your last words were heard: come back, and say them again.",
        code="draining",
    )


async def _comes(words: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await words.wait()
    except TimeoutError:
        return False
