"""Transcribing on this machine: what is no speech has no words, and what is missing is named."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs
from tests.backend.adapters.speech.sounds import babble, noise, silence, tone, wav

from cartrita.adapters.speech import embedded_engines
from cartrita.adapters.speech.embedded_transcriber import EmbeddedTranscriber, EngineLimits
from cartrita.adapters.speech.recordings import RecordingBounds, SniffedRecordings
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.domain.errors import (
    Busy,
    CartritaError,
    NotOffered,
    Unavailable,
    UpstreamCut,
    UpstreamUnreachable,
)
from cartrita.domain.speech import (
    Heard,
    PcmFormat,
    Recording,
    SpeechStarted,
    Transcript,
    TranscriptionOptions,
    UtteranceEnded,
    least_need,
)

OPTIONS = TranscriptionOptions()
LISTENED = PcmFormat(16_000)


def transcriber(
    limits: EngineLimits | None = None,
    models: dict[str, Path | None] | None = None,
    listeners: EngineSeats | None = None,
) -> EmbeddedTranscriber:
    seats = EngineSeats(1)
    recordings = SniffedRecordings(RecordingBounds(), seats, None)
    return EmbeddedTranscriber(
        recordings, seats, listeners or EngineSeats(1), limits or EngineLimits(), models or {}
    )


async def heard(sound: bytes, engine: EmbeddedTranscriber | None = None) -> Transcript:
    engine = engine or transcriber()
    recordings = SniffedRecordings(RecordingBounds(), EngineSeats(1), None)
    return await engine.transcribe(await recordings.read(wav(sound), ""), OPTIONS)


def installed(name: str) -> str:
    return name


def not_installed(name: str) -> None:
    return None


def engines() -> list[int]:
    """The processes of engines that are running."""
    return [
        one.pid
        for one in psutil.Process().children(recursive=True)
        if "cartrita.adapters.speech.engines.main" in " ".join(one.cmdline())
    ]


@pytest.mark.parametrize(
    "sound",
    [silence(2), noise(3, seed=1), noise(3, seed=2, level=0.5), tone(3, hertz=60, level=0.4)],
    ids=["silence", "noise", "loud noise", "hum"],
)
async def test_what_is_no_speech_has_no_words(sound: bytes) -> None:
    transcript = await heard(sound)
    assert (transcript.text, transcript.words, transcript.segments) == ("", (), ())
    assert transcript.duration == LISTENED.seconds(len(sound))
    assert (transcript.provider, transcript.model) == ("embedded", "pocketsphinx")


async def test_the_same_sound_has_the_same_transcript_whose_words_are_in_it() -> None:
    sound = silence(0.5) + babble(0.8, seed=3) + silence(1)
    first, second = await heard(sound), await heard(sound)
    assert first == second
    assert all(0 <= one.start < one.end <= 3.0 for one in first.words)
    assert all(0 <= (one.confidence or 0) <= 1 for one in first.words)
    assert engines() == []


async def test_listening_tells_when_somebody_speaks_and_when_not_any_more() -> None:
    sound = silence(0.5) + babble(1, seed=3) + silence(1)
    stereo = b"".join(sound[at : at + 2] * 2 for at in range(0, len(sound), 4))
    async with transcriber().listen(PcmFormat(8_000, 2), OPTIONS) as listening:
        await listening.send(stereo)
        await listening.finish()
        events = [event async for event in listening.events()]
    assert isinstance(events[0], SpeechStarted)
    assert isinstance(events[-1], UtteranceEnded)
    finals = [one for one in events if isinstance(one, Heard) and one.final]
    assert len(finals) <= 1
    assert engines() == []


async def test_other_languages_are_not_guessed() -> None:
    with pytest.raises(NotOffered) as caught:
        async with transcriber().listen(LISTENED, TranscriptionOptions(language="de-DE")):
            raise AssertionError("it listens")
    assert "English only" in caught.value.message


async def test_english_of_any_country_is_listened_to() -> None:
    recordings = SniffedRecordings(RecordingBounds(), EngineSeats(1), None)
    recording = await recordings.read(wav(silence(1)), "")
    transcript = await transcriber().transcribe(recording, TranscriptionOptions(language="en-GB"))
    assert transcript.text == ""


async def test_an_engine_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(NotOffered) as caught:
        async with transcriber().listen(LISTENED, TranscriptionOptions(model="nova-3")):
            raise AssertionError("it listens")
    assert "pocketsphinx" in caught.value.message


async def test_an_engine_that_is_not_installed_says_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_engines, "find_spec", not_installed)
    engine = transcriber()
    assert all(one.needs and "pip install" in one.needs for one in engine.models)
    assert "backend[voice]" in (least_need(engine.models) or ""), "the one that needs no model"
    with pytest.raises(Unavailable) as caught:
        await heard(babble(1), engine)
    assert (
        "uv pip install --python .venv -c requirements-dev.lock -e 'backend[voice]'"
        in caught.value.message
    )


def test_an_engine_without_its_model_says_which_setting_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedded_engines, "find_spec", installed)
    needs = {one.name: one.needs for one in transcriber().models}
    assert needs["faster-whisper"] == "Set voice.faster_whisper_model to the directory of a model."
    wrong: dict[str, Path | None] = {"sherpa-onnx": tmp_path / "none"}
    with capture_logs() as logs:
        needs = {one.name: one.needs for one in transcriber(models=wrong).models}
    assert needs["sherpa-onnx"] == (
        "voice.sherpa_onnx_model names no directory: the log of the server says which one."
    )
    [entry] = logs
    assert (entry["setting"], entry["path"]) == ("voice.sherpa_onnx_model", f"{tmp_path}/none")
    right: dict[str, Path | None] = {"faster-whisper": tmp_path}
    assert transcriber(models=right).models[0].needs is None


async def test_why_an_engine_cannot_be_loaded_is_for_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedded_engines, "find_spec", installed)
    engine = transcriber(models={"faster-whisper": tmp_path})
    with capture_logs() as logs, pytest.raises(CartritaError) as caught:
        await heard(silence(0.5) + babble(1.5) + silence(1), engine)
    assert caught.value.message == (
        "faster-whisper cannot be loaded where the server runs: its log says why."
    )
    [entry] = [one for one in logs if one["event"] == "engine_cannot_be_loaded"]
    assert entry["engine"] == "faster-whisper"
    assert entry["detail"]


async def test_an_engine_that_takes_too_long_is_ended() -> None:
    with pytest.raises(UpstreamUnreachable):
        await heard(babble(2), transcriber(EngineLimits(seconds=0.01, pace=0)))
    assert engines() == []


async def test_a_long_recording_has_more_time_than_a_short_one() -> None:
    engine = transcriber(EngineLimits(seconds=0.01, pace=60))
    assert (await heard(babble(2), engine)).duration == 2.0


async def test_an_engine_that_takes_too_much_memory_is_ended() -> None:
    with pytest.raises((UpstreamCut, Unavailable)):
        await heard(babble(2), transcriber(EngineLimits(memory_bytes=120 << 20)))
    assert engines() == []


async def test_so_many_are_listened_to_and_recordings_are_transcribed_meanwhile() -> None:
    engine = transcriber(listeners=EngineSeats(1, wait_s=0.0))
    async with engine.listen(LISTENED, OPTIONS):
        with pytest.raises(Busy):
            async with engine.listen(LISTENED, OPTIONS):
                pass
        assert (await heard(babble(1), engine)).duration == pytest.approx(1, abs=0.1)
    assert engines() == []


class NotedPieces(SniffedRecordings):
    """Recordings whose pieces note in which turn of the event loop they were asked for."""

    def __init__(self) -> None:
        super().__init__(RecordingBounds(), EngineSeats(1), None)
        self.turn = 0
        self.turns: list[int] = []

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)

    async def decoded(self, recording: Recording, audio: PcmFormat) -> AsyncGenerator[bytes]:
        async with aclosing(super().decoded(recording, audio)) as pieces:
            async for piece in pieces:
                self.turns.append(self.turn)
                yield piece


async def test_other_work_goes_on_between_the_pieces_of_a_long_recording() -> None:
    noted, seats = NotedPieces(), EngineSeats(1)
    engine = EmbeddedTranscriber(noted, seats, seats, EngineLimits(), {})
    recording = await noted.read(wav(noise(10, seed=7)), "")
    counting = asyncio.create_task(noted.count_turns())
    try:
        await engine.transcribe(recording, OPTIONS)
    finally:
        counting.cancel()
    assert len(noted.turns) > 2
    assert all(earlier < later for earlier, later in pairwise(noted.turns))
