"""Engines of live speech that are there and say nothing: others take over, or it is told."""

from collections.abc import Iterator

import pytest
from tests.harness.deepgram.faults import Fault, Hang
from tests.harness.deepgram.launch import Deepgram
from tests.harness.deepgram.tones import silence
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario, until
from tests.harness.server import Server
from tests.harness.voice_sockets import PAUSE, RATE, live_settings, of_type, voice
from tests.journeys.live_voice import MODEL
from tests.journeys.live_voice import deepgram_server as deepgram_server

TRANSCRIPTIONS = "/v1/audio/transcriptions"
SAID = "What grows on old stones in the woods?"


@pytest.fixture(scope="module")
def server(provider: FakeProvider, deepgram_server: Deepgram) -> Iterator[Server]:
    """It prefers a Deepgram, for which it has little patience."""
    settings = {
        **live_settings(deepgram_server),
        "CARTRITA_VOICE_TRANSCRIBERS": "deepgram,openai",
        "CARTRITA_VOICE_SYNTHESIZERS": "deepgram,openai",
        "CARTRITA_DEEPGRAM_UNHEARD_S": "0.5",
        "CARTRITA_VOICE_SPEECH_TIMEOUT_S": "0.5",
    }
    with Server(provider_url=provider.base_url, settings=settings) as running:
        yield running


@pytest.fixture
def live(server: Server, provider: FakeProvider, deepgram_server: Deepgram) -> Iterator[Scenario]:
    deepgram_server.reset()
    provider.reset()
    yield Scenario(server, provider)
    provider.reset()


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize("ends", ["with_pause", "when_asked", "stopped", "asked_and_stopped"])
async def test_another_hears_what_was_said_again(
    live: Scenario, deepgram_server: Deepgram, after: int, ends: str
) -> None:
    """Also after words that were not final, and where a button was released meanwhile."""
    deepgram_server.fail(Fault(at="WS /v1/listen", do=Hang(), after=after))
    live.provider.script(Script(text="Moss grows."), path=TRANSCRIPTIONS)
    async with voice(live.server.port) as socket:
        turns = "with_pause" if ends == "with_pause" else "when_asked"
        assert (await socket.start(respond=False, turns_end=turns))["transcriber"] == "deepgram"
        await socket.say(deepgram_server.samples(SAID) + PAUSE)
        if "asked" in ends:
            await socket.send(type="end_turn")
        if "stopped" in ends:
            await socket.send(type="stop")
        frames = await socket.until(lambda frame: frame.get("text") == "Moss grows."
                                    and frame["type"] == "turn")  # fmt: skip
    assert [one["transcriber"] for one in of_type(frames, "listening")] == ["openai"]
    assert not [one for one in frames if "code" in one]
    assert '"upstream_timeout"' in live.server.log_tail(1 << 20)


async def test_what_has_final_words_is_heard_once(
    live: Scenario, deepgram_server: Deepgram
) -> None:
    """And the times of what another hears go on."""
    live.provider.script(Script(text="And stones."), path=TRANSCRIPTIONS)
    deepgram_server.fail(Fault(at="WS /v1/listen", do=Hang(), after=4))
    async with voice(live.server.port) as socket:
        await socket.start(respond=False, turns_end="when_asked")
        await socket.say(deepgram_server.samples("Moss grows.") + PAUSE)
        first = (await socket.until(lambda frame: frame.get("final") is True))[-1]
        await socket.say(deepgram_server.samples(SAID) + PAUSE)
        await socket.send(type="end_turn")
        frames = await socket.until_type("turn")
    assert [one["transcriber"] for one in of_type(frames, "listening")] == ["openai"]
    assert frames[-1]["text"] == "Moss grows. And stones."
    [second] = [one for one in of_type(frames, "transcript") if one["final"]]
    assert second["start"] >= first["start"] + first["duration"]
    assert frames[-1]["duration"] > 2 * first["duration"]


async def test_where_nobody_else_hears_it_is_told(
    live: Scenario, deepgram_server: Deepgram
) -> None:
    deepgram_server.fail(Fault(at="WS /v1/listen", do=Hang(), after=3))
    async with voice(live.server.port) as socket:
        await socket.start(respond=False, transcriber="deepgram")
        await socket.say(deepgram_server.samples(SAID) + PAUSE)
        frames = await socket.until_type("stopped")
        assert frames[-1]["reason"] == frames[-2]["code"] == "upstream_timeout"
        assert "start again" in frames[-2]["error"]
        live.provider.script(Script(text="Moss."), path=TRANSCRIPTIONS)
        await socket.start(respond=False, transcriber="openai")  # the patience is for Deepgram
        await socket.say(silence(0.2, RATE) + deepgram_server.samples("Moss.") + PAUSE)
        assert (await socket.until_type("turn"))[-1]["text"] == "Moss."
    await until(lambda: deepgram_server.open_sockets() == 0)
    assert live.server.unexpected_errors() == []


async def test_speech_that_does_not_go_on_ends_in_the_time_for_speech(
    live: Scenario, deepgram_server: Deepgram
) -> None:
    deepgram_server.fail(Fault(at="WS /v1/speak", do=Hang(), after=2))
    question = f"What grows? {directive(Script(text='Moss grows there. It is old.'))}"
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL)
        await socket.say(deepgram_server.samples(question) + PAUSE)
        frames = await socket.until(lambda frame: "code" in frame)
    [stopped] = of_type(frames, "speech_stopped")
    assert (stopped["reason"], frames[-1]["code"]) == ("failed", "upstream_cut")
    assert "for 0.5 s" in frames[-1]["error"]
