"""What is heard becomes turns, which are answered one after the other."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from tests.backend.application.voice.fakes import FakeTranscriber
from tests.backend.fake_services import Calls, principal

from cartrita.application.voice.engines import Engine
from cartrita.application.voice.live.audio_inbox import Mark
from cartrita.application.voice.live.hearing import Hearing
from cartrita.application.voice.live.live_events import LiveEvent
from cartrita.application.voice.live.options import LiveBounds, LiveOptions
from cartrita.application.voice.live.turns import Turn
from cartrita.domain.ports.speech import Listening, Transcriber
from cartrita.domain.speech import Heard, ListeningEvent, PcmFormat, TranscriptionOptions


class FakeListening:
    """Hears these texts, each of them an utterance, once it is told to `go_on`."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts
        self.go_on = asyncio.Event()
        self.finished = asyncio.Event()

    async def send(self, pcm: bytes) -> None:
        """Nothing comes of the sound."""

    async def end_utterance(self) -> None:
        """What is heard has ended already."""

    async def finish(self) -> None:
        self.finished.set()

    async def events(self) -> AsyncIterator[ListeningEvent]:
        await self.go_on.wait()
        for text in self._texts:
            yield Heard(text=text, start=0.0, duration=1.0, final=True, ends_utterance=True)
        await self.finished.wait()


class ListeningTranscriber(FakeTranscriber):
    """Listens as a test says."""

    listening: FakeListening

    @asynccontextmanager
    async def listen(
        self, audio: PcmFormat, options: TranscriptionOptions
    ) -> AsyncGenerator[Listening]:
        yield self.listening


class FakeClient:
    """Takes everything."""

    async def tell(self, event: LiveEvent) -> None:
        """It is of no interest."""

    async def play(self, audio: bytes) -> None:
        """Nobody speaks."""

    def require_room(self) -> None:
        """There is always some."""

    def rest(self) -> None:
        """Nobody spoke."""


async def answered(listening: FakeListening, bounds: LiveBounds, *marks: Mark) -> list[str]:
    """When the answer of each turn began and ended; the first goes on until more was heard."""
    times: list[str] = []

    async def answer(turn: Turn) -> None:
        times.append(f"{turn.number} {turn.text}".strip())
        listening.go_on.set()
        for _ in range(50):  # whatever can happen meanwhile happens
            await asyncio.sleep(0)
        times.append(f"{turn.number} ends")

    transcriber = ListeningTranscriber("deepgram")
    transcriber.listening = listening
    engine: Engine[Transcriber] = Engine(transcriber, None)
    hearing = Hearing(
        Calls().calls,
        principal(),
        LiveOptions(audio=PcmFormat(16_000)),
        bounds,
        FakeClient(),
        None,
        answer=answer,
        is_speaking=lambda: False,
        interrupt=lambda: None,
    )
    for mark in (*marks, Mark.END):
        hearing.take(mark)
    async with asyncio.timeout(20):
        await hearing.run([engine])
    return times


async def test_a_turn_waits_for_the_answer_before_it() -> None:
    """One that ends by itself, since its last words did not come in time, and one that follows."""
    bounds = LiveBounds(final_words_s=0.0)
    times = await answered(FakeListening("Moss."), bounds, Mark.END_OF_TURN)
    assert times == ["1", "1 ends", "1 Moss.", "1 ends"]


async def test_what_is_too_long_for_a_turn_is_the_next_one() -> None:
    listening = FakeListening("Moss grows", "on old stones.")
    listening.go_on.set()
    times = await answered(listening, LiveBounds(turn_characters=16))
    assert times == ["1 Moss grows", "1 ends", "2 on old stones.", "2 ends"]
