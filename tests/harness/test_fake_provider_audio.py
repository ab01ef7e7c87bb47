"""The stand-in's audio API, asked by the official client, and strict as OpenAI is."""

import base64
import http.client
import json
import wave
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import openai
import pytest
from tests.harness.fake_provider.client import ask
from tests.harness.fake_provider.faults import CutOff, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.script import Script, directive

TALK = ("talk.wav", sounds.wav(sounds.tone(2.0)))
SAID = "one two three four five six"
SCRIPT = directive(Script(text=SAID))


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with fake_provider(seed=3) as running:
        yield running


@pytest.fixture
def client(fake: FakeProvider) -> Iterator[openai.OpenAI]:
    fake.reset()
    with openai.OpenAI(base_url=fake.base_url, api_key=fake.key, max_retries=0) as made:
        yield made


def test_a_transcript_in_every_format(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"file": TALK, "model": "whisper-1", "prompt": SCRIPT}
    plain = client.audio.transcriptions.create(**asked)
    assert (plain.text, plain.usage and plain.usage.type) == (SAID, "duration")
    assert client.audio.transcriptions.create(**asked, response_format="text") == f"{SAID}\n"
    timed = client.audio.transcriptions.create(
        **asked, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert (timed.duration, timed.language, timed.text) == (2.0, "english", SAID)
    assert [(word.word, word.start) for word in timed.words][:2] == [("one", 0.0), ("two", 0.33)]
    assert [segment.text for segment in timed.segments] == [" one two three four five", " six"]
    assert client.audio.transcriptions.create(**asked, response_format="srt") == (
        "1\n00:00:00,000 --> 00:00:01,670\none two three four five\n\n"
        "2\n00:00:01,670 --> 00:00:02,000\nsix\n\n"
    )
    vtt = client.audio.transcriptions.create(**asked, response_format="vtt")
    assert str(vtt).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.670\n")


def test_a_transcript_in_events(client: openai.OpenAI) -> None:
    with client.audio.transcriptions.create(
        file=TALK, model="gpt-4o-transcribe", prompt=SCRIPT, stream=True
    ) as stream:
        events = list(stream)
    text = "".join(event.delta for event in events if event.type == "transcript.text.delta")
    last = events[-1]
    assert last.type == "transcript.text.done"
    assert text == last.text == SAID


def test_words_are_drawn_for_each_recording(client: openai.OpenAI) -> None:
    def said(file: tuple[str, bytes]) -> str:
        return client.audio.transcriptions.create(file=file, model="gpt-transcribe").text

    other = ("other.wav", sounds.wav(sounds.tone(1.0)))
    assert said(TALK) == said(TALK) != said(other)


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"model": "whisper-9"}, None, "does not exist"),
        ({"response_format": "xml"}, "response_format", "Supported values"),
        ({"response_format": "diarized_json"}, "response_format", "not compatible"),
        ({"model": "gpt-4o-transcribe", "response_format": "srt"}, "response_format", "not comp"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities", "verbose_json"),
        (
            {"response_format": "verbose_json", "timestamp_granularities": ["letter"]},
            "timestamp_granularities[0]",
            "Supported values",
        ),
        ({"language": "en-US"}, "language", "ISO-639-1"),
        ({"temperature": 1.5}, "temperature", "<= 1"),
        ({"include": ["logprobs"]}, "include", "logprobs"),
        ({"file": ("talk.txt", TALK[1])}, "file", "Unrecognized file format"),
        ({"file": ("talk.wav", b"RIFF nothing")}, "file", "corrupted"),
        ({"file": ("talk.wav", sounds.wav(b""))}, "file", "too short"),
        ({"extra_body": {"mood": "calm"}}, None, "Unrecognized request argument"),
    ],
)
def test_what_is_refused_of_a_transcription(
    client: openai.OpenAI, fields: dict[str, Any], param: str | None, says: str
) -> None:
    asked: dict[str, Any] = {"file": TALK, "model": "whisper-1", **fields}
    with pytest.raises(openai.APIStatusError) as told:
        client.audio.transcriptions.create(**asked)
    assert told.value.param == param
    assert says in told.value.message


