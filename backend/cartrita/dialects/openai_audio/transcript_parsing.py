"""Reads the transcripts that OpenAI and servers like it answer with, in JSON of either format.

Servers differ: words are in the transcript, or in its segments (whisper.cpp); with a `probability`
or without; a language is told by its name, or by its tag.
"""

import math
from collections.abc import Iterable
from typing import Final

from cartrita.dialects.openai_audio.languages import language_tag
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.speech import Recording, SpokenSegment, SpokenWord, Transcript
from cartrita.kit import json_answers
from cartrita.kit.text import storable_text

_LATEST_S: Final = 1e7
"""A hundred days: times after it are none."""


def parse(body: bytes, recording: Recording, *, provider: str, model: str) -> Transcript:
    """The transcript of a recording. Raises UpstreamMalformed if there is no text."""
    try:
        answer = json_answers.read(body)
    except ValueError:
        answer = None
    told = _object(answer)
    text = told.get("text")
    if not isinstance(text, str):
        raise UpstreamMalformed(
            f"{provider} answered with something that is no transcript.", provider=provider
        )
    found = _objects(told.get("segments"))
    segments = tuple(segment for each in found if (segment := _segment(each)))
    return Transcript(
        text=storable_text(text).strip(),
        duration=_duration(told, recording, segments),
        provider=provider,
        model=model,
        language=_language(told.get("language")),
        confidence=_confidence(found),
        words=_words(told, found),
        segments=segments,
    )


def _duration(told: JsonObject, recording: Recording, segments: tuple[SpokenSegment, ...]) -> float:
    """What the server tells, else what is known of the recording, else when the speech ends."""
    for seconds in (
        _seconds(told.get("duration")),
        recording.duration,
        _seconds(_object(told.get("usage")).get("seconds")),
    ):
        if seconds is not None:
            return seconds
    return segments[-1].end if segments else 0.0


def _words(told: JsonObject, segments: list[JsonObject]) -> tuple[SpokenWord, ...]:
    listed = _objects(told.get("words"))
    if not listed:
        listed = [word for segment in segments for word in _objects(segment.get("words"))]
    return tuple(word for each in listed if (word := _word(each)))


def _word(told: JsonObject) -> SpokenWord | None:
    text, span = _text(told.get("word")), _span(told)
    if not text or span is None:
        return None
    return SpokenWord(text, *span, _share(told.get("probability")))


def _segment(told: JsonObject) -> SpokenSegment | None:
    text, span = _text(told.get("text")), _span(told)
    return SpokenSegment(text, *span) if text and span is not None else None


def _confidence(segments: Iterable[JsonObject]) -> float | None:
    """How likely the words of the segments are, the longer ones counting more.

    A logarithm of 0 would be certainty, which no model has: it is that of servers without one.
    """
    total = weights = 0.0
    for segment in segments:
        logprob, span = _number(segment.get("avg_logprob")), _span(segment)
        if logprob is None or logprob >= 0 or span is None:
            continue
        weight = max(span[1] - span[0], 0.01)
        total += logprob * weight
        weights += weight
    return math.exp(total / weights) if weights else None


def _span(told: JsonObject) -> tuple[float, float] | None:
    start, end = _seconds(told.get("start")), _seconds(told.get("end"))
    return None if start is None or end is None else (start, max(start, end))


def _language(told: JsonValue) -> str | None:
    return language_tag(told) if isinstance(told, str) else None


def _text(told: JsonValue) -> str:
    return storable_text(told).strip() if isinstance(told, str) else ""


def _number(told: JsonValue) -> float | None:
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return float(told) if abs(told) <= _LATEST_S else None


def _seconds(told: JsonValue) -> float | None:
    number = _number(told)
    return None if number is None or number < 0 else number


def _share(told: JsonValue) -> float | None:
    number = _number(told)
    return number if number is not None and 0 <= number <= 1 else None


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
