"""Whatever Deepgram sends is a value of ours or an error, and whatever is asked a request."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.speech import deepgram_options
from cartrita.adapters.speech.deepgram_results import frame_of, heard_in, transcript_of
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.domain.errors import NotOffered, UpstreamMalformed
from cartrita.domain.speech import PcmFormat, SpeechRequest, TranscriptionOptions

SERVICE = DeepgramService(http=HttpClient(), base_url="http://127.0.0.1:9")
ODD: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def some(**fields: Any) -> Any:
    """An object with any of these fields, each of its kind or of another."""
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(one, ODD) for name, one in fields.items()}
    )


TEXT = st.text(max_size=20)
TIME = st.floats(allow_nan=False, allow_infinity=False)
WORD = some(word=TEXT, start=TIME, end=TIME, confidence=TIME, punctuated_word=TEXT)
BEST = some(
    transcript=TEXT, confidence=TIME, words=st.lists(WORD, max_size=3), languages=st.lists(TEXT)
)
CHANNEL = some(alternatives=st.lists(BEST, max_size=2), detected_language=TEXT)
UTTERANCE = some(start=TIME, end=TIME, transcript=TEXT)
RESULTS = some(channels=st.lists(CHANNEL, max_size=2), utterances=st.lists(UTTERANCE, max_size=2))
ANSWER = some(metadata=some(duration=TIME), results=RESULTS)
FRAME = some(
    type=st.sampled_from(("Results", "SpeechStarted", "UtteranceEnd", "Error", "Metadata")),
    start=TIME,
    duration=TIME,
    is_final=st.booleans(),
    speech_final=st.booleans(),
    channel=CHANNEL | st.lists(st.integers()),
)


@given(ANSWER)
def test_answers_about_recordings(answer: Any) -> None:
    try:
        found = transcript_of(msgspec.json.encode(answer), "nova-3", None)
    except UpstreamMalformed:
        return
    assert found.duration >= 0
    assert found.text == found.text.strip()
    assert found.confidence is None or 0 <= found.confidence <= 1
    assert "\0" not in found.text + "".join(word.text for word in found.words)


@given(st.binary(max_size=40))
def test_answers_that_are_bytes(body: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        transcript_of(body, "nova-3", None)


@given(FRAME)
def test_frames_of_live_audio(frame: Any) -> None:
    try:
        read = frame_of(msgspec.json.encode(frame).decode())
        heard = heard_in(read, "en")
    except UpstreamMalformed:
        return
    assert heard.start >= 0
    assert heard.duration >= 0
    assert heard.final or not heard.ends_utterance


NAMES = st.none() | st.text(max_size=20) | st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)


@given(NAMES, NAMES, st.none() | st.text(max_size=200))
def test_what_is_asked_of_what_is_said(
    model: str | None, language: str | None, prompt: str | None
) -> None:
    options = TranscriptionOptions(model=model, language=language, prompt=prompt)
    try:
        hearing = deepgram_options.hearing_options(SERVICE, options)
    except NotOffered:
        return
    for query in (
        deepgram_options.recording_query(hearing),
        deepgram_options.live_query(SERVICE, hearing, PcmFormat(16_000)),
    ):
        assert parse_qsl(urlencode(query), keep_blank_values=True) == list(query)
        asked = [(name, value) for name, value in query if name != "keyterm"]
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", value) for _, value in asked)
        assert len({name for name, _ in asked}) == len(asked)
        terms = [value for name, value in query if name == "keyterm"]
        assert sum(map(len, terms)) <= 800
        assert all(term.strip() == term != "" for term in terms)


@given(NAMES, NAMES, st.floats(0.25, 4))
def test_what_is_asked_of_what_speaks(model: str | None, voice: str | None, speed: float) -> None:
    request = SpeechRequest(text="Moss.", model=model, voice=voice, speed=speed)
    try:
        query = deepgram_options.voice_query(SERVICE, request)
    except NotOffered:
        return
    assert all(re.fullmatch(r"[a-z0-9._-]+", value) for _, value in query)
    assert 0.7 <= speed <= 1.5
