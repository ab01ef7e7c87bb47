"""Transcribes on this machine, without a key: implements Transcriber."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.speech.embedded_engines import ENGINES, offered_engine
from cartrita.adapters.speech.engine_process import EMBEDDED, EngineProcess, engine_process
from cartrita.adapters.speech.engines.orders import SAMPLE_RATE, EngineOrder, TextLine
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.adapters.speech.segmented_listening import (
    SegmentedListening,
    Utterance,
    segmented_listening,
)
from cartrita.adapters.speech.utterances import (
    Began,
    Ended,
    Said,
    UtteranceEvent,
    UtteranceRules,
    Utterances,
)
from cartrita.domain.errors import NotOffered, Unavailable, UpstreamUnreachable
from cartrita.domain.ports.speech import RecordingReader
from cartrita.domain.speech import (
    Heard,
    PcmFormat,
    Recording,
    SpeechModel,
    SpokenSegment,
    Transcript,
    TranscriptionOptions,
)
from cartrita.kit.secret import Secret

_LISTENED: Final = PcmFormat(SAMPLE_RATE)
_WHOLE: Final = UtteranceRules(pause=0.8, longest=30.0)
_PIECES_PER_INTERIM: Final = 10
"""Of 20 ms each."""


class EngineLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a recording may take, how long live listening may compute, and their memory.

    A recording may take `pace` seconds for each of its own, where that is more than `seconds`.
    """

    seconds: float = 300.0
    pace: float = 2.0
    live_seconds: float = 86_400.0
    memory_bytes: int = 4 << 30
    threads: int = 2

    def seconds_for(self, duration: float | None) -> float:
        """How long a recording of this duration may take; None is not known."""
        return max(self.seconds, self.pace * (duration or 0.0))


class EmbeddedTranscriber:
    """Each transcription has a process of its own; `models` are directories, by their engine."""

    name = EMBEDDED
    has_key = False
    needs_key = False

    def __init__(
        self,
        recordings: RecordingReader,
        seats: EngineSeats,
        listeners: EngineSeats,
        limits: EngineLimits,
        models: Mapping[str, Path | None],
    ) -> None:
        """Who listens keeps a seat among the `listeners`, for as long as a conversation takes."""
        self._recordings = recordings
        self._seats = seats
        self._listeners = listeners
        self._limits = limits
        self._paths = models
        self._offered = {name: offered_engine(name, models.get(name)) for name in ENGINES}

    @property
    def models(self) -> tuple[SpeechModel, ...]:
        """See Transcriber."""
        return tuple(self._offered.values())

    def with_key(self, key: Secret) -> "EmbeddedTranscriber":
        """See Service: it needs none."""
        return self

    async def test_key(self) -> None:
        """See Service."""

    def translates(self, model: str | None) -> bool:
        """See Transcriber; one that there is not says so itself."""
        usable = (one.name for one in self.models if not one.needs)
        known = ENGINES.get(model or next(usable, ""))
        return known is None or known.translates

    async def transcribe(self, recording: Recording, options: TranscriptionOptions) -> Transcript:
        """See Transcriber. Raises UpstreamUnreachable if it takes too long."""
        engine = self._chosen(options)
        seconds = self._limits.seconds_for(recording.duration)
        order = self._order(engine, _LISTENED, options, seconds * self._limits.threads)
        try:
            async with self._seats.one(), asyncio.timeout(seconds):
                heard, duration = await self._heard(recording, order)
        except TimeoutError:
            raise UpstreamUnreachable(
                f"{engine} has not transcribed it in {seconds:g} seconds: send it in parts.",
                provider=EMBEDDED,
            ) from None
        return _transcript(heard, duration, engine)

    @asynccontextmanager
    async def listen(
        self, audio: PcmFormat, options: TranscriptionOptions
    ) -> AsyncGenerator[SegmentedListening]:
        """See Transcriber. Raises Busy where too many are listened to."""
        seconds = self._limits.live_seconds
        order = self._order(self._chosen(options), audio, options, seconds, live=True)
        async with self._listeners.one(), engine_process(order) as engine:

            async def hear(utterance: Utterance) -> AsyncGenerator[Heard]:
                async with aclosing(_heard_live(engine, utterance)) as heard:
                    async for one in heard:
                        yield one

            async with segmented_listening(audio, hear) as listening:
                yield listening

    async def _heard(self, recording: Recording, order: EngineOrder) -> tuple[list[Heard], float]:
        """What is said in each utterance of a recording, and how long all of it lasts."""
        utterances, heard = Utterances(_LISTENED, _WHOLE), list[Heard]()
        octets = 0
        begun = 0.0
        async with (
            engine_process(order) as engine,
            aclosing(self._recordings.decoded(recording, _LISTENED)) as decoded,
            aclosing(_with_end(decoded)) as pieces,
        ):
            async for piece in pieces:
                octets += len(piece)
                for event in await asyncio.to_thread(_events_of, utterances, piece):
                    match event:
                        case Began(_, start):
                            begun = start
                        case Said(pcm):
                            await engine.add(pcm)
                        case Ended(at, speech=True):
                            heard.append(_told(await engine.final(), begun, at))
                        case Ended():
                            await engine.drop()
        return [one for one in heard if one.text], _LISTENED.seconds(octets)

    def _chosen(self, options: TranscriptionOptions) -> str:
        """The engine to use. Raises NotOffered and Unavailable."""
        usable = [one.name for one in self.models if not one.needs]
        name = options.model or next(iter(usable), "pocketsphinx")
        offered = self._offered.get(name)
        if offered is None:
            raise NotOffered.of("model", f"choose one of {', '.join(self._offered)}")
        if offered.needs:
            raise Unavailable(
                f"{name} cannot be used here. {offered.needs}", code="transcription_unavailable"
            )
        known = offered.languages
        if options.language and known and options.language.split("-")[0].lower() not in known:
            raise NotOffered.of("language", f"{name} understands English only")
        return name

    def _order(
        self,
        engine: str,
        audio: PcmFormat,
        options: TranscriptionOptions,
        seconds: float,
        *,
        live: bool = False,
    ) -> EngineOrder:
        """`seconds` are those of a processor that it may take."""
        limits, model = self._limits, self._paths.get(engine)
        return EngineOrder(
            engine=engine,
            sample_rate=audio.sample_rate,
            channels=audio.channels,
            bounds=ProcessBounds(seconds=seconds, memory_bytes=limits.memory_bytes),
            live=live,
            model=str(model.resolve()) if model else None,
            language=options.language.split("-")[0].lower() if options.language else None,
            prompt=options.prompt,
            temperature=options.temperature,
            translated=options.translated,
            threads=1 if model is None else limits.threads,
        )


