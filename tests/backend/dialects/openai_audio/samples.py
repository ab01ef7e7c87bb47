"""Transcripts and requests that the tests of this dialect are tried with."""

from hypothesis import strategies as st

from cartrita.dialects.openai_audio.speech_requests import SpeechForm, StreamFormat
from cartrita.dialects.openai_audio.transcription_types import (
    STREAMED_FORMATS,
    Granularity,
    ResponseFormat,
    TranscriptionForm,
)
from cartrita.domain.speech import AudioFormat, SpokenSegment, SpokenWord, Transcript

WORD = st.text("abcäß'<&日.!?-", min_size=1, max_size=8)
TEXT = st.lists(WORD, min_size=1, max_size=12).map(" ".join)
MILLISECONDS = st.integers(0, 7_300_000)
SHARE = st.none() | st.floats(0.001, 0.999)
SPANS = st.tuples(MILLISECONDS, st.integers(0, 9_000)).map(
    lambda span: (span[0] / 1000, (span[0] + span[1]) / 1000)
)


def spoken_word(text: str, span: tuple[float, float]) -> SpokenWord:
    return SpokenWord(text, *span)


def spoken_segment(text: str, span: tuple[float, float]) -> SpokenSegment:
    return SpokenSegment(text, *span)


WORDS = st.lists(st.builds(spoken_word, WORD, SPANS), max_size=6)
SEGMENTS = st.lists(st.builds(spoken_segment, TEXT, SPANS), min_size=1, max_size=4)
TRANSCRIPTS = st.builds(
    Transcript,
    text=TEXT,
    duration=MILLISECONDS.map(lambda time: time / 1000),
    provider=st.just("openai"),
    model=st.just("whisper-1"),
    language=st.none() | st.sampled_from(["en", "de", "haw", "ht", "xx-klingon"]),
    confidence=SHARE,
    words=WORDS.map(tuple),
    segments=SEGMENTS.map(tuple),
)
FORMS = st.builds(
    TranscriptionForm,
    model=WORD,
    language=st.none() | st.sampled_from(["en", "de", "haw"]),
    prompt=st.none() | TEXT,
    temperature=st.none() | st.floats(0, 1),
    response_format=st.sampled_from(ResponseFormat),
    granularities=st.lists(st.sampled_from(Granularity), unique=True).map(tuple),
    stream=st.just(False),
) | st.builds(
    TranscriptionForm,
    model=WORD,
    response_format=st.sampled_from(STREAMED_FORMATS),
    stream=st.booleans(),
)
SPEECH_FORMS = st.builds(
    SpeechForm,
    model=WORD,
    input=TEXT,
    voice=st.sampled_from(["alloy", "marin", "voice_1234", "other"]),
    response_format=st.sampled_from(AudioFormat),
    speed=st.floats(0.25, 4.0),
    instructions=st.none() | TEXT,
    stream_format=st.sampled_from(StreamFormat),
)
