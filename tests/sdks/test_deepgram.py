"""The official client of Deepgram and our adapter ask our stand-in alike, and are answered well."""

import asyncio
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.harness.deepgram.exchanges import Exchange
from tests.harness.deepgram.faults import Fault, Refuse
from tests.harness.deepgram.launch import Deepgram, deepgram
from tests.harness.deepgram.tones import silence
from tests.sdks.own_environments import client_in

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.speech.deepgram import DeepgramSynthesizer, DeepgramTranscriber
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.domain.speech import (
    AudioFormat,
    PcmFormat,
    Recording,
    SpeechRequest,
    TranscriptionOptions,
)
from cartrita.kit.secret import Secret

pytestmark = pytest.mark.slow
DOCUMENTED = {
    "ListenV1Response.results.channels.alternatives.words.punctuated_word",
    "ListenV1Response.results.channels.language_confidence",
}
"""Fields of recordings that Deepgram's pages have, and the types of its client do not."""
SAID = "Moss grows."
RECORDED = TranscriptionOptions(language="en", prompt="moss, lichen")


@pytest.fixture(scope="module")
def client() -> list[str]:
    return client_in("deepgram")


@pytest.fixture
def server() -> Iterator[Deepgram]:
    with deepgram() as running:
        yield running


class Audio:
    """A recording and samples, as files that the client reads."""

    def __init__(self, server: Deepgram, folder: Path) -> None:
        self.wav = server.recording("What grows on stones?")
        self.pcm = server.samples("What grows?") + silence(1.5, 16_000)
        self.pcm += server.samples("Moss.") + silence(0.1, 16_000)
        self.paths = [str(folder / "a.wav"), str(folder / "a.pcm")]
        Path(self.paths[0]).write_bytes(self.wav)
        Path(self.paths[1]).write_bytes(self.pcm)


def told_by(
    client: Sequence[str], part: str, server: Deepgram, audio: Audio
) -> list[Mapping[str, Any]]:
    ran = subprocess.run(
        [*client, part, server.base_url, server.key, *audio.paths],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_its_types_take_every_answer(server: Deepgram, client: list[str], tmp_path: Path) -> None:
    audio = Audio(server, tmp_path)
    told = told_by(client, "answers", server, audio)
    assert {field for one in told for field in one.get("extra", ())} <= DOCUMENTED
    recorded = [one for one in told if one["part"] == "recorded"]
    assert [(one["text"], one["words"]) for one in recorded] == [("What grows on stones?", 4)] * 2
    live = [one for one in told if one["part"] == "live"]
    assert [one["type"] for one in live] == [
        "SpeechStarted",
        *["Results"] * 3,
        "UtteranceEnd",
        "SpeechStarted",
        *["Results"] * 3,
        "Metadata",
    ]
    assert all(one["kind"] == f"ListenV1{one['type']}" for one in live)
    assert [one["text"] for one in live if one.get("ended")] == ["What grows?"]
    assert len([one for one in told if one["part"] == "spoken"]) == 6
    talk = [one["type"] for one in told if one["part"] == "talk"]
    assert talk == ["Metadata", "audio", "audio", "Flushed", "audio", "Flushed", "Cleared"]
    assert [one["count"] for one in told if one["part"] == "projects"] == [1]


def test_its_errors_take_every_refusal(server: Deepgram, client: list[str], tmp_path: Path) -> None:
    audio = Audio(server, tmp_path)
    server.fail(
        Fault(at="POST /v1/listen", do=Refuse(status=402, shape="legacy")),
        Fault(at="POST /v1/listen", do=Refuse(status=429, shape="modern")),
        Fault(at="POST /v1/listen", do=Refuse(status=503, shape="text")),
        Fault(at="WS /v1/listen", do=Refuse(status=402)),
        Fault(at="WS /v1/speak", do=Refuse(status=401)),
    )
    told = told_by(client, "refusals", server, audio)
    assert [(one["status"], one["shape"]) for one in told] == [
        (402, "ErrorResponseLegacyError"),
        (429, "ErrorResponseModernError"),
        (503, "str"),
        (402, "handshake"),
        (401, "handshake"),
    ]
    assert all(one["told"] and not one["extra"] for one in told)


async def ask_alike(service: DeepgramService, audio: Audio) -> None:
    """What the client asks for, by our adapter."""
    transcriber, synthesizer = DeepgramTranscriber(service), DeepgramSynthesizer(service)
    wav = Recording(data=audio.wav, media_type="application/octet-stream")
    await transcriber.transcribe(wav, TranscriptionOptions())
    await transcriber.transcribe(wav, RECORDED)
    async with transcriber.listen(PcmFormat(16_000), TranscriptionOptions()) as listening:
        for at in range(0, len(audio.pcm), 3200):
            await listening.send(audio.pcm[at : at + 3200])
        await listening.end_utterance()
        await listening.finish()
        async for _ in listening.events():
            pass
    for name in ("mp3", "opus", "flac", "aac", "wav", "pcm"):
        request = SpeechRequest(text=SAID, format=AudioFormat(name))
        async with synthesizer.speak(request) as speech:
            async for _ in speech.pieces():
                pass
    async with synthesizer.converse(SpeechRequest(text="")) as speaking:
        await speaking.say(SAID)
        await speaking.say("Softly.")
        await speaking.finish()
        async for _ in speaking.pieces():
            pass
    await transcriber.test_key()


def shape(asked: Exchange) -> dict[str, Any]:
    """What a request is, but for its sender and the order of what has none."""
    return {
        "what": (asked.method, asked.path),
        "query": sorted(asked.query),
        "authorization": asked.headers["authorization"],
        "type": asked.headers.get("content-type"),
        "body": json.loads(asked.body) if asked.body else None,
        "audio": asked.audio_bytes,
        "messages": [json.loads(message) for message in asked.messages],
    }


async def test_our_requests_are_those_of_the_client(
    server: Deepgram, client: list[str], tmp_path: Path
) -> None:
    audio = Audio(server, tmp_path)
    await asyncio.to_thread(told_by, client, "answers", server, audio)
    theirs = [shape(asked) for asked in server.exchanges()]
    server.reset()
    async with HttpClient() as http:
        key = Secret(server.key)
        await ask_alike(DeepgramService(http=http, base_url=server.base_url, key=key), audio)
    ours = [shape(asked) for asked in server.exchanges()]
    live, talk = 2, 9
    assert theirs[live]["messages"][0] == {"type": "KeepAlive"}  # ours were not silent
    del theirs[live]["messages"][0]
    flush = {"type": "Flush"}
    assert theirs[talk]["messages"][:4] == [
        {"type": "Speak", "text": SAID},
        flush,
        {"type": "Speak", "text": "Softly."},
        flush,
    ]
    assert ours[talk]["messages"][:4] == theirs[talk]["messages"][:4]
    assert ours[talk]["messages"][-1] == theirs[talk]["messages"][-1] == {"type": "Close"}
    del ours[talk]["messages"], theirs[talk]["messages"]
    assert ours == theirs