def _events_of(utterances: Utterances, piece: bytes) -> list[UtteranceEvent]:
    """What is found with a piece, or at the end. An hour of sound is seconds of work."""
    return utterances.feed(piece) if piece else utterances.end()


async def _with_end(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The pieces, and an empty one after the last."""
    async for piece in pieces:
        if piece:
            yield piece
    yield b""


async def _heard_live(engine: EngineProcess, utterance: Utterance) -> AsyncGenerator[Heard]:
    told, number = "", 0
    async with aclosing(utterance.pieces()) as pieces:
        async for piece in pieces:
            await engine.add(piece)
            number += 1
            if number % _PIECES_PER_INTERIM:
                continue
            if (text := await engine.interim()) and text != told:
                told = text
                duration = number * 0.02
                yield Heard(text=text, start=utterance.start, duration=duration, final=False)
    ended = utterance.ended
    if ended is None or not ended.speech:
        await engine.drop()
    else:
        yield _told(await engine.final(), utterance.start, ended.at)


def _told(line: TextLine, start: float, end: float) -> Heard:
    return Heard(
        text=line.text,
        start=start,
        duration=end - start,
        final=True,
        confidence=line.confidence,
        language=line.language,
        words=tuple(
            replace(one, start=round(one.start + start, 2), end=round(one.end + start, 2))
            for one in line.words
        ),
    )


def _transcript(heard: list[Heard], duration: float, engine: str) -> Transcript:
    sure = [one.confidence for one in heard if one.confidence is not None]
    return Transcript(
        text=" ".join(one.text for one in heard),
        duration=duration,
        provider=EMBEDDED,
        model=engine,
        language=next((one.language for one in heard if one.language), None),
        confidence=round(sum(sure) / len(sure), 4) if sure else None,
        words=tuple(word for one in heard for word in one.words),
        segments=tuple(
            SpokenSegment(one.text, round(one.start, 2), round(one.start + one.duration, 2))
            for one in heard
        ),
    )
