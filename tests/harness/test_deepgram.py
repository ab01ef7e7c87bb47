"""The stand-in of Deepgram refuses what Deepgram refuses, and hears what was said."""

import http.client
import json
import math
import random
from array import array
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.harness.deepgram.faults import Close, Delays, Fault, Refuse
from tests.harness.deepgram.launch import KEY, Deepgram, as_wave, deepgram
from tests.harness.deepgram.tones import silence
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

LISTEN = {"model": "nova-3", "encoding": "linear16", "sample_rate": "16000"}
SPEAK = {"model": "aura-2-thalia-en"}
TEXT = b'{"text":"Moss grows."}'
AUTHORIZED = {"Authorization": f"Token {KEY}"}


@pytest.fixture(scope="module")
def running() -> Iterator[Deepgram]:
    with deepgram(silence_s=2.0, flushes=2) as server:
        yield server


@pytest.fixture
def server(running: Deepgram) -> Deepgram:
    running.reset()
    return running


def post(
    server: Deepgram,
    path: str,
    query: dict[str, str],
    body: bytes,
    content_type: str,
    headers: dict[str, str] = AUTHORIZED,
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        asked = f"{path}?{urlencode(query)}"
        connection.request("POST", asked, body, {**headers, "Content-Type": content_type})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def transcribed(server: Deepgram, data: bytes, **query: str) -> Any:
    status, body = post(server, "/v1/listen", {"model": "nova-3", **query}, data, "audio/wav")
    assert status == 200, body
    return json.loads(body)


def words_of(answer: Any) -> str:
    return answer["results"]["channels"][0]["alternatives"][0]["transcript"]


@asynccontextmanager
async def socket(
    server: Deepgram, path: str, query: dict[str, str]
) -> AsyncGenerator[ClientConnection]:
    async with connect(
        f"ws://127.0.0.1:{server.port}{path}?{urlencode(query)}",
        additional_headers=AUTHORIZED,
        proxy=None,
        open_timeout=60,
    ) as connection:
        yield connection


async def frames_of(connection: ClientConnection) -> list[Any]:
    """The frames up to the end: messages, and how many bytes there are of audio."""
    return [
        len(frame) if isinstance(frame, bytes) else json.loads(frame) async for frame in connection
    ]


async def closing_of(connection: ClientConnection) -> tuple[int | None, str | None]:
    """The code and the reason of the close frame that ends it."""
    with suppress(ConnectionClosed):
        while True:
            await connection.recv()
    return connection.close_code, connection.close_reason


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": KEY}, {"Authorization": "Token x"}],
)
def test_a_key_that_is_none(server: Deepgram, headers: dict[str, str]) -> None:
    status, body = post(server, "/v1/speak", SPEAK, TEXT, "application/json", headers)
    assert (status, json.loads(body)["err_code"]) == (401, "INVALID_AUTH")


@pytest.mark.parametrize(
    "query",
    [
        {"model": "nova-9"},
        {"mode": "nova-3"},
        {"model": "nova-3", "smart_format": "yes"},
        {"model": "nova-3", "language": "english"},
        {"model": "nova-2", "keyterm": "moss"},
        {"model": "nova-3", "encoding": "linear16"},
        {"model": "nova-3", "interim_results": "true"},
        {"model": "nova-3", "token": KEY},
    ],
)
def test_what_it_is_asked_about_a_recording(server: Deepgram, query: dict[str, str]) -> None:
    status, body = post(server, "/v1/listen", query, server.recording("Moss."), "audio/wav")
    assert (status, json.loads(body)["err_code"]) == (400, "Bad Request")


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"", "audio/wav"),
        (b"moss", "audio/wav"),
        (b"moss", "text/plain"),
        (b'{"url":"https://example.com/a.wav"}', "application/json"),
        (as_wave(silence(1, 16_000))[:-100], "audio/wav"),
        (as_wave(silence(1, 16_000)), "multipart/form-data"),
    ],
)
def test_what_is_no_recording(server: Deepgram, data: bytes, content_type: str) -> None:
    assert post(server, "/v1/listen", {"model": "nova-3"}, data, content_type)[0] == 400


@pytest.mark.parametrize(
    "query",
    [
        {"encoding": "mp3", "container": "wav"},
        {"encoding": "mp3", "sample_rate": "22050"},
        {"encoding": "opus", "container": "none"},
        {"encoding": "linear16", "sample_rate": "44100"},
        {"encoding": "mulaw", "sample_rate": "24000"},
        {"encoding": "flac", "bit_rate": "48000"},
        {"encoding": "pcm"},
        {"speed": "2"},
        {"model": "alloy"},
        {"voice": "thalia"},
    ],
)
def test_how_it_does_not_speak(server: Deepgram, query: dict[str, str]) -> None:
    assert post(server, "/v1/speak", {**SPEAK, **query}, TEXT, "application/json")[0] == 400


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"text":" "}', "application/json", 400),
        (b'{"input":"moss"}', "application/json", 400),
        (b'{"text":"moss","voice":"x"}', "application/json", 400),
        (b"moss", "application/json", 400),
        (TEXT, "text/plain", 400),
        (json.dumps({"text": "m" * 2001}).encode(), "application/json", 413),
    ],
)
def test_what_it_does_not_speak(
    server: Deepgram, body: bytes, content_type: str, status: int
) -> None:
    assert post(server, "/v1/speak", SPEAK, body, content_type)[0] == status


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_it_hears_what_was_said(server: Deepgram, rate: int, channels: int) -> None:
    text = " ".join(f"word{number}" for number in range(100))
    recording = server.recording(text, "And so on.", rate=rate, channels=channels)
    answer = transcribed(server, recording, punctuate="true", utterances="true")
    assert words_of(answer) == f"{text} And so on."
    assert [one["transcript"] for one in answer["results"]["utterances"]] == [text, "And so on."]
    assert words_of(transcribed(server, recording)) == f"{text} and so on"


