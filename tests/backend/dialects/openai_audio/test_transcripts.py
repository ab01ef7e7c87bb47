"""Transcripts in every format: written, read again, and as other servers write them."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.audio import Transcription, TranscriptionStreamEvent, TranscriptionVerbose
from pydantic import TypeAdapter
from tests.backend.dialects.openai_audio.samples import TRANSCRIPTS
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_audio import transcript_parsing, transcript_rendering
from cartrita.dialects.openai_audio.event_rendering import (
    audio_done,
    audio_event,
    error_event,
    transcript_events,
)
from cartrita.dialects.openai_audio.languages import language_name, language_tag
from cartrita.dialects.openai_audio.subtitles import srt, vtt
from cartrita.dialects.openai_audio.transcription_types import (
    Granularity,
    ResponseFormat,
    TranscriptionForm,
)
from cartrita.domain.errors import Unavailable, UpstreamMalformed
from cartrita.domain.speech import Recording, SpokenSegment, SpokenWord, Transcript
from cartrita.kit.sse import Parser

SENT = Recording(data=b"RIFF", media_type="audio/wav")
TIMED = TranscriptionForm(
    model="m",
    response_format=ResponseFormat.VERBOSE_JSON,
    granularities=(Granularity.WORD, Granularity.SEGMENT),
)
TALK = Transcript(
    text="Moss grows. Slowly, though.",
    duration=3725.5,
    provider="openai",
    model="whisper-1",
    language="en",
    segments=(
        SpokenSegment("Moss grows.", 0.0, 1.2345),
        SpokenSegment("Slowly, <though> & so.", 3661.0049, 3725.4996),
    ),
)


def read(body: bytes | str | dict[str, Any], recording: Recording = SENT) -> Transcript:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return transcript_parsing.parse(octets, recording, provider="openai", model="whisper-1")


def written(transcript: Transcript, response_format: ResponseFormat) -> str:
    form = TranscriptionForm(model="m", response_format=response_format)
    return transcript_rendering.render(transcript, form).body.decode()


@given(TRANSCRIPTS)
@dialect_examples
def test_a_written_transcript_is_read_as_it_was(transcript: Transcript) -> None:
    body = transcript_rendering.render(transcript, TIMED).body
    TypeAdapter(TranscriptionVerbose).validate_json(body, strict=True)
    found = read(body)
    assert found.confidence == pytest.approx(transcript.confidence)
    assert msgspec.structs.replace(found, confidence=None) == msgspec.structs.replace(
        transcript, confidence=None
    )


@given(TRANSCRIPTS)
@dialect_examples
def test_its_text_alone_is_read_as_it_was(transcript: Transcript) -> None:
    body = written(transcript, ResponseFormat.JSON)
    TypeAdapter(Transcription).validate_json(body, strict=True)
    found = read(body.encode(), msgspec.structs.replace(SENT, duration=transcript.duration))
    assert (found.text, found.duration) == (transcript.text, transcript.duration)
    assert written(transcript, ResponseFormat.TEXT) == f"{transcript.text}\n"


CUE = r"(\d{2,}):([0-5]\d):([0-5]\d)%s(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)%s(\d{3})\n(.+)\n\n"


def shown(text: str, point: str, number: str) -> list[tuple[str, int, int]]:
    """The subtitles of a file, each with its milliseconds; nothing stands between two of them."""
    found: list[tuple[str, int, int]] = []
    at = 0
    while at < len(text):
        match = re.compile(number + CUE % (point, point)).match(text, at)
        assert match is not None, text[at:]
        clock = [int(group) for group in match.groups()[:8]]
        start, end = (
            ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
            for hours, minutes, seconds, milliseconds in (clock[:4], clock[4:])
        )
        found.append((match[9], start, end))
        at = match.end()
    return found


@given(TRANSCRIPTS)
@dialect_examples
def test_subtitles_show_every_segment_at_its_time(transcript: Transcript) -> None:
    expected = [
        (segment.text, round(segment.start * 1000), round(segment.end * 1000))
        for segment in transcript.segments
    ]
    assert shown(srt(transcript), ",", r"\d+\n") == [
        (text.replace("-->", "->"), start, end) for text, start, end in expected
    ]
    named = vtt(transcript)
    assert named.startswith("WEBVTT\n\n")
    found = shown(named.removeprefix("WEBVTT\n\n"), ".", "")
    plain = [
        (text.replace("&lt;", "<").replace("&amp;", "&"), start, end) for text, start, end in found
    ]
    assert plain == [(text.replace("-->", "->"), start, end) for text, start, end in expected]


def test_subtitles_to_the_letter() -> None:
    assert srt(TALK) == (
        "1\n00:00:00,000 --> 00:00:01,234\nMoss grows.\n\n"
        "2\n01:01:01,005 --> 01:02:05,500\nSlowly, <though> & so.\n\n"
    )
    assert vtt(TALK) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.234\nMoss grows.\n\n"
        "01:01:01.005 --> 01:02:05.500\nSlowly, &lt;though> &amp; so.\n\n"
    )


def test_words_without_segments_become_subtitles() -> None:
    words = (
        SpokenWord("One.", 0.0, 0.4),
        SpokenWord("Two", 0.5, 0.9),
        SpokenWord("three", 1.0, 1.4),
        SpokenWord("later", 3.0, 3.4),
        *(SpokenWord("x" * 40, 3.5 + each, 3.9 + each) for each in range(3)),
    )
    talk = msgspec.structs.replace(TALK, segments=(), words=words)
    lines = [text for text, _, _ in shown(srt(talk), ",", r"\d+\n")]
    long = "x" * 40
    assert lines == ["One.", "Two three", f"later {long}", f"{long} {long}"]


def test_a_text_without_times_is_shown_all_along() -> None:
    talk = msgspec.structs.replace(TALK, segments=(), text="a\n\nb")
    assert srt(talk) == "1\n00:00:00,000 --> 01:02:05,500\na b\n\n"


def test_silence_in_every_format() -> None:
    silence = Transcript(text="", duration=2.1, provider="openai", model="m")
    assert written(silence, ResponseFormat.TEXT) == "\n"
    assert written(silence, ResponseFormat.SRT) == ""
    assert written(silence, ResponseFormat.VTT) == "WEBVTT\n\n"
    assert json.loads(written(silence, ResponseFormat.JSON)) == {
        "text": "",
        "usage": {"type": "duration", "seconds": 3},
    }
    verbose = json.loads(written(silence, ResponseFormat.VERBOSE_JSON))
    assert (verbose["segments"], "words" in verbose) == ([], False)


def test_words_of_whisper_cpp_are_in_its_segments() -> None:
    told = read(
        {
            "task": "transcribe",
            "language": "English",
            "duration": 2.5,
            "text": " Hello there.",
            "segments": [
                {
                    "text": " Hello there.",
                    "start": 0.1,
                    "end": 2.1,
                    "avg_logprob": -0.5,
                    "words": [
                        {"word": " Hello", "start": 0.1, "end": 0.9, "probability": 0.8},
                        {"word": " there.", "start": 1.0, "end": 2.1, "probability": 2},
                        {"word": " ", "start": 2.1, "end": 2.1},
                        {"word": "lost"},
                    ],
                },
                {"text": "no times"},
            ],
        }
    )
    assert told.words == (SpokenWord("Hello", 0.1, 0.9, 0.8), SpokenWord("there.", 1.0, 2.1))
    assert told.segments == (SpokenSegment("Hello there.", 0.1, 2.1),)
    assert (told.text, told.language) == ("Hello there.", "en")
    assert told.confidence == pytest.approx(0.60653, abs=1e-5)


@pytest.mark.parametrize(
    ("answer", "duration"),
    [
        ({"duration": 4}, 4.0),
        ({"duration": -1, "usage": {"type": "duration", "seconds": 3}}, 3.0),
        ({"segments": [{"text": "a", "start": 0, "end": 2.5}]}, 2.5),
        ({"usage": {"type": "tokens", "input_tokens": 9}}, 0.0),
        ({"duration": 1e300}, 0.0),
    ],
)
def test_how_long_a_recording_is(answer: dict[str, Any], duration: float) -> None:
    assert read({"text": "a", **answer}).duration == duration


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'{"text":1}', b"plain", b'{"text":"' + b"\xff", b"[" * 9_000]
)
def test_what_is_no_transcript(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        read(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["segments", "words", "text", "start", "end", "language", "duration", "usage"]
                ),
                inner,
            )
        ),
    )
)
@dialect_examples
def test_odd_fields_break_nothing(value: Any) -> None:
    fields = {"segments": [value], "words": [value], "usage": value, "duration": value}
    told = read(msgspec.json.encode({**fields, "language": value, "text": "a"}))
    assert told.text == "a"
    assert told.duration >= 0


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        ("english", "en"),
        ("English", "en"),
        ("haitian creole", "ht"),
        ("en", "en"),
        ("en-US", "en-US"),
        ("", None),
        ("no tag at all", None),
    ],
)
def test_tags_of_languages(told: str, tag: str | None) -> None:
    assert language_tag(told) == tag


def test_names_of_languages() -> None:
    assert [language_name(tag) for tag in ("en", "pt-BR", "zh_TW", "tlh")] == [
        "english",
        "portuguese",
        "chinese",
        "tlh",
    ]


EVENTS: TypeAdapter[Any] = TypeAdapter(TranscriptionStreamEvent)


def events(frames: bytes) -> list[Any]:
    return [json.loads(frame.data) for frame in Parser().feed(frames)]


@given(st.text("ab .!?…\n", max_size=450))
@dialect_examples
def test_deltas_are_together_the_text(text: str) -> None:
    transcript = msgspec.structs.replace(TALK, text=text)
    *deltas, done = (
        EVENTS.validate_python(event, strict=True)
        for event in events(b"".join(transcript_events(transcript)))
    )
    assert "".join(delta.delta for delta in deltas) == done.text == text


def test_events_of_speech() -> None:
    assert events(audio_event(b"\x00\xff") + audio_done()) == [
        {"type": "speech.audio.delta", "audio": "AP8="},
        {"type": "speech.audio.done"},
    ]


def test_the_event_of_an_error() -> None:
    [told] = events(error_event(Unavailable("Not now.", code="speech_unavailable")))
    assert told["error"]["message"] == "Not now."
    assert told["error"]["code"] == "speech_unavailable"
