"""Texts that Deepgram speaks as they come: one after the other, silence at once, and cuts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.backend.adapters.speech.conftest import AtDeepgram
from tests.harness.deepgram.faults import Close, Cut, Deed, Delays, Fault, Hang, Raw, Send
from tests.harness.deepgram.launch import Deepgram, deepgram
from tests.harness.scenario import until

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.speech.deepgram import DeepgramSynthesizer
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.domain.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamRejected,
)
from cartrita.domain.ports.speech import Speaking
from cartrita.domain.speech import AudioFormat, SpeechRequest, SpokenText
from cartrita.kit.secret import Secret

WORD = 7680
"""Bytes: 0.16 s at 24,000 samples a second."""
TEXTS = ("Moss grows.", "On stones and trees.", "Softly.")


@asynccontextmanager
async def talking(
    service: DeepgramService, audio: AudioFormat | None = None
) -> AsyncGenerator[Speaking]:
    request = SpeechRequest(text="", format=audio)
    async with (
        asyncio.timeout(60),
        DeepgramSynthesizer(service).converse(request) as speaking,
    ):
        yield speaking


async def next_of(events: AsyncIterator[bytes | SpokenText]) -> bytes | SpokenText:
    return await anext(events)


async def said(speaking: Speaking) -> list[int | SpokenText]:
    """How much audio there is between the texts that are spoken."""
    told: list[int | SpokenText] = []
    async for piece in speaking.pieces():
        if isinstance(piece, SpokenText):
            told.append(piece)
        elif told and isinstance(told[-1], int):
            told[-1] += len(piece)
        else:
            told.append(len(piece))
    return told


async def test_texts_in_their_order(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    async with talking(at_deepgram()) as speaking:
        assert (speaking.format, speaking.sample_rate) == (AudioFormat.PCM, 24_000)
        for text in TEXTS:
            await speaking.say(text)
        await speaking.finish()
        assert await said(speaking) == [
            2 * WORD,
            SpokenText(1),
            4 * WORD,
            SpokenText(2),
            WORD,
            SpokenText(3),
        ]
    (asked,) = standin.exchanges()
    assert dict(asked.query) == {
        "model": "aura-2-thalia-en",
        "encoding": "linear16",
        "sample_rate": "24000",
    }
    assert asked.messages == [
        '{"type":"Speak","text":"Moss grows."}',
        '{"type":"Flush"}',
        '{"type":"Speak","text":"On stones and trees."}',
        '{"type":"Flush"}',
        '{"type":"Speak","text":"Softly."}',
        '{"type":"Flush"}',
        '{"type":"Close"}',
    ]


async def test_a_text_is_spoken_before_the_next_is_known(at_deepgram: AtDeepgram) -> None:
    async with talking(at_deepgram()) as speaking:
        pieces = aiter(speaking.pieces())
        for number, text in enumerate(TEXTS, 1):
            await speaking.say(text)
            while (piece := await anext(pieces)) != SpokenText(number):
                assert isinstance(piece, bytes)


async def test_the_end_wakes_whoever_waits(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    async with talking(at_deepgram(idle=0.05)) as speaking, asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(said(speaking))
        standin.fail(Fault(at="WS /v1/speak", do=Hang(), after=0))
        async with talking(at_deepgram(idle=0.05)) as other:
            await other.say("Moss.")
            with pytest.raises(UpstreamError):  # so long it may be silent that is waited for later
                await said(other)
        assert not reading.done()
        await speaking.finish()
    assert reading.result() == []


async def test_blank_and_long_texts(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    long = " ".join(["Moss grows."] * 200)
    async with talking(at_deepgram()) as speaking:
        await speaking.say(" \n")
        await speaking.say(long)
        await speaking.finish()
        assert await said(speaking) == [400 * WORD, SpokenText(1)]
    assert [one[:15] for one in standin.exchanges()[0].messages].count('{"type":"Speak"') == 2


async def test_silence_at_once(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    """Nothing of what was said before comes after it, however much of it is on its way."""
    standin.delay(Delays(word=0.001))
    for waited in range(5):
        async with talking(at_deepgram()) as speaking:
            await speaking.say("Moss grows on stones and trees and walls and roofs.")
            await speaking.say("And so on and so on.")
            pieces = aiter(speaking.pieces())
            for _ in range(waited):
                await anext(pieces)
            await speaking.clear()
            await speaking.say("Softly.")
            await speaking.finish()
            left = [piece async for piece in pieces]
        assert left == [left[0], SpokenText(1)]
        assert isinstance(left[0], bytes)
        assert len(left[0]) == WORD


async def test_silence_twice_and_then_nothing(at_deepgram: AtDeepgram) -> None:
    async with talking(at_deepgram()) as speaking:
        await speaking.say("Moss grows.")
        await speaking.clear()
        await speaking.clear()
        await speaking.finish()
        assert await said(speaking) == []


async def test_more_texts_than_it_takes_in_a_minute(http: HttpClient) -> None:
    with deepgram() as server:
        service = DeepgramService(http=http, base_url=server.base_url, key=Secret(server.key))
        async with talking(service) as speaking:
            for _ in range(30):
                await speaking.say("Moss.")
            await speaking.finish()
            told = await said(speaking)
        assert told[-1] == SpokenText(30)
        assert sum(one for one in told if isinstance(one, int)) == 30 * WORD
        (asked,) = server.exchanges()
        assert asked.messages.count('{"type":"Flush"}') == 19
        assert "Warning" not in asked.sent


async def test_a_flush_that_it_does_not_take(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, and what was said in the meantime is in it."""
    monkeypatch.setattr("cartrita.adapters.speech.deepgram_talk._NEXT_FLUSH_SECONDS", 0.01)
    with deepgram(flushes=1) as server:
        service = DeepgramService(
            http=http, base_url=server.base_url, key=Secret(server.key), idle=5.0
        )
        async with talking(service) as speaking:
            pieces = aiter(speaking.pieces())
            await speaking.say("Moss.")
            while await anext(pieces) != SpokenText(1):
                pass
            await speaking.say("Softly.")
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(next_of(pieces))
                await until(lambda: server.exchanges()[0].sent.count("Warning") >= 2)
                waiting.cancel()


