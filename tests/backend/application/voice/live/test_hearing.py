"""What is heard becomes turns of a length that can be answered."""

import asyncio
from collections.abc import AsyncGenerator
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
    """Hears these texts, each of them an utterance."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts
        self.finished = asyncio.Event()

    async def send(self, pcm: bytes) -> None:
        """Nothing comes of the sound."""

    async def end_utterance(self) -> None:
        """What is heard has ended already."""

    async def finish(self) -> None:
        self.finished.set()

    async def events(self) -> AsyncGenerator[ListeningEvent]:
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


async def test_what_is_too_long_for_a_turn_is_the_next_one() -> None:
    turns: list[str] = []

    async def answer(turn: Turn) -> None:
        turns.append(f"{turn.number} {turn.text}")

    async def answered() -> None:
        turns.append("all")

    transcriber = ListeningTranscriber("deepgram")
    transcriber.listening = FakeListening("Moss grows", "on old stones.")
    engine: Engine[Transcriber] = Engine(transcriber, None)
    hearing = Hearing(
        Calls().calls,
        principal(),
        LiveOptions(audio=PcmFormat(16_000)),
        LiveBounds(turn_characters=16),
        FakeClient(),
        None,
        answer=answer,
        answered=answered,
        is_speaking=lambda: False,
        interrupt=lambda: None,
    )
    hearing.take(Mark.END)
    async with asyncio.timeout(20):
        await hearing.run([engine])
    assert turns == ["1 Moss grows", "2 on old stones.", "all"]
