"""Recordings are transcribed by OpenAI's audio API, and by servers that have a part of it."""

from collections.abc import Callable

import pytest
from tests.backend.adapters.speech.conftest import Calls
from tests.backend.adapters.speech.model_servers import PartialServer, rejecting
from tests.backend.adapters.speech.sounds import babble, silence
from tests.harness.fake_provider.faults import CutOff, Fault, HangBeforeHeaders, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.script import Script

from cartrita.adapters.speech.openai_transcriber import OpenAITranscriber
from cartrita.domain.errors import (
    RecordingRefused,
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.speech import (
    Heard,
    PcmFormat,
    Recording,
    SpeechModel,
    TranscriptionOptions,
)
from cartrita.kit.secret import Secret

TALK = Recording(data=sounds.wav(sounds.tone(2.0)), media_type="audio/wav", duration=2.0)
SAID = "one two three four five six"
NO_OPTIONS = TranscriptionOptions()
PATH = "/v1/audio/transcriptions"


async def test_a_transcript_with_words_and_segments(fake: FakeProvider, calls: Calls) -> None:
    fake.script(Script(text=SAID), path=PATH)
    options = TranscriptionOptions(language="en-GB", prompt="counting")
    told = await OpenAITranscriber(calls()).transcribe(TALK, options)
    assert (told.text, told.duration, told.language) == (SAID, 2.0, "en")
    assert (told.provider, told.model) == ("openai", "whisper-1")
    assert [word.text for word in told.words] == SAID.split()
    assert [segment.text for segment in told.segments] == ["one two three four five", "six"]
    assert told.confidence == pytest.approx(0.7788, abs=1e-4)
    [asked] = fake.requests()
    assert asked.header("authorization") == f"Bearer {fake.key}"
    assert 'name="prompt"\r\n\r\ncounting\r\n' in asked.body


async def test_newer_models_are_asked_for_text_at_once(fake: FakeProvider, calls: Calls) -> None:
    fake.script(Script(text=SAID), path=PATH)
    options = TranscriptionOptions(model="gpt-4o-mini-transcribe", temperature=0.2)
    told = await OpenAITranscriber(calls()).transcribe(TALK, options)
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
    audio = OpenAITranscriber(server)
    for _ in range(2):
        told = await audio.with_key(Secret("k")).transcribe(TALK, NO_OPTIONS)
        assert (told.text, told.model, told.duration) == ("Hello.", "my-whisper", 2.0)
    formats = [dict(fields)["response_format"] for fields in server.asked]
    assert formats == ["verbose_json", "verbose_json", "json", "json"]
    assert server.listings == 1


async def test_a_server_without_times_of_words_is_asked_for_segments() -> None:
    server = PartialServer(without("timestamp_granularities[]"))
    audio = OpenAITranscriber(server)
    for _ in range(2):
        told = await audio.transcribe(TALK, TranscriptionOptions(model="small"))
        assert (told.text, told.model) == ("Hello.", "small")
    granular = ["timestamp_granularities[]" in dict(fields) for fields in server.asked]
    assert granular == [True, False, False]


async def test_a_translation_is_asked_for_without_a_language() -> None:
    server = PartialServer(lambda fields: b'{"text": "Hello."}')
    options = TranscriptionOptions(language="de", prompt="Moss", translated=True)
    told = await OpenAITranscriber(server).transcribe(TALK, options)
    assert told.text == "Hello."
    [asked] = server.asked
    assert dict(asked) == {
        "model": "whisper-1",
        "response_format": "verbose_json",
        "prompt": "Moss",
    }
    assert server.paths == ["/audio/translations"]


async def test_a_refusal_without_words_is_one_of_the_form() -> None:
    def answer(fields: list[tuple[str, str]]) -> bytes:
        if dict(fields)["response_format"] == "verbose_json":
            raise rejecting("", status=422)
        return b'{"text": "Hello."}'

    told = await OpenAITranscriber(PartialServer(answer)).transcribe(TALK, NO_OPTIONS)
    assert (told.text, told.model) == ("Hello.", "whisper-1")


async def test_a_refused_recording_is_not_sent_again(fake: FakeProvider, calls: Calls) -> None:
    broken = Recording(data=b"RIFF broken", media_type="audio/wav")
    with pytest.raises(RecordingRefused, match="corrupted"):
        await OpenAITranscriber(calls()).transcribe(broken, NO_OPTIONS)
    assert len(fake.requests()) == 1


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        (["llama3", "Systran/faster-whisper-small", "kokoro"], "Systran/faster-whisper-small"),
        (["playai-tts", "nvidia/parakeet-tdt", "whisper-1"], "nvidia/parakeet-tdt"),
    ],
)
async def test_the_usual_model_is_one_whose_name_tells_it(listed: list[str], name: str) -> None:
    server = PartialServer(lambda fields: b'{"text": ""}', listed)
    transcriber = OpenAITranscriber(server)
    assert transcriber.models == ()
    assert (await transcriber.transcribe(TALK, NO_OPTIONS)).model == name
    assert transcriber.models == (SpeechModel(name=name),)


