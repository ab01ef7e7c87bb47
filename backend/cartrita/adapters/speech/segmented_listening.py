"""Listens with what transcribes one utterance at a time: implements Listening."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final, TypeAlias

import anyio
from msgspec.structs import replace

from cartrita.adapters.speech.utterances import (
    Began,
    Ended,
    Said,
    UtteranceEvent,
    UtteranceRules,
    Utterances,
)
from cartrita.domain.errors import CartritaError
from cartrita.domain.speech import (
    Heard,
    ListeningEvent,
    PcmFormat,
    SpeechStarted,
    Transcript,
    UtteranceEnded,
)

_MOST_WAITING: Final = 256
"""Pieces of sound that the transcriber has not taken yet: some five seconds."""


class Utterance:
    """What somebody is saying, from `start` seconds on."""

    def __init__(self, start: float, following: AsyncIterator[UtteranceEvent]) -> None:
        self.start = start
        self.ended: Ended | None = None
        self._following = following

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Its sound, until it has ended."""
        while self.ended is None:
            match await anext(self._following, None):
                case Said(pcm):
                    yield pcm
                case Ended() as ended:
                    self.ended = ended
                case _:
                    return


Hear: TypeAlias = Callable[[Utterance], AsyncGenerator[Heard]]
"""Writes down one utterance: any number of interim texts, and a final one when it has ended."""


class SegmentedListening:
    """Finds the utterances itself, and has `hear` write down one after the other."""

    def __init__(self, audio: PcmFormat, hear: Hear, rules: UtteranceRules | None = None) -> None:
        self._utterances = Utterances(audio, rules)
        self._hear = hear
        self._inbox = asyncio.Queue[UtteranceEvent | None](_MOST_WAITING)
        self._outbox = asyncio.Queue[ListeningEvent | CartritaError | None]()

    async def send(self, pcm: bytes) -> None:
        """See Listening."""
        await self._put(self._utterances.feed(pcm))

    async def end_utterance(self) -> None:
        """See Listening; where nothing is being said, a pause is told."""
        *before, ended = self._utterances.end() or [Ended(self._utterances.at, speech=False)]
        await self._put([*before, replace(ended, asked=True)])

    async def finish(self) -> None:
        """See Listening."""
        await self._put(self._utterances.end())
        await self._inbox.put(None)

    async def events(self) -> AsyncGenerator[ListeningEvent]:
        """See Listening."""
        while (event := await self._outbox.get()) is not None:
            if isinstance(event, CartritaError):
                raise event
            yield event

    async def work(self) -> None:
        """Write down what is said until there is no more; what `hear` raises, `events` raises."""
        async with aclosing(self._following()) as following:
            try:
                await self._work(following)
            except CartritaError as error:
                self._outbox.put_nowait(error)
                async for _ in following:  # so that nobody waits to send more
                    continue

    async def _work(self, following: AsyncIterator[UtteranceEvent]) -> None:
        async for event in following:
            match event:
                case Began(_, start):
                    await self._write_down(Utterance(start, following))
                case Ended(at, asked=asked):
                    self._outbox.put_nowait(UtteranceEnded(at, asked))
                case _:
                    continue
        self._outbox.put_nowait(None)

    async def _put(self, events: list[UtteranceEvent]) -> None:
        for event in events:
            if isinstance(event, Began):
                self._outbox.put_nowait(SpeechStarted(event.at))
            await self._inbox.put(event)

    async def _following(self) -> AsyncGenerator[UtteranceEvent]:
        while (event := await self._inbox.get()) is not None:
            yield event

    async def _write_down(self, utterance: Utterance) -> None:
        async with aclosing(self._hear(utterance)) as heard:
            async for one in heard:
                if not one.final:
                    self._outbox.put_nowait(one)
                elif one.text and utterance.ended and utterance.ended.speech:
                    self._outbox.put_nowait(replace(one, ends_utterance=True))
        async with aclosing(utterance.pieces()) as left:
            async for _ in left:
                continue
        if utterance.ended is not None:
            ended = utterance.ended
            self._outbox.put_nowait(UtteranceEnded(ended.at, ended.asked))


@asynccontextmanager
async def segmented_listening(
    audio: PcmFormat, hear: Hear, rules: UtteranceRules | None = None
) -> AsyncGenerator[SegmentedListening]:
    """Listens until the body is left, which raises what it raised and no group of that."""
    listening = SegmentedListening(audio, hear, rules)
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listening.work)
        try:
            yield listening
        except Exception as error:  # noqa: BLE001 - raised again
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


def hearing_by(transcribe: Callable[[bytes], Awaitable[Transcript]]) -> Hear:
    """Hears by transcribing whole utterances: their samples are given as they were sent."""

    async def hear(utterance: Utterance) -> AsyncGenerator[Heard]:
        async with aclosing(utterance.pieces()) as pieces:
            samples = b"".join([piece async for piece in pieces])
        if utterance.ended is None or not utterance.ended.speech:
            return
        transcript = await transcribe(samples)
        yield Heard(
            text=transcript.text,
            start=utterance.start,
            duration=utterance.ended.at - utterance.start,
            final=True,
            confidence=transcript.confidence,
            language=transcript.language,
            words=tuple(
                replace(one, start=one.start + utterance.start, end=one.end + utterance.start)
                for one in transcript.words
            ),
        )

    return hear