def test_it_hears_a_person_as_it_was_told(server: Deepgram) -> None:
    """A sound that is none of its tones is the next sentence, over as long as it lasts."""
    server.hear("What grows on stones?", "Moss.")
    voice = array("h", (_voice(at) for at in range(16_000)))
    raw = (voice.tobytes() + silence(1, 16_000)) * 3
    answer = transcribed(server, as_wave(raw), smart_format="true")
    assert words_of(answer) == "What grows on stones? Moss. Moss grows on stones."
    ends = [one["end"] for one in answer["results"]["channels"][0]["alternatives"][0]["words"]]
    assert ends == sorted(ends)
    assert ends[3] == pytest.approx(1.0, abs=0.02)


def test_it_hears_nothing_in_silence_and_in_a_whisper(server: Deepgram) -> None:
    dice = random.Random(7)
    whisper = array("h", (dice.randrange(-300, 300) for _ in range(16_000))).tobytes()
    for raw in (silence(1, 16_000), whisper):
        assert words_of(transcribed(server, as_wave(raw))) == ""


def test_refusals_and_delays_are_for_the_next_request_only(server: Deepgram) -> None:
    server.fail(Fault(at="POST /v1/speak", do=Refuse(status=402, shape="text", message="Pay.")))
    assert post(server, "/v1/speak", SPEAK, TEXT, "application/json") == (402, b"Pay.")
    server.delay(Delays(word=0.01))
    assert post(server, "/v1/speak", SPEAK, TEXT, "application/json")[0] == 200


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/listen", {"model": "nova-3"}),
        ("/v1/listen", {**LISTEN, "encoding": "mp3"}),
        ("/v1/listen", {**LISTEN, "detect_language": "true"}),
        ("/v1/listen", {**LISTEN, "utterance_end_ms": "1000"}),
        ("/v1/listen", {**LISTEN, "utterance_end_ms": "500", "interim_results": "true"}),
        ("/v1/speak", {**SPEAK, "encoding": "mp3"}),
        ("/v1/speak", {**SPEAK, "container": "wav"}),
        ("/v1/speak", {**SPEAK, "sample_rate": "44100"}),
        ("/v1/moss", {}),
    ],
)
async def test_handshakes_that_are_refused(
    server: Deepgram, path: str, query: dict[str, str]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(server, path, query):
            pass
    assert refused.value.response.status_code in (400, 404)
    assert refused.value.response.headers["dg-error"]


@pytest.mark.parametrize("message", [b'{"type":"KeepAlive"}', b""])
async def test_what_is_no_audio(server: Deepgram, message: bytes) -> None:
    async with socket(server, "/v1/listen", LISTEN) as connection:
        await connection.send(message)
        code, reason = await closing_of(connection)
    assert (code, (reason or "")[:9]) == (1008, "DATA-0000")


async def test_nobody_speaks(server: Deepgram) -> None:
    async with socket(server, "/v1/listen", LISTEN) as connection:
        code, reason = await closing_of(connection)
    assert (code, (reason or "")[:8]) == (1011, "NET-0001")


async def test_messages_that_it_does_not_know(server: Deepgram) -> None:
    async with socket(server, "/v1/listen", LISTEN) as connection:
        for message in ('{"type":"Moss"}', "moss", "[]"):
            await connection.send(message)
            error = json.loads(await connection.recv())
            assert (error["type"], error["variant"]) == ("Error", "SchemaError")
    for message in ('{"type":"Moss"}', "moss", b"\0\0"):
        async with socket(server, "/v1/speak", SPEAK) as connection:
            await connection.send(message)
            assert (await closing_of(connection))[0] == 1008


async def test_warnings(server: Deepgram) -> None:
    async with socket(server, "/v1/speak", SPEAK) as connection:
        for text in (" ", "m" * 2001):
            await connection.send(json.dumps({"type": "Speak", "text": text}))
        for _ in range(3):
            await connection.send('{"type":"Flush"}')
        await connection.send('{"type":"Close"}')
        frames = await frames_of(connection)
    codes = [one["code"] for one in frames if one["type"] == "Warning"]
    assert codes == ["EMPTY_TEXT", "TEXT_TOO_LONG", "EXCESSIVE_FLUSH"]


async def test_clear_stops_the_audio(server: Deepgram) -> None:
    server.delay(Delays(word=0.05))
    async with socket(server, "/v1/speak", SPEAK) as connection:
        await connection.send(json.dumps({"type": "Speak", "text": "Moss. " * 100}))
        await connection.send('{"type":"Flush"}')
        assert json.loads(await connection.recv())["type"] == "Metadata"
        assert await connection.recv()
        await connection.send('{"type":"Clear"}')
        await connection.send('{"type":"Close"}')
        frames = await frames_of(connection)
    assert frames[-1] == {"type": "Cleared", "sequence_id": 0}
    assert len(frames) < 50


async def test_a_fault_at_a_frame_is_in_what_was_asked(server: Deepgram) -> None:
    server.fail(Fault(at="WS /v1/listen", do=Close(4000, "moss"), after=0))
    async with socket(server, "/v1/listen", LISTEN) as connection:
        assert await closing_of(connection) == (4000, "moss")
    (asked,) = server.exchanges()
    assert (asked.closed, asked.sent, asked.value("model")) == ("4000", [], "nova-3")


def _voice(at: int) -> int:
    """Two tones that are no word's together, as loud as a voice."""
    return round(6000 * (math.sin(at / 20) + math.sin(at / 3.7)))
