"""A server hears and speaks by itself, refuses what is no recording, and leaves nothing."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
from tests.backend.adapters.speech.programs import FORMATS, made, spoken
from tests.backend.adapters.speech.sounds import silence, wav
from tests.harness import raw_http
from tests.harness.documents import form
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, Server
from tests.journeys.voice import MODEL, content, said

pytestmark = pytest.mark.slow

PROCESS, TRANSCRIBE, SPEAK = "/api/voice/process", "/api/voice/transcribe", "/api/voice/speak"
QUESTION = "the weather is nice today"
ESPEAK = "embedded/espeak-ng"
_OWN = {
    "CARTRITA_VOICE_TRANSCRIBERS": "embedded",
    "CARTRITA_VOICE_SYNTHESIZERS": "embedded/flite",
}
"""The provider that answers has the API of audio too, and would be asked first."""
SILENT = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono")


@pytest.fixture(scope="module")
def keyless(provider: FakeProvider) -> Iterator[Scenario]:
    with Server(provider_url=provider.base_url, settings=_OWN) as server:
        yield Scenario(server, provider)


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return spoken(QUESTION, tmp_path_factory.mktemp("spoken"))


@pytest.fixture(scope="module")
def narrow(provider: FakeProvider) -> Iterator[Scenario]:
    """A server where two speeches are encoded at once, and listeners have a second for a piece."""
    bounds = {
        "CARTRITA_VOICE_ENCODERS_MAX": "2",
        "CARTRITA_VOICE_ENCODERS_PER_OWNER": "2",
        "CARTRITA_VOICE_UNHEARD_S": "1",
    }
    with Server(provider_url=provider.base_url, settings={**_OWN, **bounds}) as server:
        yield Scenario(server, provider)


def speech_processes(scenario: Scenario) -> list[str]:
    """The programs and engines of speech that are running beneath the server."""
    names = ("ffmpeg", "ffprobe", "flite", "espeak", "speech.engines", "processes.launcher")
    server = scenario.server._process
    assert server is not None
    told: list[str] = []
    for one in psutil.Process(server.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            told.append(" ".join(one.cmdline()))
    return [one for one in told if any(name in one for name in names)]


async def gone(scenario: Scenario) -> None:
    async def look() -> bool | None:
        return None if speech_processes(scenario) else True

    await eventually(look)


async def test_a_question_is_heard_answered_and_spoken(keyless: Scenario, question: bytes) -> None:
    status, told = await said(keyless, PROCESS, question, speak="true", **MODEL)
    assert status == 200, told
    assert told["transcription"] == QUESTION
    assert [one["word"] for one in told["words"]] == QUESTION.split()
    assert told["response"]
    kind, audio = await content(keyless, told["audio_url"])
    assert kind == "audio/mpeg"
    status, heard = await said(keyless, TRANSCRIBE, audio)
    assert (status, heard["provider"]) == (200, "embedded")
    assert heard["text"]
    await gone(keyless)


@pytest.mark.parametrize("kind", ["mp3", "opus", "webm", "m4a", "flac"])
async def test_recordings_of_browsers_and_telephones_are_heard(
    keyless: Scenario, question: bytes, kind: str, tmp_path: Path
) -> None:
    audio = made(tmp_path, *FORMATS[kind], source=question)
    status, told = await said(keyless, TRANSCRIBE, audio)
    assert (status, told["text"]) == (200, QUESTION)


async def test_silence_has_no_words(keyless: Scenario) -> None:
    status, told = await said(keyless, TRANSCRIBE, wav(silence(2)))
    assert (status, told["text"], told["words"]) == (200, "", [])


async def test_what_is_no_recording_is_refused_and_leaves_nothing(
    keyless: Scenario, question: bytes, tmp_path: Path
) -> None:
    video = ("-c:v", "libx264", "-c:a", "aac", "-shortest", "-f", "mp4")
    bad = {
        "recording_empty": [b"", wav(b"")],
        "recording_unreadable": [
            question[: len(question) // 2],
            made(tmp_path, *FORMATS["flac"], source=question)[:5_000],
            b"RIFF\0\0\0\0WAVE" + b"PK\3\4" * 5_000,
            wav(b"PK\3\4" * 5_000, size=0xFFFFFFF0),
        ],
        "recording_type_not_accepted": [
            b"Only text.",
            b"PK\3\4" * 5_000,
            made(tmp_path, "-f", "lavfi", "-i", "testsrc=s=64x64:d=1", *SILENT, "-t", "1", *video),
        ],
        "recording_format_unsupported": [
            wav(silence(1), rate=0),
            wav(silence(1), channels=32),
        ],
        "recording_too_long": [
            made(tmp_path, *SILENT, "-t", "7200", *FORMATS["mp3"], "-b:a", "8k")
        ],
    }
    statuses = {
        "recording_type_not_accepted": 415,
        "recording_too_long": 413,
    }
    before = sorted(path for path in keyless.server.data_dir.rglob("*") if "files" in path.parts)
    for code, recordings in bad.items():
        for audio in recordings:
            for path in (TRANSCRIBE, PROCESS):
                status, told = await said(keyless, path, audio)
                assert (told["code"], status) == (code, statuses.get(code, 422)), told
    after = sorted(path for path in keyless.server.data_dir.rglob("*") if "files" in path.parts)
    assert after == before
    await gone(keyless)


async def test_whoever_goes_away_leaves_no_process(keyless: Scenario, question: bytes) -> None:
    samples = question[44:]
    kind, body = form(("audio", "said.wav", wav(samples * 20)))
    sent = {"X-API-Key": KEY, "Content-Type": kind}

    async def listening() -> bool | None:
        return True if any("engines" in one for one in speech_processes(keyless)) else None

    async def ask() -> None:
        request = raw_http.request(keyless.server.port, "POST", TRANSCRIBE, sent, body)
        async with await request as answer:
            await answer.body()

    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(ask())
        await eventually(listening)
        asked.cancel()
    await gone(keyless)


async def test_who_does_not_take_a_speech_holds_no_encoder(narrow: Scenario) -> None:
    """Four ask, and read nothing: two are encoded at a time, and each is cut in the end.

    What they ask for is more than a system keeps for a connection, and is made quickly.
    """
    asked = {"text": "Moss grows on old stones. " * 380, "format": "flac", "synthesizer": ESPEAK}
    body = json.dumps(asked).encode()
    sent = {"X-API-Key": KEY, "Content-Type": "application/json"}
    encoders: list[int] = []

    async def ask(cuts: list[bool]) -> None:
        request = raw_http.request(narrow.server.port, "POST", SPEAK, sent, body, slow=True)
        async with await request as answer:
            assert answer.status == 200
            await eventually(partial(all_are_cut, 4))
            with pytest.raises(raw_http.Cut):
                await answer.body()
            cuts.append(True)

    async def all_are_cut(many: int) -> bool:
        encoders.append(sum("ffmpeg" in one for one in speech_processes(narrow)))
        log = narrow.server.log_tail(1 << 20)
        told = [line for line in log.splitlines() if "speech_cut" in line]
        return sum("deadline_exceeded" in line for line in told) == many

    cuts: list[bool] = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(ask(cuts))
    assert len(cuts) == 4
    assert max(encoders) == 2
    await gone(narrow)
    assert "Exception in ASGI application" not in narrow.server.log_tail(1 << 20)
