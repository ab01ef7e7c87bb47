"""OpenAI's official client, its recordings and its speech, against this server."""

import base64
import json
import wave
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import openai
import pytest
from tests.harness.fake_provider.faults import CutOff, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import KEY, Server

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.plain_calls import PlainCalls
from cartrita.adapters.speech.openai_synthesizer import OpenAISynthesizer
from cartrita.adapters.speech.openai_transcriber import OpenAITranscriber
from cartrita.domain.speech import AudioFormat, Recording, SpeechRequest, TranscriptionOptions
from cartrita.kit.secret import Secret

TALK = ("talk.wav", sounds.wav(sounds.tone(2.0)))
SAID = "one two three four five six"
SCRIPT = directive(Script(text=SAID))
SRT = (
    "1\n00:00:00,000 --> 00:00:01,670\none two three four five\n\n"
    "2\n00:00:01,670 --> 00:00:02,000\nsix\n\n"
)
SPEECH: dict[str, Any] = {"model": "tts-1", "input": "one two three", "voice": "alloy"}


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.base}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def spoken_as(**changes: Any) -> dict[str, Any]:
    return {**SPEECH, **changes}


def transcribed(client: openai.OpenAI, **fields: Any) -> Any:
    asked: dict[str, Any] = {"file": TALK, "model": "whisper-1", "prompt": SCRIPT, **fields}
    return client.audio.transcriptions.create(**asked)


def test_a_transcript_in_every_format(client: openai.OpenAI) -> None:
    plain = transcribed(client)
    assert (plain.text, plain.usage.type, plain.usage.seconds) == (SAID, "duration", 2)
    assert transcribed(client, response_format="text") == f"{SAID}\n"
    assert transcribed(client, response_format="srt") == SRT
    assert str(transcribed(client, response_format="vtt")).startswith(
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.670\none two three four five\n\n"
    )


def test_words_and_segments(client: openai.OpenAI) -> None:
    both = transcribed(
        client, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert (both.text, both.duration, both.language) == (SAID, 2.0, "english")
    assert [(word.word, word.start, word.end) for word in both.words][:2] == [
        ("one", 0.0, 0.33),
        ("two", 0.33, 0.67),
    ]
    assert [segment.text for segment in both.segments] == ["one two three four five", "six"]
    assert both.segments[0].avg_logprob == pytest.approx(-0.25)
    usual = transcribed(client, response_format="verbose_json")
    assert usual.words is None
    assert len(usual.segments) == 2


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_translation_in_every_format(client: openai.OpenAI, provider: FakeProvider) -> None:
    asked: dict[str, Any] = {"file": TALK, "model": "whisper-1", "prompt": SCRIPT}
    translations: Any = client.audio.translations
    made = translations.create
    since = provider.begun()
    assert made(**asked).text == SAID
    assert made(**asked, response_format="text") == f"{SAID}\n"
    assert made(**asked, response_format="srt") == SRT
    assert str(made(**asked, response_format="vtt")).startswith(
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.670\none two three four five\n\n"
    )
    timed = made(**asked, response_format="verbose_json", temperature=0.5)
    assert (timed.text, timed.duration, timed.language) == (SAID, 2.0, "english")
    assert [segment.text for segment in timed.segments or ()] == ["one two three four five", "six"]
    assert {one.path for one in provider.requests(since)} == {"/v1/audio/translations"}


def test_models_are_named_in_several_ways(client: openai.OpenAI, provider: FakeProvider) -> None:
    since = provider.begun()
    for model in ("whisper-1", "openai/gpt-4o-transcribe", "openai", "cartrita"):
        answer = client.audio.transcriptions.with_raw_response.create(
            file=TALK, model=model, prompt=SCRIPT, language="en-GB"
        )
        assert answer.headers["x-cartrita-provider"] == "openai"
        assert "x-cartrita-receipts" not in answer.headers
        assert answer.parse().text == SAID
    asked = [one.body for one in provider.requests(since)]
    assert ["gpt-4o-transcribe" in body for body in asked] == [False, True, False, False]
    assert all('name="language"\r\n\r\nen\r\n' in body for body in asked)


def test_a_transcript_in_events(client: openai.OpenAI) -> None:
    said = "One is said. Two follows."
    with client.audio.transcriptions.create(
        file=TALK, model="gpt-4o-transcribe", prompt=directive(Script(text=said)), stream=True
    ) as stream:
        events = list(stream)
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert deltas == ["One is said. ", "Two follows."]
    last = events[-1]
    assert last.type == "transcript.text.done"
    assert last.text == said


async def test_the_client_of_tasks(server: Server) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{server.base}/v1", api_key=KEY, max_retries=0
    ) as client:
        told = await client.audio.transcriptions.create(
            file=TALK, model="whisper-1", prompt=SCRIPT, response_format="srt"
        )
        assert told == SRT
        stream = await client.audio.transcriptions.create(
            file=TALK, model="whisper-1", prompt=SCRIPT, stream=True
        )
        async with stream:
            assert [event.type async for event in stream][-1] == "transcript.text.done"
        async with client.audio.speech.with_streaming_response.create(
            **SPEECH, response_format="pcm"
        ) as response:
            pieces = [piece async for piece in response.iter_bytes()]
        assert b"".join(pieces) == sounds.tone(sounds.WORD_S) * 3


