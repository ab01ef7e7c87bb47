"""Live conversations by servers like OpenAI's and by this machine, which fail in their turn."""

from collections.abc import Iterator
from signal import SIGKILL
from typing import Final

import psutil
import pytest
from tests.backend.adapters.speech.sounds import silence, tone
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.faults import CutOff, Fault, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.harness.voice_sockets import live_settings, of_type, spoken_audio, voice
from tests.journeys.live_voice import MODEL
from tests.journeys.live_voice import deepgram_server as deepgram_server

TRANSCRIPTIONS, SPEECH = "/v1/audio/transcriptions", "/v1/audio/speech"
SAID: Final = (tone(0.15, hertz=200) + tone(0.05, hertz=200, level=0.04)) * 5 + silence(1.2)
"""A sound that goes on and changes as speech does, and a pause: both kinds of ears hear it."""
SENTENCES = ["Moss grows there.", "It is old.", "Stones are older."]
QUESTION = f"What grows? {directive(Script(text=' '.join(SENTENCES)))}"
REFUSED = ReplacedResponse(status=429, code="insufficient_quota")


@pytest.fixture(scope="module")
def server(provider: FakeProvider, deepgram_server: Deepgram) -> Iterator[Server]:
    """It prefers a server like OpenAI's, has this machine listen to one at most, and a Deepgram."""
    settings = {
        **live_settings(deepgram_server),
        "CARTRITA_VOICE_TRANSCRIBERS": "openai,deepgram",
        "CARTRITA_VOICE_SYNTHESIZERS": "openai,deepgram",
        "CARTRITA_VOICE_LISTENERS_MAX": "1",
    }
    with Server(provider_url=provider.base_url, settings=settings) as running:
        yield running


@pytest.fixture
def live(server: Server, provider: FakeProvider, deepgram_server: Deepgram) -> Iterator[Scenario]:
    deepgram_server.reset()
    provider.reset()
    yield Scenario(server, provider)
    provider.reset()


def fails(live: Scenario, path: str, *faults: Fault, times: int = 9) -> None:
    live.provider.script(Script(faults=faults), times=times, path=path)


def hears(live: Scenario, *texts: str) -> None:
    """What the server like OpenAI's hears next."""
    for text in texts:
        live.provider.script(Script(text=text), path=TRANSCRIPTIONS)


async def works(live: Scenario) -> None:
    """Another conversation is heard and spoken by the one that is preferred."""
    live.provider.reset()
    hears(live, QUESTION)
    async with voice(live.server.port) as socket:
        assert (await socket.start(model=MODEL))["transcriber"] == "openai"
        await socket.say(SAID)
        frames = await socket.until_spoken()
    assert frames[-1]["type"] == "speech_done"
    assert [one["text"] for one in of_type(frames, "speech_start")] == SENTENCES
    assert live.server.unexpected_errors() == []


@pytest.mark.parametrize("fault", [REFUSED, CutOff()], ids=["refused", "cut"])
async def test_another_hears_the_same(
    live: Scenario, deepgram_server: Deepgram, fault: Fault
) -> None:
    fails(live, TRANSCRIPTIONS, fault)
    deepgram_server.hear("Moss grows.")
    async with voice(live.server.port) as socket:
        assert (await socket.start(respond=False))["transcriber"] == "openai"
        await socket.say(SAID)
        frames = await socket.until_type("turn")
    assert [one["transcriber"] for one in of_type(frames, "listening")] == ["deepgram"]
    assert frames[-1]["text"] == "Moss grows."
    assert not [one for one in frames if "code" in one]
    await works(live)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(REFUSED, "upstream_quota"), (CutOff(after_bytes=20), "upstream_cut")],
    ids=["refused", "cut"],
)
async def test_one_that_is_named_and_fails_ends_the_listening(
    live: Scenario, fault: Fault, code: str
) -> None:
    hears(live, "The first.")
    fails(live, TRANSCRIPTIONS, fault)
    async with voice(live.server.port) as socket:
        await socket.start(respond=False, transcriber="openai")
        await socket.say(SAID)
        assert (await socket.until_type("turn"))[-1]["text"] == "The first."
        await socket.say(SAID)
        frames = await socket.until_type("stopped")
        assert frames[-1]["reason"] == frames[-2]["code"] == code
        live.provider.reset()
        hears(live, "The second.")
        await socket.start(respond=False)
        await socket.say(SAID)
        assert (await socket.until_type("turn"))[-1]["text"] == "The second."
    await works(live)


@pytest.mark.parametrize("fault", [REFUSED, CutOff()], ids=["refused", "cut"])
async def test_another_speaks(live: Scenario, deepgram_server: Deepgram, fault: Fault) -> None:
    hears(live, QUESTION)
    fails(live, SPEECH, fault)
    async with voice(live.server.port) as socket:
        assert (await socket.start(model=MODEL))["synthesizer"] == "openai"
        await socket.say(SAID)
        frames = await socket.until_spoken()
    assert frames[-1]["type"] == "speech_done"
    assert spoken_audio(frames) == deepgram_server.samples(" ".join(SENTENCES), rate=24_000)
    await works(live)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(REFUSED, "upstream_quota"), (CutOff(after_tokens=1), "upstream_cut")],
    ids=["refused", "cut"],
)
async def test_speech_that_fails_after_its_first_sentence_is_told(
    live: Scenario, fault: Fault, code: str
) -> None:
    """And the answer comes as text."""
    hears(live, QUESTION)
    live.provider.script(Script(), path=SPEECH)
    fails(live, SPEECH, fault)
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL)
        await socket.say(SAID)
        frames = await socket.until(lambda frame: "code" in frame)
        [stopped] = of_type(frames, "speech_stopped")
        assert (stopped["reason"], stopped["sentence"]) == ("failed", 1)
        assert (frames[-1]["code"], frames[-1]["run_id"]) == (code, stopped["run_id"])
        assert [one["sentence"] for one in of_type(frames, "speech_end")] == [0]
        if not any(frame.get("event") == "done" for frame in frames):
            await socket.until_end(stopped["run_id"])
    await works(live)


def engine_of(live: Scenario) -> list[psutil.Process]:
    """The engines of speech that run beneath the server."""
    server = live.server._process
    assert server is not None
    below = psutil.Process(server.pid).children(recursive=True)
    return [one for one in below if "speech.engines.main" in " ".join(one.cmdline())]


async def test_this_machine_refuses_a_second_listener_at_once(live: Scenario) -> None:
    async with voice(live.server.port) as first, voice(live.server.port) as second:
        await first.start(respond=False, transcriber="embedded/pocketsphinx")
        await second.send(
            type="start", sample_rate=16_000, respond=False, transcriber="embedded/pocketsphinx"
        )
        frames = await second.until_type("stopped")
        assert frames[-1]["reason"] == frames[-2]["code"] == "server_busy"
        await second.start(respond=False)
    await works(live)


async def test_an_engine_that_is_killed_ends_the_listening(live: Scenario) -> None:
    async def one() -> psutil.Process | None:
        return next(iter(engine_of(live)), None)

    async with voice(live.server.port) as socket:
        await socket.start(respond=False, transcriber="embedded/pocketsphinx")
        engine = await eventually(one)
        engine.send_signal(SIGKILL)
        await socket.say(SAID)
        frames = await socket.until_type("stopped")
        assert frames[-1]["reason"] == frames[-2]["code"] == "upstream_cut"
        hears(live, "Still here.")
        await socket.start(respond=False)
        await socket.say(SAID)
        assert (await socket.until_type("turn"))[-1]["text"] == "Still here."
    assert engine_of(live) == []
    await works(live)
