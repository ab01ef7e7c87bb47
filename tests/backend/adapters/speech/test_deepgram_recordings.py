"""Deepgram is sent recordings as it wants them, and its answers become transcripts."""

import json
from typing import Any

import pytest
from tests.backend.adapters.speech.conftest import AtDeepgram
from tests.harness.deepgram.faults import Fault, Page
from tests.harness.deepgram.launch import Deepgram, as_wave

from cartrita.adapters.speech.deepgram import DeepgramTranscriber
from cartrita.domain.errors import NotOffered, RecordingRefused, UpstreamMalformed
from cartrita.domain.speech import (
    PcmFormat,
    Recording,
    SpokenSegment,
    SpokenWord,
    Transcript,
    TranscriptionOptions,
)

ANY = TranscriptionOptions()


def a_wav(data: bytes) -> Recording:
    return Recording(data=data, media_type="audio/wav")


async def test_a_recording(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    recording = a_wav(standin.recording("What grows on stones?", "Moss, mostly."))
    found = await DeepgramTranscriber(at_deepgram()).transcribe(recording, ANY)
    assert found.text == "What grows on stones? Moss, mostly."
    assert (found.provider, found.model, found.language) == ("deepgram", "nova-3", "en")
    assert found.duration == pytest.approx(2.96)
    assert found.confidence == pytest.approx(0.965)
    assert found.words[3] == SpokenWord("stones?", 0.48, 0.6, 0.96)
    assert [word.text for word in found.words] == found.text.split()
    assert found.segments == (
        SpokenSegment("What grows on stones?", 0.0, 0.6),
        SpokenSegment("Moss, mostly.", 1.64, 1.92),
    )
    (asked,) = standin.exchanges()
    assert (asked.method, asked.path, asked.audio_bytes) == (
        "POST",
        "/v1/listen",
        len(recording.data),
    )
    assert asked.headers["content-type"] == "audio/wav"
    assert asked.headers["authorization"] == f"Token {standin.key}"
    assert dict(asked.query) == {
        "model": "nova-3",
        "smart_format": "true",
        "punctuate": "true",
        "utterances": "true",
        "detect_language": "true",
    }


async def test_what_a_request_says_about_it(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    options = TranscriptionOptions(
        model="nova-3-medical", language="pt-BR", prompt="Cartrita, moss and   lichen.\nSphagnum"
    )
    found = await DeepgramTranscriber(at_deepgram()).transcribe(
        a_wav(standin.recording("Musgo cresce.")), options
    )
    assert (found.text, found.language, found.model) == ("Musgo cresce.", "pt-BR", "nova-3-medical")
    (asked,) = standin.exchanges()
    assert asked.value("language") == "pt-BR"
    assert asked.value("detect_language") is None
    assert asked.values("keyterm") == ["Cartrita", "moss and lichen", "Sphagnum"]


async def test_words_that_an_older_model_does_not_take(
    at_deepgram: AtDeepgram, standin: Deepgram
) -> None:
    options = TranscriptionOptions(model="nova-2", prompt="moss")
    service = at_deepgram(model="nova-2")
    await DeepgramTranscriber(service).transcribe(a_wav(standin.recording("Moss.")), options)
    assert standin.exchanges()[0].values("keyterm") == []


async def test_silence(at_deepgram: AtDeepgram) -> None:
    quiet = a_wav(as_wave(bytes(32_000)))
    found = await DeepgramTranscriber(at_deepgram()).transcribe(quiet, ANY)
    assert found == Transcript(
        text="", duration=1.0, provider="deepgram", model="nova-3", language="en"
    )


@pytest.mark.parametrize("kind", ["audio/ogg", "audio/webm", "audio/mp4", "audio/mpeg"])
async def test_what_is_no_wav_goes_as_it_is(
    at_deepgram: AtDeepgram, standin: Deepgram, kind: str
) -> None:
    standin.hear("Moss is soft.")
    data = {"audio/ogg": b"OggS", "audio/webm": b"\x1aE\xdf\xa3", "audio/mp4": b"\0\0\0\x18ftyp"}
    recording = Recording(data=data.get(kind, b"ID3") + bytes(100), media_type=kind)
    found = await DeepgramTranscriber(at_deepgram()).transcribe(recording, ANY)
    assert found.text == "Moss is soft."
    assert standin.exchanges()[0].headers["content-type"] == kind


async def test_a_broken_recording(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    cut = a_wav(standin.recording("Moss.")[:200])
    with pytest.raises(RecordingRefused, match="corrupt or unsupported data") as refused:
        await DeepgramTranscriber(at_deepgram()).transcribe(cut, ANY)
    assert not refused.value.retryable


async def test_it_does_not_translate(at_deepgram: AtDeepgram) -> None:
    assert not DeepgramTranscriber(at_deepgram()).translates(None)


@pytest.mark.parametrize(
    "options",
    [
        TranscriptionOptions(model="whisper/1"),
        TranscriptionOptions(model="nova&token=1"),
        TranscriptionOptions(language="english, please"),
        TranscriptionOptions(language="en&x=1"),
    ],
)
async def test_names_that_are_none(
    at_deepgram: AtDeepgram, standin: Deepgram, options: TranscriptionOptions
) -> None:
    with pytest.raises(NotOffered):
        await DeepgramTranscriber(at_deepgram()).transcribe(a_wav(b"RIFF"), options)
    assert standin.exchanges() == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (TranscriptionOptions(model="nova-9"), "model"),
        (TranscriptionOptions(model="base", language="multi"), "language"),
    ],
)
async def test_what_another_may_have(
    at_deepgram: AtDeepgram, standin: Deepgram, options: TranscriptionOptions, field: str
) -> None:
    transcriber = DeepgramTranscriber(at_deepgram())
    with pytest.raises(NotOffered, match="No such model/language") as refused:
        await transcriber.transcribe(a_wav(standin.recording("Moss.")), options)
    assert list(refused.value.fields) == [field]
    with pytest.raises(NotOffered, match="No such model/language"):
        await transcriber.listen(PcmFormat(16_000), options).__aenter__()


DURATION = {"duration": 1.5}


@pytest.mark.parametrize(
    "answer",
    [
        "moss",
        "null",
        "[" * 5000,
        {"metadata": DURATION},
        {"metadata": {}, "results": {"channels": []}},
        {"metadata": DURATION, "results": {"channels": {}}},
        {"metadata": DURATION, "results": {"channels": [{"alternatives": [{"words": [{}]}]}]}},
        {"metadata": DURATION, "results": {"channels": [{"alternatives": [{"transcript": 7}]}]}},
        {"request_id": "x"},
    ],
)
async def test_answers_that_are_no_transcripts(
    at_deepgram: AtDeepgram, standin: Deepgram, answer: Any
) -> None:
    body = answer if isinstance(answer, str) else json.dumps(answer)
    page = Page(status=200, content_type="application/json", body=body)
    standin.fail(Fault(at="POST /v1/listen", do=page))
    with pytest.raises(UpstreamMalformed):
        await DeepgramTranscriber(at_deepgram()).transcribe(a_wav(b"RIFF"), ANY)


@pytest.mark.parametrize("channels", [[], [{}], [{"alternatives": []}], [{"alternatives": [{}]}]])
async def test_an_answer_in_which_nothing_was_said(
    at_deepgram: AtDeepgram, standin: Deepgram, channels: list[Any]
) -> None:
    body = json.dumps({"metadata": DURATION, "results": {"channels": channels}})
    page = Page(status=200, content_type="application/json", body=body)
    standin.fail(Fault(at="POST /v1/listen", do=page))
    found = await DeepgramTranscriber(at_deepgram()).transcribe(a_wav(b"RIFF"), ANY)
    assert (found.text, found.words, found.confidence) == ("", (), None)


async def test_text_that_no_database_takes(at_deepgram: AtDeepgram, standin: Deepgram) -> None:
    word = {"word": "mo\0ss", "start": 0, "end": 1}
    best = {"transcript": "mo\0ss \ud83c", "confidence": 1.5, "words": [word]}
    body = json.dumps({"metadata": DURATION, "results": {"channels": [{"alternatives": [best]}]}})
    page = Page(status=200, content_type="application/json", body=body)
    standin.fail(Fault(at="POST /v1/listen", do=page))
    try:
        found = await DeepgramTranscriber(at_deepgram()).transcribe(a_wav(b"RIFF"), ANY)
    except UpstreamMalformed:
        return  # a lone surrogate is no text at all
    assert found.words[0].text == "moss"
    assert found.confidence == 1.0
