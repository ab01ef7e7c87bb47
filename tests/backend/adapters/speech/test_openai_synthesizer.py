"""Texts are spoken by OpenAI's audio API, and by servers like it."""

from contextlib import aclosing

import pytest
from tests.backend.adapters.speech.conftest import Calls
from tests.backend.adapters.speech.model_servers import PartialServer
from tests.harness.fake_provider.faults import CutOff, Fault, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import until

from cartrita.adapters.speech import speech_texts
from cartrita.adapters.speech.openai_synthesizer import LONGEST_TEXT, OpenAISynthesizer
from cartrita.domain.errors import (
    EndpointMissing,
    NotOffered,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
)
from cartrita.domain.speech import AudioFormat, SpeechRequest, SpokenText

PATH = "/v1/audio/speech"


async def spoken(synthesizer: OpenAISynthesizer, request: SpeechRequest) -> bytes:
    async with synthesizer.speak(request) as speech:
        return b"".join([piece async for piece in speech.pieces()])


async def test_speech_as_it_is_asked_for(fake: FakeProvider, calls: Calls) -> None:
    request = SpeechRequest(
        text="one two", voice="marin", format=AudioFormat.PCM, speed=2.0, instructions="Softly."
    )
    async with OpenAISynthesizer(calls()).speak(request) as speech:
        assert (speech.format, speech.sample_rate) == (AudioFormat.PCM, 24_000)
        pieces = [piece async for piece in speech.pieces()]
    assert len(b"".join(pieces)) == 2 * len(sounds.tone(sounds.WORD_S / 2))
    [asked] = fake.requests()
    assert '"instructions":"Softly."' in asked.body
    assert '"model":"gpt-4o-mini-tts"' in asked.body


async def test_older_models_get_no_instructions(fake: FakeProvider, calls: Calls) -> None:
    request = SpeechRequest(text="one two", model="tts-1", instructions="Softly.")
    async with OpenAISynthesizer(calls()).speak(request) as speech:
        assert (speech.format, speech.sample_rate) == (AudioFormat.MP3, None)
    [asked] = fake.requests()
    assert "instructions" not in asked.body


async def test_a_long_text_is_spoken_by_several_requests(fake: FakeProvider, calls: Calls) -> None:
    text = "This is a sentence. " * 300
    assert len(text) > LONGEST_TEXT
    synthesizer = OpenAISynthesizer(calls())
    whole = await spoken(synthesizer, SpeechRequest(text=text, format=AudioFormat.MP3))
    assert len(fake.requests()) == 2
    assert whole[:2] == b"\xff\xfb"
    with pytest.raises(NotOffered, match="cannot be put together"):
        await spoken(synthesizer, SpeechRequest(text=text, format=AudioFormat.WAV))


async def test_a_text_is_cut_where_it_is_heard_least() -> None:
    text = "One is short. Two follows it. Threeisverylongwithoutanyblank. End"
    parts = speech_texts.parts(text, 30)
    assert "".join(parts) == text
    assert parts[0] == "One is short. Two follows it. "
    assert all(0 < len(part) <= 30 for part in parts)


@pytest.mark.parametrize("body", [b"", b'{"error": "odd"}'])
async def test_what_is_no_speech(body: bytes) -> None:
    audio = OpenAISynthesizer(PartialServer(lambda fields: body))
    with pytest.raises(UpstreamMalformed):
        await spoken(audio, SpeechRequest(text="Hi."))


async def test_leaving_ends_the_request(fake: FakeProvider, calls: Calls) -> None:
    fake.script(Script(between_tokens_s=0.05), path=PATH)
    request = SpeechRequest(text="word " * 200, format=AudioFormat.PCM)
    speaking = OpenAISynthesizer(calls()).speak(request)
    async with speaking as speech, aclosing(speech.pieces()) as pieces:
        assert await anext(pieces)
    await until(lambda: not fake.open_streams())
    assert fake.requests()[-1].outcome == "disconnected"


async def test_texts_are_spoken_as_they_come(fake: FakeProvider, calls: Calls) -> None:
    request = SpeechRequest(text="", format=AudioFormat.PCM)
    found: list[bytes | SpokenText] = []
    async with OpenAISynthesizer(calls()).converse(request) as speaking:
        assert (speaking.format, speaking.sample_rate) == (AudioFormat.PCM, 24_000)
        await speaking.say("One two.")
        await speaking.say("Three.")
        await speaking.finish()
        found = [piece async for piece in speaking.pieces()]
    assert [piece for piece in found if isinstance(piece, SpokenText)] == [
        SpokenText(1),
        SpokenText(2),
    ]
    assert [asked.body.count("One two.") for asked in fake.requests()] == [1, 0]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ReplacedResponse(status=429), UpstreamLimited),
        (ReplacedResponse(status=503), UpstreamOverloaded),
        (CutOff(how="fin", after_tokens=1), UpstreamCut),
    ],
)
async def test_failures(
    fake: FakeProvider, calls: Calls, fault: Fault, kind: type[UpstreamError]
) -> None:
    fake.script(Script(faults=(fault,)), path=PATH)
    with pytest.raises(kind) as told:
        await spoken(OpenAISynthesizer(calls()), SpeechRequest(text="One two three."))
    assert told.value.provider == "openai"


async def test_a_voice_that_is_not_known(fake: FakeProvider, calls: Calls) -> None:
    with pytest.raises(NotOffered, match="somebody") as told:
        await spoken(OpenAISynthesizer(calls()), SpeechRequest(text="Hi.", voice="somebody"))
    assert list(told.value.fields) == ["voice"]


async def test_a_model_or_an_endpoint_that_is_not_there(calls: Calls) -> None:
    synthesizer = OpenAISynthesizer(calls())
    with pytest.raises(EndpointMissing) as told:
        await spoken(synthesizer, SpeechRequest(text="Hi.", model="tts-9"))
    assert (told.value.status, told.value.details["upstream_code"]) == (404, "model_not_found")
    with pytest.raises(EndpointMissing):
        async with synthesizer.answered("/audio/songs", b"{}", "application/json"):
            pytest.fail("There is no such endpoint.")


@pytest.mark.parametrize(
    ("listed", "name"),
    [(["whisper-1", "kokoro"], "kokoro"), (["llama3", "playai-tts"], "playai-tts"), ([], "tts-1")],
)
async def test_the_usual_model_is_one_whose_name_tells_it(listed: list[str], name: str) -> None:
    server = PartialServer(lambda fields: b"ID3 sound", listed)
    synthesizer = OpenAISynthesizer(server)
    assert await spoken(synthesizer, SpeechRequest(text="Hi.")) == b"ID3 sound"
    assert ("model", name) in server.asked[0]
    assert [model.name for model in synthesizer.models] == [name]
