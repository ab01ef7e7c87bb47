"""A live conversation without a network: engines, runs and a client that do as a test says."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self, cast
from uuid import UUID

from tests.backend.application.voice.fakes import FakeSynthesizer, FakeTranscriber
from tests.backend.fake_services import Calls, principal

from cartrita.application.conversations.conversations import Conversations
from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.application.runs.runs import Runs
from cartrita.application.voice.engines import SYNTHESIZERS, TRANSCRIBERS, Engines
from cartrita.application.voice.live.conversation import LiveConversation, LiveVoice
from cartrita.application.voice.live.live_events import LiveEvent
from cartrita.application.voice.live.options import LiveBounds, LiveOptions
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import NotFound
from cartrita.domain.events import (
    Event,
    LoggedEvent,
    RunCompleted,
    RunStopped,
    StopStatus,
    TextAppended,
)
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ports.speech import Listening, Speaking
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted, RunStatus
from cartrita.domain.speech import (
    AudioFormat,
    Heard,
    ListeningEvent,
    PcmFormat,
    SpeechRequest,
    SpokenText,
    TranscriptionOptions,
)
from cartrita.domain.usage import Usage
from cartrita.kit import ids
from cartrita.kit.secret import Secret

AUDIO = PcmFormat(8000)
OPTIONS = LiveOptions(audio=AUDIO)
WATCHDOG_S = 20.0


class FakeListening:
    """Hears in what is sent to it the events that its transcriber was told; `b"!"` is an error."""

    def __init__(self, transcriber: "LiveTranscriber") -> None:
        self._transcriber = transcriber
        transcriber.listenings.append(self)
        self._events: asyncio.Queue[ListeningEvent | Exception | None] = asyncio.Queue()

    async def send(self, pcm: bytes) -> None:
        self._transcriber.sent.append(pcm)
        for event in self._transcriber.hears.get(pcm, ()):
            self._events.put_nowait(event)

    async def end_utterance(self) -> None:
        for event in self._transcriber.hears.get(b"end", ()):
            self._events.put_nowait(event)

    async def finish(self) -> None:
        await self._transcriber.finishes.wait()
        self._events.put_nowait(None)

    def tell(self, event: ListeningEvent | Exception | None) -> None:
        """Of what nobody has sent; None ends it."""
        self._events.put_nowait(event)

    async def events(self) -> AsyncGenerator[ListeningEvent]:
        try:
            while (event := await self._events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self._transcriber.endings.append("events")


class LiveTranscriber(FakeTranscriber):
    """`hears` are the events, or the errors, that come of each piece of audio.

    It tells its last words while `finishes` is set.
    """

    def __init__(self, name: str, key: str = "", *, needs_key: bool = False) -> None:
        super().__init__(name, key, needs_key=needs_key)
        self.hears: dict[bytes, list[ListeningEvent | Exception]] = {}
        self.sent: list[bytes] = []
        self.listenings: list[FakeListening] = []
        self.finishes = asyncio.Event()
        self.finishes.set()
        self.endings: list[str] = []
        self.open = 0

    def with_key(self, key: Secret) -> Self:
        return self

    @asynccontextmanager
    async def listen(
        self, audio: PcmFormat, options: TranscriptionOptions
    ) -> AsyncGenerator[Listening]:
        await self.call()
        self.open += 1
        try:
            yield FakeListening(self)
        finally:
            self.endings.append("listening")
            self.open -= 1


class FakeSpeaking:
    """Speaks the bytes of each text in two pieces; an error in `said` comes in their place."""

    def __init__(self, synthesizer: "LiveSynthesizer", request: SpeechRequest) -> None:
        self.format = request.format or AudioFormat.PCM
        self.sample_rate: int | None = 8000 if self.format is AudioFormat.PCM else None
        self._synthesizer = synthesizer
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()

    async def say(self, text: str) -> None:
        self._texts.put_nowait(text)

    async def clear(self) -> None: ...

    async def finish(self) -> None:
        self._texts.put_nowait(None)

    async def pieces(self) -> AsyncGenerator[bytes | SpokenText]:
        spoken = 0
        try:
            while (text := await self._texts.get()) is not None:
                failures = self._synthesizer.fails.pop(text, [])
                for piece in (text[:2], text[2:]):
                    if failures and (error := failures.pop(0)) is not None:
                        raise error
                    yield piece.encode()
                spoken += 1
                yield SpokenText(spoken)
        finally:
            self._synthesizer.endings.append("pieces")


class LiveSynthesizer(FakeSynthesizer):
    """`fails` has for a text the errors before its pieces, None for none.

    It can be closed while `closes` is set.
    """

    def __init__(self, name: str, key: str = "", *, needs_key: bool = False) -> None:
        super().__init__(name, key, needs_key=needs_key)
        self.fails: dict[str, list[Exception | None]] = {}
        self.endings: list[str] = []
        self.open = 0
        self.closes = asyncio.Event()
        self.closes.set()

    def with_key(self, key: Secret) -> Self:
        return self

    @asynccontextmanager
    async def converse(self, request: SpeechRequest) -> AsyncGenerator[Speaking]:
        await self.call()
        self.requests.append(request)
        self.open += 1
        try:
            yield FakeSpeaking(self, request)
        finally:
            await self.closes.wait()
            self.endings.append("speaking")
            self.open -= 1


class FakeRuns:
    """Runs whose events a test writes; `refuses` are the errors of the next starts.

    While it does not admit any, those that are started wait.
    """

    def __init__(self) -> None:
        self.commands: list[ChatCommand] = []
        self.refuses: list[Exception] = []
        self.cancelled: list[str] = []
        self.started = asyncio.Event()
        self.admits = asyncio.Event()
        self.admits.set()
        self._logs: dict[RunId, asyncio.Queue[Event]] = {}

    async def require(
        self, principal: Principal, agent: str | None, provider: str | None, model: str | None
    ) -> None:
        for named in (agent, provider, model):
            if named == "none":
                raise NotFound("There is none.", code="model_not_found")

    async def start(self, principal: Principal, command: ChatCommand) -> Admitted:
        self.started.set()
        await self.admits.wait()
        if self.refuses:
            raise self.refuses.pop(0)
        self.commands.append(command)
        run_id = self.run(len(self.commands))
        self._logs[run_id] = asyncio.Queue()
        return Admitted(run_id, ConversationId(UUID(int=7)), RunStatus.QUEUED, created=True)

    async def cancel(self, principal: Principal, run: str) -> None:
        self.cancelled.append(run)
        if self.refuses:
            raise self.refuses.pop(0)

    def run(self, number: int) -> RunId:
        return RunId(UUID(int=number))

    def write(self, number: int, text: str) -> None:
        self._logs[self.run(number)].put_nowait(TextAppended(text, 0))

    def end(self, number: int, stopped: StopStatus | None = None) -> None:
        event: Event = RunCompleted(
            text="", finish_reason=FinishReason.STOP, usage=Usage(), seconds=0.0,
            conversation_id="c", message_id="m", agent="a", model="m", provider="p",
        )  # fmt: skip
        if stopped is not None:
            event = RunStopped(stopped, "code", "It ended.", recoverable=True)
        self._logs[self.run(number)].put_nowait(event)

    @asynccontextmanager
    async def tail(self, run_id: RunId, after: int) -> AsyncGenerator[AsyncIterator[LoggedEvent]]:
        async def events() -> AsyncIterator[LoggedEvent]:
            log, seq = self._logs[run_id], after
            while True:
                seq += 1
                yield LoggedEvent(run_id, seq, await log.get())

        yield events()


class FakeConversations:
    async def get(self, principal: Principal, conversation: str) -> None:
        if conversation == "none":
            raise NotFound.of("conversation")


@dataclass
class FakeClient:
    """What a client was told and heard: events, and bytes."""

    told: list[LiveEvent | bytes] = field(default_factory=list[Any])
    no_room: Exception | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def tell(self, event: LiveEvent) -> None:
        self.told.append(event)
        self._changed.set()

    async def play(self, audio: bytes) -> None:
        self.told.append(audio)
        self._changed.set()

    def require_room(self) -> None:
        if self.no_room is not None:
            raise self.no_room

    def rest(self) -> None:
        self._changed.set()

    def all(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]

    async def until(self, kind: type[Any], times: int = 1) -> Any:
        """The event of this kind that makes them so many."""
        await self.until_true(lambda: len(self.all(kind)) >= times)
        return self.all(kind)[times - 1]

    async def until_true(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WATCHDOG_S):
            while not true():
                self._changed.clear()
                await self._changed.wait()


@dataclass
class Scene:
    """All of one conversation."""

    conversation: LiveConversation
    client: FakeClient
    runs: FakeRuns
    ears: list[LiveTranscriber]
    mouths: list[LiveSynthesizer]

    async def answer(self, number: int, *pieces: str) -> None:
        for piece in pieces:
            self.runs.write(number, piece)
        self.runs.end(number)


async def settled() -> None:
    """Whatever can happen now happens."""
    for _ in range(50):
        await asyncio.sleep(0)


def words(text: str, *, final: bool = True, ends: bool = True, asked: bool = False) -> Heard:
    ends = final and ends
    return Heard(text=text, start=0.0, duration=1.0, final=final, ends_utterance=ends, asked=asked)


@asynccontextmanager
async def scene(bounds: LiveBounds | None = None) -> AsyncGenerator[Scene]:
    """A conversation with two engines of each kind, of which the first hears a question in `aa`."""
    ears = [LiveTranscriber(name) for name in ("deepgram", "openai")]
    mouths = [LiveSynthesizer(name) for name in ("deepgram", "openai")]
    for ear in ears:
        ear.hears = {b"aa": [words("What grows?")]}
    calls, runs, client = Calls().calls, FakeRuns(), FakeClient()
    voice = LiveVoice(
        Engines(ears, calls, TRANSCRIBERS, ("deepgram", "openai")),
        Engines(mouths, calls, SYNTHESIZERS, ("deepgram", "openai")),
        calls,
        cast("Runs", runs),
        cast("Conversations", FakeConversations()),
        bounds or LiveBounds(ahead_s=600.0),
    )
    async with asyncio.TaskGroup() as tasks:
        conversation = voice.open(tasks, principal(), client)
        try:
            yield Scene(conversation, client, runs, ears, mouths)
        finally:
            conversation.close()
    assert [one.open for one in (*ears, *mouths)] == [0, 0, 0, 0]


def public(run: RunId) -> str:
    return ids.public("run", run)
