"""An answer is spoken by the first synthesizer that can, each in what it has."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import cast

import pytest
from tests.backend.application.voice.fakes import FakeSynthesizer
from tests.backend.application.voice.live.test_hearing import FakeClient
from tests.backend.fake_services import Calls, principal

from cartrita.application.runs.runs import Runs
from cartrita.application.voice.engines import Engine
from cartrita.application.voice.fitting import fitted
from cartrita.application.voice.live.answer_text import AnswerText
from cartrita.application.voice.live.options import LiveBounds
from cartrita.application.voice.live.playback import Playback
from cartrita.application.voice.live.sentence_speaker import SentenceSpeaker
from cartrita.domain.errors import (
    BudgetExhausted,
    CartritaError,
    NotOffered,
    UpstreamCut,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamQuota,
)
from cartrita.domain.ids import RunId
from cartrita.domain.ledger import ServiceUse
from cartrita.domain.ports.speech import Speaking, SpeechSynthesizer
from cartrita.domain.speech import AudioFormat, SpeechModel, SpeechRequest, SpokenText
from cartrita.gateway.service_metering import MeteredRequest
from cartrita.kit import ids

RUN = RunId(ids.uuid7())
HEARD = count(step=1000.0).__next__
"""A clock by which all sound was heard when one looks again."""


class FakeSpeaking:
    """Speaks each text at once, unless it fails."""

    format = AudioFormat.WAV
    sample_rate: int | None = None

    def __init__(self, fails: UpstreamError | None) -> None:
        self._fails = fails

    async def say(self, text: str) -> None:
        """It is spoken by the pieces."""

    async def clear(self) -> None:
        """Nothing waits."""

    async def finish(self) -> None:
        """There is no more."""

    async def pieces(self) -> AsyncGenerator[bytes | SpokenText]:
        if self._fails is not None:
            raise self._fails
        yield b"sound"
        yield SpokenText(1)


class Talker(FakeSynthesizer):
    """Begins every conversation, of which the next ones fail with these."""

    fails: list[UpstreamError]

    @asynccontextmanager
    async def converse(self, request: SpeechRequest) -> AsyncGenerator[Speaking]:
        self.requests.append(request)
        yield FakeSpeaking(self.fails.pop(0) if self.fails else None)


def talker(name: str, model: SpeechModel, *fails: UpstreamError) -> Talker:
    made = Talker(name)
    made.models, made.fails = (model,), list(fails)
    return made


def deepgram(*fails: UpstreamError) -> Talker:
    return talker("deepgram", SpeechModel(name="aura-2", voices=("thalia",)), *fails)


def flite(*formats: AudioFormat) -> Talker:
    return talker("embedded", SpeechModel(name="flite", voices=("rms",), formats=formats))


async def speak(
    request: SpeechRequest,
    *talkers: Talker,
    clock: Callable[[], float] = HEARD,
    sentences: tuple[str, ...] = ("Moss grows.",),
) -> None:
    text = AnswerText(cast("Runs", None), RUN)
    text.sentences, text.whole = [*sentences], True
    services: list[SpeechSynthesizer] = [*talkers]
    speaker = SentenceSpeaker(
        Calls().calls,
        principal(),
        FakeClient(),
        partial(fitted, request=request, others=services),
        Playback(clock),
        asyncio.Lock(),
        LiveBounds(ahead_s=600.0),
    )
    await speaker.speak(RUN, text, [Engine(one, None) for one in services])


def asked(voice: str | None = None, format_: AudioFormat = AudioFormat.WAV) -> SpeechRequest:
    return SpeechRequest(text="", voice=voice, format=format_)


def failure(kind: type[UpstreamError]) -> UpstreamError:
    return kind("No.", provider="deepgram")


async def test_the_next_one_speaks_in_a_voice_of_its_own() -> None:
    first, second = deepgram(failure(UpstreamQuota)), flite()
    await speak(asked("thalia"), first, second)
    assert [one.voice for one in first.requests] == ["thalia"]
    assert [one.voice for one in second.requests] == [None]


async def test_whose_seats_live_speech_takes_is_known() -> None:
    only = flite()
    await speak(asked(), only)
    assert [one.owner_id for one in only.requests] == [principal().owner_id]


async def test_the_next_one_speaks_in_the_voice_that_only_it_has() -> None:
    first, second = deepgram(failure(UpstreamQuota)), flite()
    await speak(asked("rms"), first, second)
    assert [one.voice for one in first.requests] == [None]
    assert [one.voice for one in second.requests] == ["rms"]


async def test_the_error_of_the_preferred_one_is_told() -> None:
    """Not that the last one has no such format, for which it is not even asked."""
    first, second = deepgram(failure(UpstreamQuota)), flite(AudioFormat.WAV)
    with pytest.raises(UpstreamQuota):
        await speak(asked(format_=AudioFormat.OPUS), first, second)
    assert second.requests == []


async def test_the_only_one_that_lacks_the_format_says_so() -> None:
    with pytest.raises(NotOffered, match="speaks in wav only"):
        await speak(asked(format_=AudioFormat.OPUS), flite(AudioFormat.WAV))


@pytest.mark.parametrize(
    ("kind", "times"), [(UpstreamCut, 2), (UpstreamOverloaded, 2), (UpstreamQuota, 1)]
)
async def test_one_is_tried_again_where_that_may_help(
    kind: type[UpstreamError], times: int
) -> None:
    first = deepgram(*[failure(kind) for _ in range(5)])
    with pytest.raises(CartritaError):
        await speak(asked(), first)
    assert len(first.requests) == times


LONG = "Moss grows." * 1000
"""Minutes of speech."""


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The budget has an end behind `LONG`; whether the sentence after it was refused when due."""
    told, tries = asyncio.Event(), count()

    async def cover(request: MeteredRequest, use: ServiceUse) -> None:
        if use.characters < len(LONG):
            if next(tries):
                told.set()
            raise BudgetExhausted("Used up.")

    monkeypatch.setattr(MeteredRequest, "cover", cover)
    return told


async def test_the_end_of_a_budget_is_told_when_what_was_paid_for_is_heard(
    refused: asyncio.Event,
) -> None:
    said = LONG, "Old."
    speech = asyncio.create_task(speak(asked(), deepgram(), clock=lambda: 0.0, sentences=said))
    async with asyncio.timeout(20):
        await refused.wait()
        for _ in range(50):
            await asyncio.sleep(0)
    assert not speech.done()
    speech.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speech


async def test_the_end_of_a_budget_is_told(refused: asyncio.Event) -> None:
    with pytest.raises(BudgetExhausted):
        await speak(asked(), deepgram(), sentences=(LONG, "Old."))
    assert refused.is_set()
