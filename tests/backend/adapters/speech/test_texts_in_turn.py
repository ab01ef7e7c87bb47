"""Texts are spoken in their order; what is cleared is not heard any more."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from cartrita.adapters.speech.texts_in_turn import TextsInTurn
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.speech import AudioFormat, SpokenText


class Synthesizer:
    """Speaks each word of a text as a piece; of a text with `wait` the second one never comes."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.waiting = asyncio.Event()

    @asynccontextmanager
    async def speak(self, text: str) -> AsyncGenerator["Spoken"]:
        self.began.append(text)
        try:
            yield Spoken(self, text)
        finally:
            self.ended.append(text)


class Spoken:
    def __init__(self, synthesizer: Synthesizer, text: str) -> None:
        self.format = AudioFormat.PCM
        self.sample_rate: int | None = 24_000
        self._synthesizer = synthesizer
        self._text = text

    async def pieces(self) -> AsyncGenerator[bytes]:
        for word in self._text.split():
            if word == "wait":
                self._synthesizer.waiting.set()
                await asyncio.Event().wait()
            if word == "fail":
                raise UpstreamCut("cut", provider="p")
            yield word.encode()


@pytest.fixture
def synthesizer() -> Synthesizer:
    return Synthesizer()


@pytest.fixture
def speaking(synthesizer: Synthesizer) -> TextsInTurn:
    return TextsInTurn(synthesizer.speak, AudioFormat.PCM, 24_000)


async def heard(speaking: TextsInTurn, found: list[bytes | SpokenText]) -> None:
    async for piece in speaking.pieces():
        found.append(piece)  # noqa: PERF401 - what came before an error is wanted too


async def test_texts_come_in_turn_and_are_counted(speaking: TextsInTurn) -> None:
    found: list[bytes | SpokenText] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(heard(speaking, found))
        await asyncio.sleep(0)
        await speaking.say("a b")
        await speaking.say("c")
        await speaking.finish()
    assert found == [b"a", b"b", SpokenText(1), b"c", SpokenText(2)]


async def test_clearing_gives_up_what_is_waited_for(
    speaking: TextsInTurn, synthesizer: Synthesizer
) -> None:
    found: list[bytes | SpokenText] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(heard(speaking, found))
        await speaking.say("a wait b")
        await speaking.say("never")
        await synthesizer.waiting.wait()
        await speaking.clear()
        await speaking.say("later")
        await speaking.finish()
    assert found == [b"a", b"later", SpokenText(1)]
    assert synthesizer.began == synthesizer.ended == ["a wait b", "later"]


async def test_clearing_between_two_pieces(speaking: TextsInTurn, synthesizer: Synthesizer) -> None:
    await speaking.say("a b c")
    await speaking.say("d")
    pieces = aiter(speaking.pieces())
    assert await anext(pieces) == b"a"
    await speaking.clear()
    await speaking.finish()
    assert [piece async for piece in pieces] == []
    assert synthesizer.began == synthesizer.ended == ["a b c"]


async def test_clearing_silence_changes_nothing(speaking: TextsInTurn) -> None:
    await speaking.clear()
    await speaking.say("a")
    await speaking.finish()
    assert [piece async for piece in speaking.pieces()] == [b"a", SpokenText(1)]


async def test_a_failure_is_told_and_ends_the_speech(
    speaking: TextsInTurn, synthesizer: Synthesizer
) -> None:
    await speaking.say("a fail")
    found: list[bytes | SpokenText] = []
    with pytest.raises(UpstreamCut):
        await heard(speaking, found)
    assert found == [b"a"]
    assert synthesizer.ended == ["a fail"]


async def test_a_reader_that_is_cancelled_is_cancelled(
    speaking: TextsInTurn, synthesizer: Synthesizer
) -> None:
    found: list[bytes | SpokenText] = []
    reader = asyncio.ensure_future(heard(speaking, found))
    await speaking.say("a wait")
    await synthesizer.waiting.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert synthesizer.ended == ["a wait"]
