"""The audio API of OpenAI and of servers like it, asked by the adapter."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest
from tests.backend.adapters.speech.model_servers import PartialServer, rejecting
from tests.harness.fake_provider.faults import CutOff, Fault, HangBeforeHeaders, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.script import Script

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.plain_calls import PlainCalls
from cartrita.adapters.speech.openai_audio import OpenAIAudio, Patience
from cartrita.dialects.openai_audio import speech_texts
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.speech import (
    AudioFormat,
    Recording,
    SpeechRequest,
    SpokenText,
    TranscriptionOptions,
)
from cartrita.kit.secret import Secret

TALK = Recording(data=sounds.wav(sounds.tone(2.0)), media_type="audio/wav", duration=2.0)
SAID = "one two three four five six"
NO_OPTIONS = TranscriptionOptions()
PATIENT = Patience(transcription=60, speech=60)

Make = Callable[..., OpenAIAudio]


@pytest.fixture
def make(fake: FakeProvider, http: HttpClient) -> Make:
    def made(
        name: str = "openai", *, key: str = fake.key, patience: Patience = PATIENT, root: str = ""
    ) -> OpenAIAudio:
        connection = ProviderConnection(
            name=name,
            base_url=root or fake.base_url,
            transport=http,
            credential=Bearer(Secret(key)),
            deadlines=Deadlines(connect=20),
        )
        return OpenAIAudio(PlainCalls(connection, has_key=True), patience)

    return made


async def spoken(audio: OpenAIAudio, request: SpeechRequest) -> bytes:
    async with audio.speak(request) as speech:
        return b"".join([piece async for piece in speech.pieces()])


async def test_a_transcript_with_words_and_segments(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=SAID), path="/v1/audio/transcriptions")
    told = await make().transcribe(TALK, TranscriptionOptions(language="en-GB", prompt="counting"))
    assert (told.text, told.duration, told.language) == (SAID, 2.0, "en")
    assert (told.provider, told.model) == ("openai", "whisper-1")
    assert [word.text for word in told.words] == SAID.split()
    assert [segment.text for segment in told.segments] == ["one two three four five", "six"]
    assert told.confidence == pytest.approx(0.7788, abs=1e-4)
    [asked] = fake.requests()
    assert asked.header("authorization") == f"Bearer {fake.key}"
    assert 'name="prompt"\r\n\r\ncounting\r\n' in asked.body


async def test_newer_models_are_asked_for_text_at_once(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(text=SAID), path="/v1/audio/transcriptions")
    options = TranscriptionOptions(model="gpt-4o-mini-transcribe", temperature=0.2)
    told = await make().transcribe(TALK, options)
    assert (told.text, told.duration, told.words) == (SAID, 2.0, ())
    assert len(fake.requests()) == 1


def without(*lacking: str) -> Callable[[list[tuple[str, str]]], bytes]:
    def answer(fields: list[tuple[str, str]]) -> bytes:
        for name, value in fields:
            if name in lacking or value in lacking:
                raise rejecting(f"{name} {value} is not known", param=name)
        return b'{"text": " Hello. "}'

    return answer


async def test_what_a_server_lacks_is_found_out_once() -> None:
    server = PartialServer(without("verbose_json", "timestamp_granularities[]"), ["my-whisper"])
    audio = OpenAIAudio(server)
    for _ in range(2):
        told = await audio.with_key(Secret("k")).transcribe(TALK, NO_OPTIONS)
        assert (told.text, told.model, told.duration) == ("Hello.", "my-whisper", 2.0)
    formats = [dict(fields)["response_format"] for fields in server.asked]
    assert formats == ["verbose_json", "verbose_json", "json", "json"]
    assert server.listings == 1


async def test_a_server_without_times_of_words_is_asked_for_segments() -> None:
    server = PartialServer(without("timestamp_granularities[]"))
    audio = OpenAIAudio(server)
    for _ in range(2):
        told = await audio.transcribe(TALK, TranscriptionOptions(model="small"))
        assert (told.text, told.model) == ("Hello.", "small")
    granular = ["timestamp_granularities[]" in dict(fields) for fields in server.asked]
    assert granular == [True, False, False]


async def test_a_refusal_without_words_is_one_of_the_form() -> None:
    def answer(fields: list[tuple[str, str]]) -> bytes:
        if dict(fields)["response_format"] == "verbose_json":
            raise rejecting("", status=422)
        return b'{"text": "Hello."}'

    told = await OpenAIAudio(PartialServer(answer)).transcribe(TALK, NO_OPTIONS)
    assert (told.text, told.model) == ("Hello.", "whisper-1")


async def test_a_refused_recording_is_not_sent_again(fake: FakeProvider, make: Make) -> None:
    broken = Recording(data=b"RIFF broken", media_type="audio/wav")
    with pytest.raises(UpstreamRejected, match="corrupted"):
        await make().transcribe(broken, NO_OPTIONS)
    assert len(fake.requests()) == 1


@pytest.mark.parametrize(
    ("models", "transcribes", "speaks"),
    [
        (["llama3", "Systran/faster-whisper-small", "kokoro"], 1, 2),
        (["whisper-large-v3", "playai-tts"], 0, 1),
        (["nvidia/parakeet-tdt", "orpheus-3b"], 0, 1),
    ],
)
async def test_the_usual_models_are_those_whose_names_tell_it(
    models: list[str], transcribes: int, speaks: int
) -> None:
    server = PartialServer(lambda fields: b'{"text": ""}', models)
    told = await OpenAIAudio(server).transcribe(TALK, NO_OPTIONS)
    assert told.model == models[transcribes]
    server = PartialServer(lambda fields: b"ID3 sound", models)
    assert await spoken(OpenAIAudio(server), SpeechRequest(text="Hi.")) == b"ID3 sound"
    assert ("model", models[speaks]) in server.asked[0]


async def test_a_server_without_a_fitting_model() -> None:
    server = PartialServer(lambda fields: b"{}", ["llama3"])
    with pytest.raises(UpstreamRejected, match="name one, as whisper/model") as told:
        await OpenAIAudio(server).transcribe(TALK, NO_OPTIONS)
    assert told.value.code == "model_not_found"


async def test_speech_as_it_is_asked_for(fake: FakeProvider, make: Make) -> None:
    request = SpeechRequest(
        text="one two", voice="marin", format=AudioFormat.PCM, speed=2.0, instructions="Softly."
    )
    async with make().speak(request) as speech:
        assert (speech.format, speech.sample_rate) == (AudioFormat.PCM, 24_000)
        pieces = [piece async for piece in speech.pieces()]
    assert len(b"".join(pieces)) == 2 * len(sounds.tone(sounds.WORD_S / 2))
    [asked] = fake.requests()
    assert '"instructions":"Softly."' in asked.body
    assert '"model":"gpt-4o-mini-tts"' in asked.body


async def test_older_models_get_no_instructions(fake: FakeProvider, make: Make) -> None:
    request = SpeechRequest(text="one two", model="tts-1", instructions="Softly.")
    async with make().speak(request) as speech:
        assert (speech.format, speech.sample_rate) == (AudioFormat.MP3, None)
    [asked] = fake.requests()
    assert "instructions" not in asked.body


async def test_a_long_text_is_spoken_by_several_requests(fake: FakeProvider, make: Make) -> None:
    text = "This is a sentence. " * 300
    assert len(text) > speech_texts.LONGEST
    whole = await spoken(make(), SpeechRequest(text=text, format=AudioFormat.MP3))
    assert len(fake.requests()) == 2
    assert whole[:2] == b"\xff\xfb"
    with pytest.raises(UpstreamRejected, match="cannot be put together"):
        await spoken(make(), SpeechRequest(text=text, format=AudioFormat.WAV))


async def test_a_text_is_cut_where_it_is_heard_least() -> None:
    text = "One is short. Two follows it. Threeisverylongwithoutanyblank. End"
    parts = speech_texts.parts(text, 30)
    assert "".join(parts) == text
    assert parts[0] == "One is short. Two follows it. "
    assert all(0 < len(part) <= 30 for part in parts)


@pytest.mark.parametrize("body", [b"", b'{"error": "odd"}'])
async def test_what_is_no_speech(body: bytes) -> None:
    audio = OpenAIAudio(PartialServer(lambda fields: body))
    with pytest.raises(UpstreamMalformed):
        await spoken(audio, SpeechRequest(text="Hi."))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ReplacedResponse(status=401), UpstreamAuth),
        (ReplacedResponse(status=402), UpstreamQuota),
        (ReplacedResponse(status=429), UpstreamLimited),
        (ReplacedResponse(status=503), UpstreamOverloaded),
        (CutOff(), UpstreamUnreachable),
        (CutOff(how="fin", after_bytes=5), UpstreamCut),
    ],
)
async def test_failures(
    fake: FakeProvider, make: Make, fault: Fault, kind: type[UpstreamError]
) -> None:
    script = Script(faults=(fault,))
    for path in ("/v1/audio/transcriptions", "/v1/audio/speech"):
        fake.script(script, path=path)
    with pytest.raises(kind) as heard:
        await make().transcribe(TALK, NO_OPTIONS)
    with pytest.raises(kind) as told:
        await spoken(make(), SpeechRequest(text="Hi."))
    assert {heard.value.provider, told.value.provider} == {"openai"}


async def test_a_server_that_says_nothing(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(faults=(HangBeforeHeaders(),)), path="/v1/audio/transcriptions")
    hasty = make(patience=Patience(transcription=0.2, speech=0.2))
    with pytest.raises(UpstreamUnreachable):
        await hasty.transcribe(TALK, NO_OPTIONS)


async def test_leaving_ends_the_request(fake: FakeProvider, make: Make) -> None:
    fake.script(Script(between_tokens_s=0.05), path="/v1/audio/speech")
    request = SpeechRequest(text="word " * 200, format=AudioFormat.PCM)
    async with make().speak(request) as speech, aclosing(speech.pieces()) as pieces:  # pyright: ignore[reportArgumentType]
        assert await anext(pieces)
    for _ in range(2_000):
        if not fake.open_streams():
            break
        await asyncio.sleep(0.01)
    assert fake.requests()[-1].outcome == "disconnected"


async def test_the_key_is_tested_with_a_list(fake: FakeProvider, make: Make) -> None:
    audio = make()
    await audio.test_key()
    with pytest.raises(UpstreamAuth):
        await audio.with_key(Secret("sk-wrong")).test_key()
    assert (audio.name, audio.has_key, audio.needs_key) == ("openai", True, False)
    assert [asked.path for asked in fake.requests()] == ["/v1/models", "/v1/models"]


async def test_the_address_may_be_one_of_an_endpoint(fake: FakeProvider, make: Make) -> None:
    audio = make(root=f"{fake.base_url}/chat/completions")
    assert (await audio.transcribe(TALK, NO_OPTIONS)).text


async def test_texts_are_spoken_as_they_come(fake: FakeProvider, make: Make) -> None:
    request = SpeechRequest(text="", format=AudioFormat.PCM)
    found: list[bytes | SpokenText] = []
    async with make().converse(request) as speaking:
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