def test_forms_that_are_none(fake: FakeProvider, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="model parameter"):
        client.audio.transcriptions.create(file=TALK, model="")
    path = "/v1/audio/transcriptions"
    refused = ask(fake, {"model": "whisper-1"}, path=path).json()["error"]
    assert "only accepts 'multipart/form-data'" in refused["message"]
    for body in (b"", b"--x\r\n\r\n", b'--x\r\nContent-Disposition: form-data; name="a"\r\n'):
        assert b"multipart form" in sent(fake, path, body)


def sent(fake: FakeProvider, path: str, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=60)
    headers = {
        "Authorization": f"Bearer {fake.key}",
        "Content-Type": "multipart/form-data; boundary=x",
    }
    try:
        connection.request("POST", path, body, headers)
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.mark.parametrize("audio", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_speech_in_every_format(client: openai.OpenAI, audio: Any) -> None:
    spoken = client.audio.speech.create(
        model="tts-1", input="Hello there.", voice="alloy", response_format=audio, speed=2.0
    )
    assert spoken.response.headers["content-type"].startswith("audio/")
    assert len(spoken.content) > 1_000


def test_speech_is_as_long_as_its_text(client: openai.OpenAI) -> None:
    spoken = client.audio.speech.create(
        model="tts-1", input="one two", voice="alloy", response_format="wav"
    )
    with wave.open(BytesIO(spoken.content)) as read:
        assert (read.getframerate(), read.getnchannels()) == (sounds.RATE, 1)
    assert len(spoken.content) == 44 + 2 * int(sounds.RATE * sounds.WORD_S) * 2


def test_speech_in_events(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "gpt-4o-mini-tts", "input": "one two", "voice": "marin"}
    whole = client.audio.speech.create(**asked, response_format="pcm").content
    with client.audio.speech.with_streaming_response.create(
        **asked, response_format="pcm", stream_format="sse"
    ) as response:
        lines = [json.loads(line[6:]) for line in response.iter_lines() if line]
    assert b"".join(base64.b64decode(line["audio"]) for line in lines[:-1]) == whole
    assert lines[-1]["type"] == "speech.audio.done"


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"model": "tts-9"}, None, "does not exist"),
        ({"voice": "somebody"}, "voice", "Supported values"),
        ({"voice": {"id": 3}}, "voice.id", "expected a string"),
        ({"input": ""}, "input", "too short"),
        ({"input": "a" * 4097}, "input", "too long"),
        ({"speed": 4.5}, "speed", "<= 4"),
        ({"speed": 0.1}, "speed", ">="),
        ({"response_format": "ogg"}, "response_format", "Supported values"),
        ({"stream_format": "sse"}, "stream_format", "not supported"),
        ({"extra_body": {"mood": "calm"}}, None, "Unrecognized request argument"),
    ],
)
def test_what_is_refused_of_speech(
    client: openai.OpenAI, fields: dict[str, Any], param: str | None, says: str
) -> None:
    asked: dict[str, Any] = {"model": "tts-1", "input": "Hello.", "voice": "alloy", **fields}
    with pytest.raises(openai.APIStatusError) as told:
        client.audio.speech.create(**asked)
    assert told.value.param == param
    assert says in told.value.message


def test_faults_are_those_of_scripts(fake: FakeProvider, client: openai.OpenAI) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=503),)), path="/v1/audio/speech")
    asked: dict[str, Any] = {"model": "tts-1", "input": "one two three", "voice": "alloy"}
    with pytest.raises(openai.InternalServerError):
        client.audio.speech.create(**asked)
    fake.script(Script(faults=(CutOff(after_tokens=1),)), path="/v1/audio/speech")
    with pytest.raises(openai.APIConnectionError):
        client.audio.speech.create(**asked)
    cut = fake.requests()[-1]
    assert (cut.outcome, cut.tokens_sent) == ("cut", 1)


def test_other_paths_and_methods(fake: FakeProvider) -> None:
    assert ask(fake, {}, path="/v1/audio/variations").status == 404
    assert ask(fake, {}, path="/v1/audio/speech", method="PUT").status == 405
