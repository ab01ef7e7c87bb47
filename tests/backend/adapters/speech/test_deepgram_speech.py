"""Deepgram speaks a text: in each format, in its voices, as it comes, and never half of it."""

import asyncio
import io
import wave
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.adapters.speech.conftest import AtDeepgram
from tests.harness.deepgram.faults import Cut, Delays, Fault, Hang, Page
from tests.harness.deepgram.launch import Deepgram

from cartrita.adapters.speech import speech_texts
from cartrita.adapters.speech.deepgram import DeepgramSynthesizer, DeepgramTranscriber
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.domain.errors import (
    InvalidInput,
    NotOffered,
    UpstreamCut,
    UpstreamMalformed,
    UpstreamUnreachable,
)
from cartrita.domain.ports.speech import SpeechSynthesizer, Transcriber
from cartrita.domain.speech import AudioFormat, Recording, SpeechRequest, TranscriptionOptions

TEXT = "Moss grows on stones."


async def spoken(service: DeepgramService, **request: Any) -> bytes:
    """All of a speech."""
    async with (
        asyncio.timeout(60),
        DeepgramSynthesizer(service).speak(SpeechRequest(**request)) as speech,
    ):
        return b"".join([piece async for piece in speech.pieces()])


async def pieces_of(service: DeepgramService, got: list[bytes], **request: Any) -> None:
    """The pieces of a speech, also those before an error."""
    async with (
        asyncio.timeout(60),
        DeepgramSynthesizer(service).speak(SpeechRequest(**request)) as speech,
    ):
        async for piece in speech.pieces():
            got.append(piece)  # noqa: PERF401


async def heard(service: DeepgramService, data: bytes) -> str:
    """What is said in a wav."""
    found = await DeepgramTranscriber(service).transcribe(
        Recording(data=data, media_type="audio/wav"), TranscriptionOptions()
    )
    return found.text


@pytest.mark.parametrize(
    ("audio", "query", "magic"),
    [
        (None, {"encoding": "mp3"}, b"\xff\xf3"),
        (AudioFormat.MP3, {"encoding": "mp3"}, b"\xff\xf3"),
        (
            AudioFormat.WAV,
            {"encoding": "linear16", "container": "wav", "sample_rate": "24000"},
            b"RIFF",
        ),
        (
            AudioFormat.PCM,
            {"encoding": "linear16", "container": "none", "sample_rate": "24000"},
            b"\0\0",
        ),
        (AudioFormat.OPUS, {"encoding": "opus", "container": "ogg"}, b"OggS"),
        (AudioFormat.FLAC, {"encoding": "flac"}, b"fLaC"),
        (AudioFormat.AAC, {"encoding": "aac"}, b"\xff\xf1"),
    ],
)
async def test_each_format(
    at_deepgram: AtDeepgram,
    standin: Deepgram,
    audio: AudioFormat | None,
    query: dict[str, str],
    magic: bytes,
) -> None:
    request = SpeechRequest(text=TEXT, format=audio)
    async with DeepgramSynthesizer(at_deepgram()).speak(request) as speech:
        assert speech.format is (audio or AudioFormat.MP3)
        assert speech.sample_rate == (24_000 if audio is AudioFormat.PCM else None)
        data = b"".join([piece async for piece in speech.pieces()])
    assert data.startswith(magic)
    (asked,) = standin.exchanges()
    assert dict(asked.query) == {"model": "aura-2-thalia-en", **query}
    assert asked.body == '{"text":"Moss grows on stones."}'
    assert asked.headers["content-type"] == "application/json"


async def test_what_it_speaks_is_understood(at_deepgram: AtDeepgram) -> None:
    service = at_deepgram()
    data = await spoken(service, text=TEXT, format=AudioFormat.WAV)
    assert await heard(service, data) == TEXT


@pytest.mark.parametrize(
    ("told", "model"),
    [
        ({}, "aura-2-thalia-en"),
        ({"model": "aura-2"}, "aura-2-thalia-en"),
        ({"model": "aura-asteria-en"}, "aura-asteria-en"),
        ({"voice": "zeus"}, "aura-2-zeus-en"),
        ({"voice": "Celeste"}, "aura-2-celeste-es"),
        ({"voice": "aura-2-viktoria-de", "model": "aura-2"}, "aura-2-viktoria-de"),
    ],
)
async def test_voices(
    at_deepgram: AtDeepgram, standin: Deepgram, told: dict[str, str], model: str
) -> None:
    await spoken(at_deepgram(), text=TEXT, **told)
    assert standin.exchanges()[0].value("model") == model


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.25, 1.5])
async def test_speeds(at_deepgram: AtDeepgram, standin: Deepgram, speed: float) -> None:
    data = await spoken(at_deepgram(), text=TEXT, format=AudioFormat.PCM, speed=speed)
    assert standin.exchanges()[0].value("speed") == (None if speed == 1 else f"{speed:g}")
    assert len(data) / 48_000 == pytest.approx(4 * 0.16 / speed, rel=0.01)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("speed", {"speed": 0.5}),
        ("speed", {"speed": 2.0}),
        ("voice", {"voice": "alloy"}),
        ("voice", {"voice": "aura-2-thalia-en&x=1"}),
        ("model", {"model": "tts/1"}),
        ("text", {"text": "Moss. " * 400, "format": AudioFormat.FLAC}),
    ],
)
async def test_what_it_cannot_do(
    at_deepgram: AtDeepgram, standin: Deepgram, field: str, told: dict[str, Any]
) -> None:
    with pytest.raises(NotOffered) as refused:
        await spoken(at_deepgram(), **{"text": TEXT, **told})
    assert field in refused.value.fields
    assert standin.exchanges() == []


