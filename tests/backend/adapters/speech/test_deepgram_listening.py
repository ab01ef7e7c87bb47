"""Live audio at Deepgram: words while they are said, pauses, and an end; also a bad one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.backend.adapters.speech.conftest import AtDeepgram
from tests.harness.deepgram.faults import Close, Cut, Deed, Fault, Hang, Raw, Send
from tests.harness.deepgram.launch import Deepgram, deepgram
from tests.harness.deepgram.tones import silence
from tests.harness.scenario import until

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.speech.deepgram import DeepgramTranscriber
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.domain.errors import (
    NotOffered,
    UpstreamCut,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamRejected,
)
from cartrita.domain.ports.speech import Listening
from cartrita.domain.speech import (
    Heard,
    ListeningEvent,
    PcmFormat,
    SpeechStarted,
    TranscriptionOptions,
    UtteranceEnded,
)
from cartrita.kit.secret import Secret

RATE = 16_000
PCM = PcmFormat(RATE)
ANY = TranscriptionOptions()
FRAME = 3200
"""100 ms."""


@asynccontextmanager
async def listening(
    service: DeepgramService,
    audio: PcmFormat = PCM,
    options: TranscriptionOptions = ANY,
) -> AsyncGenerator[Listening]:
    async with (
        asyncio.timeout(60),
        DeepgramTranscriber(service).listen(audio, options) as heard,
    ):
        yield heard


async def next_of(events: AsyncIterator[ListeningEvent]) -> ListeningEvent:
    return await anext(events)


async def send(heard: Listening, audio: bytes) -> None:
    for at in range(0, len(audio), FRAME):
        await heard.send(audio[at : at + FRAME])


async def heard_of(service: DeepgramService, audio: bytes) -> list[ListeningEvent]:
    async with listening(service) as heard:
        await send(heard, audio)
        await heard.finish()
        return [event async for event in heard.events()]


def texts(events: list[ListeningEvent], *, final: bool) -> list[str]:
    return [one.text for one in events if isinstance(one, Heard) and one.final is final]


async def test_words_grow_until_a_pause_makes_them_final(
    at_deepgram: AtDeepgram, standin: Deepgram
) -> None:
    audio = standin.samples("What grows on stones?") + silence(1.5, RATE)
    audio += standin.samples("Moss.") + silence(0.4, RATE)
    events = await heard_of(at_deepgram(), audio)
    assert texts(events, final=False) == [
        "What",
        "What grows",
        "What grows on",
        "What grows on stones?",
        "Moss.",
    ]
    finals = [one for one in events if isinstance(one, Heard) and one.final]
    assert [(one.text, one.ends_utterance, one.language) for one in finals] == [
        ("What grows on stones?", True, "en"),
        ("Moss.", True, "en"),
    ]
    assert finals[0].words[-1].text == "stones?"
    assert finals[0].start + finals[0].duration >= finals[0].words[-1].end
    starts = [one.at for one in events if isinstance(one, SpeechStarted)]
    assert starts == pytest.approx([0.0, 2.14], abs=0.02)
    assert not [one for one in events if isinstance(one, UtteranceEnded)]  # they are told already
    (asked,) = standin.exchanges()
    assert (asked.audio_bytes, asked.messages) == (len(audio), ['{"type":"CloseStream"}'])
    assert dict(asked.query) == {
        "model": "nova-3",
        "smart_format": "true",
        "punctuate": "true",
        "language": "multi",
        "encoding": "linear16",
        "sample_rate": "16000",
        "channels": "1",
        "interim_results": "true",
        "endpointing": "300",
        "utterance_end_ms": "1000",
        "vad_events": "true",
    }


async def test_two_channels_and_what_is_asked_for(
    at_deepgram: AtDeepgram, standin: Deepgram
) -> None:
    options = TranscriptionOptions(model="nova-2", language="de")
    audio = standin.samples("Moos wächst.", rate=48_000, channels=2)
    async with listening(at_deepgram(pause_ms=1500), PcmFormat(48_000, 2), options) as heard:
        await send(heard, audio)
        await heard.finish()
        events = [event async for event in heard.events()]
    assert texts(events, final=True) == ["Moos wächst."]
    (asked,) = standin.exchanges()
    assert (asked.value("channels"), asked.value("sample_rate")) == ("2", "48000")
    assert (asked.value("language"), asked.value("utterance_end_ms")) == ("de", "1500")


async def test_an_older_model_is_asked_for_no_languages_at_once(
    at_deepgram: AtDeepgram, standin: Deepgram
) -> None:
    async with listening(at_deepgram(model="nova-2")) as heard:
        await heard.finish()
        assert [event async for event in heard.events()] == []
    assert standin.exchanges()[0].value("language") is None


async def test_a_button_ends_what_was_said(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    async with listening(at_deepgram()) as heard:
        await send(heard, standin.samples("Moss grows."))
        await heard.end_utterance()
        async for event in heard.events():
            if isinstance(event, Heard) and event.final:
                assert (event.text, event.ends_utterance) == ("Moss grows.", True)
                assert event.asked
                break
    assert standin.exchanges()[0].messages == ['{"type":"Finalize"}']


async def test_a_button_where_nothing_more_was_said(at_deepgram: AtDeepgram) -> None:
    async with listening(at_deepgram(finalize=0.05)) as heard:
        await heard.end_utterance()
        assert await anext(aiter(heard.events())) == UtteranceEnded(0.0, asked=True)


async def test_a_button_after_a_pause(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    """What was said before the pause was not asked for, whenever it comes."""
    async with listening(at_deepgram(finalize=0.05)) as heard:
        await send(heard, standin.samples("One two.") + silence(0.4, RATE))
        await send(heard, standin.samples("Three."))
        await heard.end_utterance()
        await heard.finish()
        finals = [one async for one in heard.events() if isinstance(one, Heard) and one.final]
    assert [(one.text, one.asked) for one in finals] == [("One two.", False), ("Three.", True)]


async def test_a_button_while_the_words_are_awaited(
    at_deepgram: AtDeepgram, standin: Deepgram
) -> None:
    """Whoever reads learns of the button, although nothing came that would wake it."""
    async with listening(at_deepgram(finalize=0.05, keep_alive=50.0)) as heard:
        events = heard.events()
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(next_of(events))
            await asyncio.sleep(0)
            await heard.end_utterance()
        assert first.result() == UtteranceEnded(0.0, asked=True)


async def test_a_pause_after_parts_of_what_was_said(
    at_deepgram: AtDeepgram, standin: Deepgram
) -> None:
    """A long utterance comes in several final parts, and its end in none of them."""
    many = "Moss grows on stones and trees and walls and roofs and in the woods. "
    audio = standin.samples(many * 3) + silence(0.5, RATE)
    events = await heard_of(at_deepgram(), audio)
    assert " ".join(texts(events, final=True)) == (many * 3).strip()
    ends = [one.ends_utterance for one in events if isinstance(one, Heard) and one.final]
    assert ends == [False] * (len(ends) - 1) + [True]
    assert len(ends) > 1


async def test_silence_is_kept_alive_and_says_nothing(http: HttpClient) -> None:
    with deepgram(silence_s=1.0) as server:
        service = DeepgramService(
            http=http, base_url=server.base_url, key=Secret(server.key), keep_alive=0.1
        )
        async with listening(service) as heard:
            await send(heard, silence(7.0, RATE))
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(next_of(heard.events()))
                await until(lambda: len(server.exchanges()[0].messages) >= 12)
                assert not waiting.done()
                waiting.cancel()
        (asked,) = server.exchanges()
        assert set(asked.messages) == {'{"type":"KeepAlive"}'}
        assert asked.closed == "1000"


async def test_nobody_keeps_it_alive(http: HttpClient) -> None:
    with deepgram(silence_s=0.05) as server:
        service = DeepgramService(http=http, base_url=server.base_url, key=Secret(server.key))
        async with listening(service) as heard:
            with pytest.raises(UpstreamCut, match="NET-0001") as raised:
                await anext(aiter(heard.events()))
            assert raised.value.retryable
            with pytest.raises(UpstreamCut, match="NET-0001"):
                await heard.send(b"\0\0")


async def test_no_audio_is_no_message(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    async with listening(at_deepgram()) as heard:
        await heard.send(b"")
        await heard.finish()
        assert [event async for event in heard.events()] == []
    (asked,) = standin.exchanges()
    assert (asked.audio_bytes, asked.closed) == (0, "1000")


async def test_leaving_closes_the_socket(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    async with listening(at_deepgram()) as heard:
        await send(heard, standin.samples("Moss grows."))
    (asked,) = standin.exchanges()
    assert asked.closed == "1000"
    await until(lambda: standin.open_sockets() == 0)


async def test_names_that_are_none(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    with pytest.raises(NotOffered):
        async with listening(at_deepgram(), options=TranscriptionOptions(model="a/b")):
            pass
    assert standin.exchanges() == []


FRAMES = 9
"""SpeechStarted, four interim results, the final one, UtteranceEnd, an empty one and Metadata."""
BAD_ENDS = [
    (Cut(reset=True), UpstreamCut),
    (Cut(reset=False), UpstreamCut),
    (Close(1008, "DATA-0000"), UpstreamRejected),
    (Close(1011, "NET-0000"), UpstreamOverloaded),
    (Close(1011, "NET-0001"), UpstreamCut),
    (Close(1001, "restart"), UpstreamCut),
    (Close(4000, "moss"), UpstreamOverloaded),
    (Send(text="moss"), UpstreamMalformed),
    (Send(text="[]"), UpstreamMalformed),
    (Send(text='{"type": 7}'), UpstreamMalformed),
    (Send(text='{"type":"Results","channel":[0]}'), UpstreamMalformed),
    (Send(text='{"type":"Results","channel":{"alternatives":7}}'), UpstreamMalformed),
    (Send(text="[" * 9000), UpstreamMalformed),
    (Send(size=10), UpstreamMalformed),
    (Send(size=(4 << 20) + 1), UpstreamMalformed),
    (Raw(b"\xff\xff\xff\xffmoss"), UpstreamMalformed),
    (Send(text='{"type":"Error","variant":"X","description":"No moss."}'), UpstreamRejected),
]


@pytest.mark.parametrize("after", range(FRAMES))
@pytest.mark.parametrize(("deed", "kind"), BAD_ENDS, ids=lambda one: repr(one)[:40])
async def test_a_bad_end_at_each_frame(
    at_deepgram: AtDeepgram, standin: Deepgram, deed: Deed, kind: type[UpstreamError], after: int
) -> None:
    audio = standin.samples("What grows on stones?") + silence(1.5, RATE)
    standin.fail(Fault(at="WS /v1/listen", do=deed, after=after))
    events: list[ListeningEvent] = []

    async def hear() -> None:
        async with listening(at_deepgram(idle=5.0)) as heard:
            await send(heard, audio)
            await heard.finish()
            async for event in heard.events():
                events.append(event)  # noqa: PERF401 - those before the error too

    with pytest.raises(UpstreamError) as raised:
        await hear()
    assert isinstance(raised.value, kind | UpstreamCut)
    assert standin.key not in raised.value.message
    whole = ["What", "What grows", "What grows on", "What grows on stones?"]
    interim = texts(events, final=False)
    assert interim == whole[: len(interim)]


async def test_an_end_that_does_not_come(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    standin.fail(Fault(at="WS /v1/listen", do=Hang(), after=0))
    async with listening(at_deepgram(unheard=0.1)) as heard:
        await heard.finish()
        with pytest.raises(UpstreamCut, match=r"told nothing for 0.1 s"):
            await anext(aiter(heard.events()))


@pytest.mark.parametrize("after", [0, 2])
async def test_audio_of_which_nothing_is_told(
    at_deepgram: AtDeepgram, standin: Deepgram, after: int
) -> None:
    standin.fail(Fault(at="WS /v1/listen", do=Hang(), after=after))
    audio = standin.samples("What grows on stones?")
    told: list[ListeningEvent] = []

    async def hear() -> None:
        async with (
            listening(at_deepgram(unheard=0.5)) as heard,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(send(heard, audio * 2))
            async for event in heard.events():
                told.append(event)  # noqa: PERF401 - those before the error too

    with pytest.raises(ExceptionGroup) as raised:
        await hear()
    [error] = raised.value.exceptions
    assert isinstance(error, UpstreamCut)
    assert (error.code, len(told)) == ("upstream_timeout", after)


@pytest.mark.parametrize("after", [0, 1], ids=["nothing", "some_words"])
async def test_words_that_are_asked_for_and_do_not_come(
    at_deepgram: AtDeepgram, standin: Deepgram, after: int
) -> None:
    """That there are none is not told of sound that it has told nothing of."""
    standin.fail(Fault(at="WS /v1/listen", do=Hang(), after=after))
    told: list[ListeningEvent] = []

    async def hear() -> None:
        async with listening(at_deepgram(finalize=0.05, unheard=0.5)) as heard:
            await send(heard, standin.samples("What grows on stones?") * 3)
            await heard.end_utterance()
            async for event in heard.events():
                told.append(event)  # noqa: PERF401 - those before the error too

    with pytest.raises(UpstreamCut, match=r"told nothing for 0.5 s"):
        await hear()
    assert [event for event in told if isinstance(event, UtteranceEnded)] == []


async def test_little_audio_may_be_unheard_for_long(
    at_deepgram: AtDeepgram, standin: Deepgram
) -> None:
    """Deepgram tells nothing of silence that is shorter than what it tells words in."""
    async with listening(at_deepgram(unheard=0.5, keep_alive=0.1)) as heard:
        await send(heard, silence(0.4, RATE))
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(next_of(heard.events()))
            await until(lambda: len(standin.exchanges()[0].messages) >= 10)
            assert not waiting.done()
            waiting.cancel()


async def test_audio_that_is_not_taken(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    standin.fail(Fault(at="WS /v1/listen", do=Hang(reads=False), after=0))

    async def send_for_ever() -> None:
        async with listening(at_deepgram(idle=0.1)) as heard:
            while True:
                await heard.send(bytes(1 << 20))

    with pytest.raises(UpstreamCut, match=r"took nothing for 0.1 s"):
        await send_for_ever()


@pytest.mark.parametrize("text", ['{"type":"Moss"}', '{"type":"Metadata","x":[{}]}'])
async def test_frames_of_newer_versions(
    at_deepgram: AtDeepgram, standin: Deepgram, text: str
) -> None:
    standin.fail(Fault(at="WS /v1/listen", do=Send(text=text), after=0))
    async with listening(at_deepgram()) as heard:
        await send(heard, standin.samples("Moss.") + silence(0.5, RATE))
        async for event in heard.events():
            if isinstance(event, Heard) and event.final:
                assert event.text == "Moss."
                break
