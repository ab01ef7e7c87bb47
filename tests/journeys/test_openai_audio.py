"""Clients of OpenAI's audio API leave, stay for others than OpenAI, and wait for what is slow."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.harness import raw_http
from tests.harness.documents import form
from tests.harness.fake_provider.faults import HangBeforeHeaders, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import until
from tests.harness.server import KEY, Server

TALK = ("talk.wav", sounds.wav(sounds.tone(2.0)))
SAID = "one two three four five six"
SPEECH: dict[str, Any] = {"model": "tts-1", "input": "one two three", "voice": "alloy"}
_CONFIGURATION = """
[providers.whisper]
base_url = "{base_url}"
api_key_env = "WHISPER_KEY"
models = ["fake"]
"""


@pytest.fixture(scope="module")
def other(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without OpenAI, whose recordings and texts are for another server of models."""
    configuration: Path = tmp_path_factory.mktemp("audio") / "cartrita.toml"
    configuration.write_text(_CONFIGURATION.format(base_url=provider.base_url))
    settings = {
        "CARTRITA_CONFIG": str(configuration),
        "CARTRITA_DEFAULT_MODEL": "whisper/fake",
        "CARTRITA_VOICE_TRANSCRIBERS": "whisper/whisper-1",
        "CARTRITA_VOICE_SYNTHESIZERS": "whisper/tts-1",
        "CARTRITA_RUN_LOG_HEARTBEAT_S": "0.2",
        "WHISPER_KEY": PROVIDER_KEY,
        "OPENAI_API_KEY": "",
        "OPENAI_BASE_URL": "",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
def client(other: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{other.base}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def spoken_as(**changes: Any) -> dict[str, Any]:
    return {**SPEECH, **changes}


def receipts(response: Any) -> list[tuple[str, str, str]]:
    told = json.loads(response.headers["x-cartrita-receipts"])
    return [(one["field"], one["from"], one["kind"]) for one in told]


def test_what_is_usual_takes_the_place_of_openai(client: openai.OpenAI) -> None:
    heard = client.audio.transcriptions.with_raw_response.create(
        file=TALK, model="whisper-1", prompt=directive(Script(text=SAID))
    )
    assert heard.headers["x-cartrita-provider"] == "whisper"
    assert heard.parse().text == SAID
    assert receipts(heard) == [("model", "openai", "approximated")]
    spoken = client.audio.speech.with_raw_response.create(**SPEECH, response_format="pcm")
    assert spoken.headers["x-cartrita-provider"] == "whisper"
    assert spoken.content == sounds.tone(sounds.WORD_S) * 3
    assert receipts(spoken) == [
        ("model", "openai", "approximated"),
        ("voice", "openai", "approximated"),
    ]


def test_strict_callers_are_told_instead(client: openai.OpenAI) -> None:
    strict = {"X-Cartrita-Strict": "true"}
    with pytest.raises(openai.BadRequestError) as heard:
        client.audio.transcriptions.create(file=TALK, model="whisper-1", extra_headers=strict)
    assert (heard.value.param, heard.value.code) == ("model", "not_translatable")
    with pytest.raises(openai.BadRequestError) as told:
        client.audio.speech.create(**SPEECH, extra_headers=strict)
    assert (told.value.param, told.value.code) == ("model", "not_translatable")


def test_what_is_named_is_asked_without_receipts(client: openai.OpenAI) -> None:
    for model in ("whisper/whisper-1", "cartrita"):
        spoken = client.audio.speech.with_raw_response.create(
            **spoken_as(model=model.replace("whisper-1", "tts-1"))
        )
        assert spoken.headers["x-cartrita-provider"] == "whisper"
        assert "x-cartrita-receipts" not in spoken.headers


def test_a_slow_transcript_has_comments_before_it(client: openai.OpenAI) -> None:
    slow = directive(Script(text=SAID, before_headers_s=1.0))
    with client.audio.transcriptions.with_streaming_response.create(
        file=TALK, model="whisper/whisper-1", prompt=slow, stream=True
    ) as response:
        lines = list(response.iter_lines())
    assert lines[0].startswith(":")
    assert json.loads([line for line in lines if line][-1][6:])["text"] == SAID


def test_what_fails_after_a_comment_is_an_event(client: openai.OpenAI) -> None:
    refused = directive(Script(before_headers_s=1.0, faults=(ReplacedResponse(status=400),)))
    with (
        client.audio.transcriptions.create(
            file=TALK, model="whisper/whisper-1", prompt=refused, stream=True
        ) as stream,
        pytest.raises(openai.APIError) as told,
    ):
        list(stream)
    assert not isinstance(told.value, openai.APIStatusError)
    assert told.value.code == "upstream_rejected"


async def asked(server: Server, target: str, kind: str, body: bytes) -> raw_http.Answer:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": kind}
    return await raw_http.request(server.port, "POST", target, headers, body)


async def test_speech_ends_with_its_listener(other: Server, provider: FakeProvider) -> None:
    slow = directive(Script(between_tokens_s=0.05))
    fields = {**SPEECH, "input": f"{slow} {'word ' * 500}", "response_format": "pcm"}
    since = provider.begun()
    body = json.dumps(fields).encode()
    answer = await asked(other, "/v1/audio/speech", "application/json", body)
    assert answer.status == 200
    assert await anext(aiter(answer.chunks()))
    answer.close()
    await until(lambda: provider.requests(since)[0].outcome == "disconnected")


async def test_a_transcription_ends_with_whoever_waits(
    other: Server, provider: FakeProvider
) -> None:
    hanging = directive(Script(faults=(HangBeforeHeaders(),)))
    fields = {"model": "whisper/whisper-1", "prompt": hanging, "stream": "true"}
    kind, body = form(("file", *TALK), fields=fields)
    since = provider.begun()
    answer = await asked(other, "/v1/audio/transcriptions", kind, body)
    assert (await anext(aiter(answer.chunks()))).startswith(b":")
    answer.close()
    await until(lambda: provider.requests(since)[0].outcome == "disconnected")