@pytest.mark.parametrize("audio", [AudioFormat.MP3, AudioFormat.OPUS, AudioFormat.WAV])
async def test_files_are_one_request_for_each_text(
    at_deepgram: AtDeepgram, standin: Deepgram, audio: AudioFormat
) -> None:
    async with talking(at_deepgram(), audio) as speaking:
        assert speaking.format is audio
        for text in TEXTS:
            await speaking.say(text)
        await speaking.finish()
        told = await said(speaking)
    assert [one for one in told if isinstance(one, SpokenText)] == [
        SpokenText(number) for number in (1, 2, 3)
    ]
    assert [one.path for one in standin.exchanges()] == ["/v1/speak"] * 3


FRAMES = 5
"""Metadata, two words, Flushed, and one word of the next text."""
BAD_ENDS = [
    (Cut(reset=True), UpstreamCut),
    (Cut(reset=False), UpstreamCut),
    (Close(1008, "DATA-0000"), UpstreamRejected),
    (Close(1011, "NET-0000"), UpstreamOverloaded),
    (Close(1000), UpstreamCut),
    (Send(text="moss"), UpstreamMalformed),
    (Send(text='{"type": null}'), UpstreamMalformed),
    (Send(text='{"type":"Error","description":"No moss."}'), UpstreamRejected),
    (Send(size=(4 << 20) + 1), UpstreamMalformed),
    (Raw(b"\xff\xff\xff\xffmoss"), UpstreamMalformed),
    (Hang(), UpstreamCut),
]


@pytest.mark.parametrize("after", range(FRAMES))
@pytest.mark.parametrize(("deed", "kind"), BAD_ENDS, ids=lambda one: repr(one)[:40])
async def test_a_bad_end_at_each_frame(
    at_deepgram: AtDeepgram, standin: Deepgram, deed: Deed, kind: type[UpstreamError], after: int
) -> None:
    standin.fail(Fault(at="WS /v1/speak", do=deed, after=after))
    told: list[bytes | SpokenText] = []

    async def talk() -> None:
        async with talking(at_deepgram(idle=0.3 if isinstance(deed, Hang) else 5.0)) as speaking:
            for text in TEXTS:
                await speaking.say(text)
            await speaking.finish()
            async for piece in speaking.pieces():
                told.append(piece)  # noqa: PERF401 - those before the error too

    with pytest.raises(UpstreamError) as raised:
        await talk()
    assert isinstance(raised.value, kind | UpstreamCut)
    assert SpokenText(2) not in told


async def test_warnings_and_frames_of_newer_versions(
    at_deepgram: AtDeepgram, standin: Deepgram
) -> None:
    for text in ('{"type":"Warning","code":"MOSS","description":"x"}', '{"type":"Moss"}'):
        standin.fail(Fault(at="WS /v1/speak", do=Send(text=text), after=1))
        async with talking(at_deepgram()) as speaking:
            await speaking.say("Moss.")
            await speaking.finish()
            assert await said(speaking) == [WORD, SpokenText(1)]


async def test_leaving_closes_the_socket(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    async with talking(at_deepgram()) as speaking:
        await speaking.say("Moss.")
    assert standin.exchanges()[0].closed == "1000"
    await until(lambda: standin.open_sockets() == 0)