async def test_nothing_to_say(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    with pytest.raises(InvalidInput):
        await spoken(at_deepgram(), text=" \n ")
    assert standin.exchanges() == []


@pytest.mark.parametrize("audio", [AudioFormat.WAV, AudioFormat.PCM, AudioFormat.MP3])
async def test_a_long_text_is_one_speech(
    at_deepgram: AtDeepgram, standin: Deepgram, audio: AudioFormat
) -> None:
    service = at_deepgram()
    text = " ".join([TEXT] * 200)
    data = await spoken(service, text=text, format=audio)
    exchanges = standin.exchanges()
    assert len(exchanges) == 3
    if audio is AudioFormat.WAV:
        with wave.open(io.BytesIO(data)) as reader:
            samples = reader.readframes(1 << 30)
        assert len(samples) / 48_000 == pytest.approx(800 * 0.16, rel=0.01)
        assert await heard(service, data) == text


async def test_it_comes_as_it_is_made(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    """The first word is there while the last one is not even begun."""
    standin.fail(Fault(at="POST /v1/speak", do=Hang(), after=2))
    got: list[bytes] = []
    with pytest.raises(UpstreamCut):
        await pieces_of(at_deepgram(idle=0.2), got, text=TEXT, format=AudioFormat.PCM)
    assert sum(map(len, got)) == 2 * 7680


@pytest.mark.parametrize("after", range(4))
async def test_a_cut_at_each_piece(at_deepgram: AtDeepgram, standin: Deepgram, after: int) -> None:
    standin.fail(Fault(at="POST /v1/speak", do=Cut(), after=after))
    got: list[bytes] = []
    with pytest.raises(UpstreamCut if after else UpstreamUnreachable):
        await pieces_of(at_deepgram(), got, text=TEXT, format=AudioFormat.PCM)
    assert sum(map(len, got)) <= after * 7680


async def test_leaving_early_ends_it(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    standin.delay(Delays(word=0.05))
    async with DeepgramSynthesizer(at_deepgram()).speak(
        SpeechRequest(text=" ".join([TEXT] * 50), format=AudioFormat.PCM)
    ) as speech:
        await anext(aiter(speech.pieces()))
    await DeepgramTranscriber(at_deepgram()).test_key()
    assert len(standin.exchanges()[0].sent) < 100


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
async def test_what_is_no_audio(at_deepgram: AtDeepgram, standin: Deepgram, kind: str) -> None:
    page = Page(status=200, content_type=kind, body="{}")
    standin.fail(Fault(at="POST /v1/speak", do=page))
    with pytest.raises(UpstreamMalformed, match="instead of audio"):
        await spoken(at_deepgram(), text=TEXT)


async def test_no_audio_at_all(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    page = Page(status=200, content_type="audio/mpeg", body="")
    standin.fail(Fault(at="POST /v1/speak", do=page))
    with pytest.raises(UpstreamMalformed, match="no audio"):
        await spoken(at_deepgram(), text=TEXT)


async def test_what_it_has(at_deepgram: AtDeepgram) -> None:
    service = at_deepgram(model="nova-2", voice="aura-2-zeus-en")
    transcriber: Transcriber = DeepgramTranscriber(service)
    synthesizer: SpeechSynthesizer = DeepgramSynthesizer(service)
    assert [one.name for one in transcriber.models] == ["nova-2", "nova-3"]
    assert all(one.live for one in transcriber.models)
    (model,) = synthesizer.models
    assert model.voices[0] == "aura-2-zeus-en"
    assert "aura-2-viktoria-de" in model.voices
    assert set(model.formats) == set(AudioFormat)


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_parts_of_a_text(text: str, longest: int) -> None:
    """They are short enough, none is blank, and all that is said is in them in its order."""
    parts = speech_texts.parts(text, longest)
    assert all(len(part) <= longest for part in parts if text.strip())
    assert all(part.strip() for part in parts if text.strip())
    assert "".join("".join(parts).split()) == "".join(text.split())