async def test_a_server_without_a_fitting_model() -> None:
    server = PartialServer(lambda fields: b"{}", ["llama3"])
    with pytest.raises(UpstreamRejected, match="name one, as whisper/model") as told:
        await OpenAITranscriber(server).transcribe(TALK, NO_OPTIONS)
    assert told.value.code == "model_not_found"


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
    fake: FakeProvider, calls: Calls, fault: Fault, kind: type[UpstreamError]
) -> None:
    fake.script(Script(faults=(fault,)), path=PATH)
    with pytest.raises(kind) as told:
        await OpenAITranscriber(calls()).transcribe(TALK, NO_OPTIONS)
    assert told.value.provider == "openai"


async def test_a_server_that_says_nothing(fake: FakeProvider, calls: Calls) -> None:
    fake.script(Script(faults=(HangBeforeHeaders(),)), path=PATH)
    hasty = OpenAITranscriber(calls(), patience=0.2)
    with pytest.raises(UpstreamUnreachable):
        await hasty.transcribe(TALK, NO_OPTIONS)


async def test_the_key_is_tested_with_a_list(fake: FakeProvider, calls: Calls) -> None:
    audio = OpenAITranscriber(calls())
    await audio.test_key()
    with pytest.raises(UpstreamAuth):
        await audio.with_key(Secret("sk-wrong")).test_key()
    assert (audio.name, audio.has_key, audio.needs_key) == ("openai", True, False)
    assert [asked.path for asked in fake.requests()] == ["/v1/models", "/v1/models"]


async def test_the_address_may_be_one_of_an_endpoint(fake: FakeProvider, calls: Calls) -> None:
    audio = OpenAITranscriber(calls(f"{fake.base_url}/chat/completions"))
    assert (await audio.transcribe(TALK, NO_OPTIONS)).text


SOUND = silence(0.5) + babble(1) + silence(1)


async def test_live_audio_is_transcribed_by_utterances(fake: FakeProvider, calls: Calls) -> None:
    fake.script(Script(text=SAID), path=PATH)
    transcriber = OpenAITranscriber(calls())
    async with transcriber.listen(PcmFormat(16_000), NO_OPTIONS) as listening:
        await listening.send(SOUND)
        await listening.finish()
        events = [event async for event in listening.events()]
    [heard] = [event for event in events if isinstance(event, Heard)]
    assert (heard.text, heard.final, heard.ends_utterance) == (SAID, True, True)
    assert [word.text for word in heard.words] == SAID.split()
    assert heard.words[0].start >= heard.start


async def heard_all(transcriber: OpenAITranscriber) -> None:
    async with transcriber.listen(PcmFormat(16_000), NO_OPTIONS) as listening:
        await listening.send(SOUND)
        await listening.finish()
        async for _ in listening.events():
            continue


async def test_who_listens_is_told_of_a_failure(fake: FakeProvider, calls: Calls) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=429),)), path=PATH)
    with pytest.raises(UpstreamLimited):
        await heard_all(OpenAITranscriber(calls()))