@pytest.mark.parametrize(
    ("fields", "status", "param", "code"),
    [
        ({"model": ""}, 400, "model", None),
        ({"model": "whisper-9"}, 404, None, "model_not_found"),
        ({"model": "openai/whisper-9"}, 404, None, "model_not_found"),
        ({"model": "huggingface/whisper"}, 404, None, "provider_not_configured"),
        ({"response_format": "xml"}, 400, "response_format", "invalid_value"),
        ({"response_format": "diarized_json"}, 400, "response_format", "unsupported_parameter"),
        ({"include": ["logprobs"]}, 400, "include", "unsupported_parameter"),
        ({"temperature": 3}, 400, "temperature", "decimal_above_max_value"),
        ({"stream": True, "response_format": "srt"}, 400, "stream", "unsupported_parameter"),
        ({"file": ("a.wav", b"")}, 400, "file", "recording_empty"),
        ({"file": ("a.wav", TALK[1][:20])}, 400, "file", "recording_unreadable"),
        ({"file": ("a.wav", b"just text")}, 415, "file", "recording_type_not_accepted"),
        (
            {"file": ("a.wav", sounds.wav(b"\0\0" * 9, rate=0))},
            400,
            "file",
            "recording_format_unsupported",
        ),
        ({"file": ("a.wav", bytes((25 << 20) + 1))}, 413, "file", "too_large"),
    ],
)
def test_what_is_refused_of_a_transcription(
    client: openai.OpenAI, fields: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    with pytest.raises(openai.APIStatusError) as told:
        transcribed(client, **fields)
    assert (told.value.status_code, told.value.param, told.value.code) == (status, param, code)


def test_silence_has_no_words(client: openai.OpenAI, provider: FakeProvider) -> None:
    since = provider.begun()
    silence = ("silence.wav", sounds.wav(bytes(2 * sounds.RATE)))
    told = transcribed(client, file=silence, response_format="verbose_json")
    assert (told.text, told.segments, told.duration) == ("", [], 1.0)
    assert provider.begun() == since


@pytest.mark.parametrize("audio", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_speech_in_every_format(client: openai.OpenAI, audio: Any) -> None:
    spoken = client.audio.speech.create(**SPEECH, response_format=audio, speed=2.0)
    kind = AudioFormat(audio).media_type
    assert spoken.response.headers["content-type"].partition(";")[0] == kind
    assert spoken.response.headers["x-cartrita-provider"] == "openai"
    assert spoken.content == b"".join(sounds.spoken(["one", " two", " three"], audio, 2.0))


def test_speech_is_sent_while_it_is_made(client: openai.OpenAI) -> None:
    paused = directive(Script(between_tokens_s=0.05))
    with client.audio.speech.with_streaming_response.create(
        **spoken_as(input=f"{paused} one two three"), response_format="wav"
    ) as response:
        pieces = list(response.iter_bytes())
    assert len(pieces) > 3
    with wave.open(BytesIO(b"".join(pieces))) as read:
        assert (read.getframerate(), read.getnchannels()) == (sounds.RATE, 1)


def test_speech_in_events(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        **SPEECH, response_format="pcm", stream_format="sse"
    ) as response:
        events = [json.loads(line[6:]) for line in response.iter_lines() if line]
    assert [event["type"] for event in events[-2:]] == ["speech.audio.delta", "speech.audio.done"]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert audio == sounds.tone(sounds.WORD_S) * 3


def test_speech_with_all_its_fields(client: openai.OpenAI, provider: FakeProvider) -> None:
    since = provider.begun()
    client.audio.speech.create(
        model="openai/gpt-4o-mini-tts",
        input="Hello.",
        voice={"id": "voice_1234"},
        instructions="Softly.",
        speed=1.5,
    )
    assert json.loads(provider.requests(since)[0].body) == {
        "model": "gpt-4o-mini-tts",
        "input": "Hello.",
        "voice": {"id": "voice_1234"},
        "response_format": "mp3",
        "speed": 1.5,
        "instructions": "Softly.",
    }


@pytest.mark.parametrize(
    ("fields", "status", "param", "code"),
    [
        ({"model": "tts-9"}, 404, None, "model_not_found"),
        ({"voice": "somebody"}, 400, "voice", "not_offered"),
        ({"voice": {}}, 400, "voice.id", "missing_required_parameter"),
        ({"input": ""}, 400, "input", "string_below_min_length"),
        ({"input": "nul \0"}, 400, "input", None),
        ({"speed": 9}, 400, "speed", "decimal_above_max_value"),
        ({"response_format": "ogg"}, 400, "response_format", "invalid_value"),
        (
            {"input": "long " * 1000, "response_format": "flac"},
            400,
            "response_format",
            "not_offered",
        ),
    ],
)
def test_what_is_refused_of_speech(
    client: openai.OpenAI, fields: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    with pytest.raises(openai.APIStatusError) as told:
        client.audio.speech.create(**spoken_as(**fields))
    assert (told.value.status_code, told.value.param, told.value.code) == (status, param, code)


def test_failures_of_the_provider(client: openai.OpenAI) -> None:
    limited = directive(Script(faults=(ReplacedResponse(status=429),)))
    with pytest.raises(openai.RateLimitError):
        transcribed(client, prompt=limited)
    broken = directive(Script(faults=(ReplacedResponse(status=401),)))
    with pytest.raises(openai.InternalServerError) as told:
        client.audio.speech.create(**spoken_as(input=broken))
    assert told.value.status_code == 502


def test_speech_that_breaks_off(client: openai.OpenAI) -> None:
    cut = directive(Script(faults=(CutOff(how="fin", after_tokens=2),)))
    asked = spoken_as(input=f"{cut} one two three")
    with pytest.raises((openai.APIConnectionError, openai.APIError)):
        client.audio.speech.create(**asked)
    with client.audio.speech.with_streaming_response.create(
        **asked, stream_format="sse"
    ) as response:
        last = json.loads([line for line in response.iter_lines() if line][-1][6:])
    assert last["error"]["code"] == "upstream_cut"


@pytest.fixture
async def own(server: Server) -> Any:
    """This server as a model server of another one."""
    async with HttpClient() as http:
        yield PlainCalls(
            ProviderConnection(
                name="other",
                base_url=server.base,
                transport=http,
                credential=Bearer(Secret(KEY)),
            ),
            has_key=True,
        )


async def test_this_server_transcribes_for_another_one(own: PlainCalls) -> None:
    recording = Recording(data=TALK[1], media_type="audio/wav")
    options = TranscriptionOptions(model="whisper-1", prompt=SCRIPT)
    told = await OpenAITranscriber(own).transcribe(recording, options)
    assert (told.text, told.duration, told.language) == (SAID, 2.0, "en")
    assert [word.text for word in told.words] == SAID.split()
    assert len(told.segments) == 2


async def test_this_server_speaks_for_another_one(own: PlainCalls) -> None:
    request = SpeechRequest(text="one two", model="tts-1", format=AudioFormat.PCM)
    async with OpenAISynthesizer(own).speak(request) as speech:
        pieces = [piece async for piece in speech.pieces()]
    assert b"".join(pieces) == sounds.tone(sounds.WORD_S) * 2
