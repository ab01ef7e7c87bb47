"""Speaking on this machine: what is missing is named, and piper is called as it wants to be."""

import json
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from cartrita.adapters.speech import speaking_programs
from cartrita.adapters.speech.embedded_synthesizer import EmbeddedSynthesizer
from cartrita.adapters.speech.encoding import FfmpegEncoding
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.adapters.speech.wav import wav_samples
from cartrita.domain.errors import CartritaError, NotOffered, Unavailable, UpstreamUnreachable
from cartrita.domain.speech import AudioFormat, SpeechRequest, SpokenText, least_need

_PIPER = """#!{python} -I
import sys
expected = ["--model", {model!r}, "--length_scale", "0.5000", "--output_raw"]
if sys.argv[1:] != expected:
    sys.exit(2)
for line in sys.stdin:
    sys.stdout.buffer.write(len(line.strip()).to_bytes(2, "little") * 100)
"""
"""Takes what piper takes, and makes as many samples as it should: each is a text's length."""


def nothing(name: str) -> None:
    return None


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A voice for piper, and a program in its place: no voice comes with it."""
    model = tmp_path / "voices" / "amy.onnx"
    model.parent.mkdir()
    model.write_bytes(b"")
    Path(f"{model}.json").write_text(json.dumps({"audio": {"sample_rate": 22050}, "more": 1}))
    program = tmp_path / "bin" / "piper"
    program.parent.mkdir()
    program.write_text(_PIPER.format(python=sys.executable, model=str(model)))
    program.chmod(0o755)

    def found(name: str) -> Path | None:
        return program if name == "piper" else None

    monkeypatch.setattr(speaking_programs, "found", found)
    return model


def synthesizer(
    voice: Path | None = None, seconds: float = 60, longest: int = 32_000
) -> EmbeddedSynthesizer:
    return EmbeddedSynthesizer(
        FfmpegEncoding(None, EngineSeats(1)),
        EngineSeats(1),
        seconds=seconds,
        longest=longest,
        piper_voice=voice,
    )


async def spoken(request: SpeechRequest, engine: EmbeddedSynthesizer) -> bytes:
    async with engine.speak(request) as speech:
        return b"".join([piece async for piece in speech.pieces()])


async def refusal(request: SpeechRequest, engine: EmbeddedSynthesizer) -> CartritaError:
    with pytest.raises(CartritaError) as caught:
        await spoken(request, engine)
    return caught.value


async def test_what_is_not_installed_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speaking_programs, "found", nothing)
    engine = synthesizer()
    needs = {one.name: one.needs or "" for one in engine.models}
    assert list(needs) == ["piper", "flite", "espeak-ng"]
    assert "voice.piper_voice" in needs["piper"]
    assert "apt install flite" in needs["flite"]
    assert least_need(engine.models) == needs["flite"]
    error = await refusal(SpeechRequest(text="Hello."), engine)
    assert isinstance(error, Unavailable)
    assert (error.code, "apt install flite" in error.message) == ("speech_unavailable", True)


async def test_piper_speaks_with_its_voice(voice: Path) -> None:
    engine = synthesizer(voice)
    assert engine.models[0].voices == ("amy",)
    audio = await spoken(SpeechRequest(text="Hello.", speed=2.0), engine)
    found = wav_samples(audio)
    assert (found.audio.sample_rate, found.size, audio[44:46]) == (22050, 200, b"\6\0")


async def test_a_long_text_is_spoken_in_parts_and_a_line_break_is_no_end(voice: Path) -> None:
    text = "This is one\nsentence. " * 60
    audio = await spoken(
        SpeechRequest(text=text, speed=2.0, format=AudioFormat.PCM), synthesizer(voice)
    )
    lengths = [int.from_bytes(audio[at : at + 2], "little") for at in range(0, len(audio), 200)]
    assert len(lengths) > 2
    assert max(lengths) <= 400
    assert sum(lengths) + len(lengths) >= len(text.strip())


async def test_a_long_text_is_heard_after_a_short_part_of_it(voice: Path) -> None:
    request = SpeechRequest(text="This is one sentence. " * 60, speed=2.0, format=AudioFormat.PCM)
    async with synthesizer(voice).speak(request) as speech, aclosing(speech.pieces()) as pieces:
        first = await anext(pieces)
    assert int.from_bytes(first[:2], "little") <= 150


async def test_a_text_that_is_too_long_for_this_machine_is_left_to_others(voice: Path) -> None:
    engine = synthesizer(voice, longest=1000)
    assert await spoken(SpeechRequest(text="word " * 200, speed=2.0), engine)
    error = await refusal(SpeechRequest(text="word " * 200 + "!", speed=2.0), engine)
    assert isinstance(error, NotOffered)
    assert "speaks 1,000 characters at once here" in error.fields["text"][0]


async def test_texts_are_spoken_as_they_come(voice: Path) -> None:
    request = SpeechRequest(text="", speed=2.0, format=AudioFormat.PCM)
    async with synthesizer(voice).converse(request) as speaking:
        assert speaking.sample_rate == 22050
        await speaking.say("One.")
        await speaking.say("Three.")
        await speaking.finish()
        pieces = [piece async for piece in speaking.pieces()]
    assert pieces == [b"\4\0" * 100, SpokenText(1), b"\6\0" * 100, SpokenText(2)]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (SpeechRequest(text="Hello.", voice="--help"), "voice: piper has amy"),
        (SpeechRequest(text="Hello.", model="aura"), "model: choose one of piper, flite"),
        (SpeechRequest(text="Hello.", format=AudioFormat.MP3), "install ffmpeg"),
    ],
)
async def test_what_it_has_not_is_told_with_what_it_has(
    voice: Path, request_: SpeechRequest, told: str
) -> None:
    error = await refusal(request_, synthesizer(voice))
    assert isinstance(error, NotOffered)
    assert told in error.message


async def test_a_program_that_fails_is_no_silence(voice: Path) -> None:
    error = await refusal(SpeechRequest(text="Hello.", speed=1.0), synthesizer(voice))
    assert isinstance(error, UpstreamUnreachable)


async def test_a_program_that_takes_too_long_is_ended(voice: Path) -> None:
    error = await refusal(SpeechRequest(text="Hello."), synthesizer(voice, seconds=0.001))
    assert isinstance(error, UpstreamUnreachable)
    assert "0.001 seconds" in error.message


def test_a_voice_without_its_description_is_none(voice: Path) -> None:
    Path(f"{voice}.json").unlink()
    assert synthesizer(voice).models[0].needs is not None


async def test_a_text_without_a_letter_that_it_can_say_is_left_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "flite"
    monkeypatch.setattr(speaking_programs, "found", {"flite": program}.get)
    error = await refusal(SpeechRequest(text="中文 。"), synthesizer())
    assert isinstance(error, NotOffered)
    assert "can say no letter" in error.fields["text"][0]
    assert speaking_programs.Flite(program).can_say("中文, or Chinese")
