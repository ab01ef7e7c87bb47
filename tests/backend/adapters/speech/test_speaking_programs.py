"""flite and espeak-ng speak in every format, and what they say is understood again."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backend.adapters.speech.programs import ffmpeg, left_behind, reader
from tests.backend.adapters.speech.sounds import RATE, silence

from cartrita.adapters.speech.embedded_synthesizer import EmbeddedSynthesizer
from cartrita.adapters.speech.embedded_transcriber import EmbeddedTranscriber, EngineLimits
from cartrita.adapters.speech.encoding import FfmpegEncoding
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.domain.errors import NotOffered
from cartrita.domain.speech import (
    AudioFormat,
    Heard,
    PcmFormat,
    SpeechRequest,
    SpokenText,
    TranscriptionOptions,
)

pytestmark = pytest.mark.slow

ENGINES = ("flite", "espeak-ng")


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = left_behind()  # servers of other tests may be running
    yield
    assert left_behind() == before


def synthesizer() -> EmbeddedSynthesizer:
    return EmbeddedSynthesizer(FfmpegEncoding(ffmpeg(), EngineSeats(2)), EngineSeats(2))


def transcriber() -> EmbeddedTranscriber:
    return EmbeddedTranscriber(reader(), EngineSeats(2), EngineSeats(1), EngineLimits(), {})


async def spoken(request: SpeechRequest) -> bytes:
    async with synthesizer().speak(request) as speech:
        return b"".join([piece async for piece in speech.pieces()])


@pytest.mark.parametrize("model", ENGINES)
@pytest.mark.parametrize("target", [one for one in AudioFormat if one is not AudioFormat.PCM])
async def test_each_speaks_in_each_format(model: str, target: AudioFormat) -> None:
    data = await spoken(SpeechRequest(text="Good morning to you.", model=model, format=target))
    recording = await reader().read(data, "")
    assert not recording.silent
    assert 0.7 < (recording.duration or 0) < 3


@pytest.mark.parametrize("voice", ["rms", "slt", "awb", "kal16"])
async def test_each_voice_of_flite_speaks(voice: str) -> None:
    data = await spoken(SpeechRequest(text="Good morning.", model="flite", voice=voice))
    assert not (await reader().read(data, "")).silent


@pytest.mark.parametrize("model", ENGINES)
async def test_speed_changes_how_long_it_takes(model: str) -> None:
    durations = [
        (
            await reader().read(
                await spoken(
                    SpeechRequest(
                        text="The quick brown fox jumps over the lazy dog.",
                        model=model,
                        speed=speed,
                        format=AudioFormat.WAV,
                    )
                ),
                "",
            )
        ).duration
        or 0.0
        for speed in (0.5, 1.0, 2.0)
    ]
    assert durations[0] > 1.5 * durations[1]
    assert durations[1] > 1.3 * durations[2]


async def test_espeak_knows_other_languages_and_says_which() -> None:
    assert await spoken(SpeechRequest(text="Guten Morgen.", model="espeak-ng", voice="de"))
    with pytest.raises(NotOffered) as caught:
        await spoken(SpeechRequest(text="Hello.", model="espeak-ng", voice="klingon"))
    assert "en-us, " in caught.value.message


@pytest.mark.parametrize(
    "text", ["-voice kal", "--help", "@/etc/passwd", "<b>", "ÄÖ 日本語 🙂", "."]
)
@pytest.mark.parametrize("model", ENGINES)
async def test_a_text_is_never_anything_else(model: str, text: str) -> None:
    request = SpeechRequest(text=f"{text} and more.", model=model, format=AudioFormat.PCM)
    assert await spoken(request)


async def test_a_text_that_is_not_heard_to_its_end_ends() -> None:
    async with synthesizer().speak(SpeechRequest(text="One more sentence. " * 200)) as speech:
        async for piece in speech.pieces():
            assert piece
            break


async def test_what_is_spoken_as_it_comes_is_a_file_for_each_text() -> None:
    request = SpeechRequest(text="", format=AudioFormat.WAV)
    files: list[bytes] = [b""]
    async with synthesizer().converse(request) as speaking:
        for text in ("One.", "Two and three."):
            await speaking.say(text)
        await speaking.finish()
        async for piece in speaking.pieces():
            if isinstance(piece, SpokenText):
                files.append(b"")
            else:
                files[-1] += piece
    durations = [(await reader().read(one, "")).duration or 0 for one in files[:-1]]
    assert len(durations) == 2
    assert durations[0] < durations[1]


async def test_no_program_waits_for_whoever_listens_slowly() -> None:
    before = left_behind()[1]
    request = SpeechRequest(text="", format=AudioFormat.MP3)
    async with synthesizer().converse(request) as speaking:
        await speaking.say("A sentence that is long enough for several pieces of sound. " * 20)
        pieces = speaking.pieces()
        assert await anext(aiter(pieces))
        assert left_behind()[1] == before


@pytest.mark.parametrize("target", [AudioFormat.WAV, AudioFormat.MP3, AudioFormat.OPUS])
async def test_what_flite_says_is_understood(target: AudioFormat) -> None:
    text = "the weather is nice today"
    data = await spoken(SpeechRequest(text=text, model="flite", voice="rms", format=target))
    recording = await reader().read(data, "")
    transcript = await transcriber().transcribe(recording, TranscriptionOptions())
    assert transcript.text == text
    assert [one.text for one in transcript.words] == text.split()
    assert all(one.start < one.end <= transcript.duration for one in transcript.words)


async def test_what_flite_says_is_understood_while_it_says_it() -> None:
    request = SpeechRequest(
        text="please open the door", model="flite", voice="rms", format=AudioFormat.PCM
    )
    sound = silence(0.5) + await spoken(request) + silence(1)
    async with transcriber().listen(PcmFormat(RATE), TranscriptionOptions()) as listening:
        for at in range(0, len(sound), 3200):
            await listening.send(sound[at : at + 3200])
        await listening.finish()
        heard = [one async for one in listening.events() if isinstance(one, Heard)]
    assert [one.text for one in heard if one.final] == ["please open the door"]
    assert any(not one.final for one in heard)
    assert heard[-1].ends_utterance
