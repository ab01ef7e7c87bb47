"""What is heard and spoken is told to Langfuse too: the words, the seconds and what they cost."""

import json
from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import pytest
from tests.harness.deepgram.faults import Fault, Refuse
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.langfuse_sink import LangfuseSink, Span, langfuse_sink
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.harness.voice_sockets import PAUSE, live_settings, of_type, voice
from tests.journeys.live_voice import MODEL
from tests.journeys.live_voice import deepgram_server as deepgram_server
from tests.journeys.voice import said, spoken

TRANSCRIBE = "/api/voice/transcribe"
PER_SECOND, PER_CHARACTER = Decimal("0.00007167"), Decimal("0.00003")


@pytest.fixture(scope="module")
def sink() -> Iterator[LangfuseSink]:
    with langfuse_sink() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    provider: FakeProvider, deepgram_server: Deepgram, sink: LangfuseSink
) -> Iterator[Server]:
    settings = {**live_settings(deepgram_server), **sink.settings}
    with Server(provider_url=provider.base_url, settings=settings) as running:
        yield running


@pytest.fixture
def traced(server: Server, provider: FakeProvider, deepgram_server: Deepgram) -> Scenario:
    deepgram_server.reset()
    return Scenario(server, provider)


async def trace_with(sink: LangfuseSink, field: str, words: str) -> Span:
    """The first span of the trace that has these words in its input or output."""

    async def look() -> Span | None:
        found = [one for one in sink.roots() if words in (one[field] or "")]
        return sink.root(found[0].trace_id) if found else None

    return await eventually(look)


def cost_of(generation: Span) -> Decimal:
    return Decimal(str(generation.json("cost_details")["total"]))


async def test_a_recording_is_told_by_its_words(
    traced: Scenario, sink: LangfuseSink, deepgram_server: Deepgram
) -> None:
    words = f"What grows on {uuid4().hex}?"
    recording = deepgram_server.recording(words)
    status, heard = await said(traced, TRANSCRIBE, recording)
    assert status == 200, heard
    root = await trace_with(sink, "output", words)
    assert root.story() == ["span transcription", "  generation nova-3"]
    assert root.attributes["langfuse.trace.name"] == "transcription"
    assert root.attributes["user.id"]
    (generation,) = root.children
    assert (generation["input"], generation["output"]) == (None, words)
    assert generation.json("metadata.provider") == "deepgram"
    seconds = generation.json("metadata.audio_seconds")
    assert seconds == pytest.approx(heard["duration"])
    assert generation.json("usage_details")["audio_milliseconds"] == round(seconds * 1000)
    assert cost_of(generation) == PER_SECOND * Decimal(str(round(seconds, 3)))
    assert recording[100:140] not in b"".join(sink.bodies)


async def test_a_speech_is_told_by_its_text(traced: Scenario, sink: LangfuseSink) -> None:
    text = f"Moss grows on {uuid4().hex}."
    status, _, audio = await spoken(traced, {"text": text})
    assert (status, bool(audio)) == (200, True)
    root = await trace_with(sink, "input", text)
    (generation,) = root.children
    assert (root.name, generation.kind) == ("speech", "generation")
    assert (generation["input"], generation["output"]) == (text, None)
    assert generation.json("usage_details")["characters"] == len(text)
    assert cost_of(generation) == PER_CHARACTER * len(text)


async def test_an_attempt_that_fails_says_why(
    traced: Scenario, sink: LangfuseSink, deepgram_server: Deepgram
) -> None:
    words = f"Does it grow on {uuid4().hex}?"
    deepgram_server.fail(Fault(at="POST /v1/listen", do=Refuse(status=503)))
    status, heard = await said(traced, TRANSCRIBE, deepgram_server.recording(words))
    assert status == 200, heard
    root = await trace_with(sink, "output", words)
    assert root.story() == [
        "span transcription",
        "  generation nova-3 [ERROR]",
        "  generation nova-3 [WARNING]",
    ]
    failed, answered = sorted(root.children, key=lambda one: one.start)
    assert (failed["status_message"], cost_of(failed)) == ("upstream_overloaded", 0)
    assert answered["status_message"].startswith("It answered after deepgram/nova-3: ")


async def test_a_live_conversation_is_told_by_what_was_heard_and_spoken(
    traced: Scenario, sink: LangfuseSink, deepgram_server: Deepgram
) -> None:
    words = "What grows on walls?"
    async with voice(traced.server.port) as socket:
        await socket.start(model=MODEL)
        await socket.say(deepgram_server.samples(words) + PAUSE)
        frames = await socket.until_spoken()
    sentences = [one["text"] for one in of_type(frames, "speech_start")]
    heard = await trace_with(sink, "output", words)
    assert heard.name == "listening"
    assert heard.children[0].json("usage_details")["audio_milliseconds"] > 0
    speech = await trace_with(sink, "input", sentences[0])
    assert speech["input"] == " ".join(sentences)
    characters = speech.children[0].json("usage_details")["characters"]
    assert characters == sum(map(len, sentences))
    assert json.loads(speech.children[0]["cost_details"])["speech"] > 0
