"""Renders transcripts in each format of an answer."""

import math
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from cartrita.dialects.openai_audio import subtitles
from cartrita.dialects.openai_audio.languages import language_name
from cartrita.dialects.openai_audio.transcription_types import (
    USUAL_GRANULARITIES,
    Granularity,
    ResponseFormat,
    TranscriptionForm,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.speech import SpokenSegment, Transcript

JSON_TYPE: Final = "application/json"
ENGLISH: Final = "en"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
_LEAST_CONFIDENCE: Final = 1e-6
"""The logarithm of 0 is no number."""


class RenderedTranscript(msgspec.Struct, frozen=True):
    """The body of an answer, and its media type."""

    body: bytes
    media_type: str


def render(transcript: Transcript, form: TranscriptionForm) -> RenderedTranscript:
    """The answer to a request that is not streamed."""
    if form.response_format is ResponseFormat.JSON:
        return _json({"text": transcript.text, "usage": usage(transcript)})
    if form.response_format is ResponseFormat.VERBOSE_JSON:
        return _json(_verbose(transcript, form))
    text = _TEXTS[form.response_format](transcript)
    return RenderedTranscript(text.encode(), TEXT_TYPE)


def usage(transcript: Transcript) -> JsonObject:
    """What is counted of a recording: seconds, each that was begun."""
    return {"type": "duration", "seconds": math.ceil(transcript.duration)}


def _line(transcript: Transcript) -> str:
    return f"{transcript.text}\n"


_TEXTS: Final[Mapping[ResponseFormat, Callable[[Transcript], str]]] = MappingProxyType(
    {
        ResponseFormat.TEXT: _line,
        ResponseFormat.SRT: subtitles.srt,
        ResponseFormat.VTT: subtitles.vtt,
    }
)


def _json(value: JsonObject) -> RenderedTranscript:
    return RenderedTranscript(msgspec.json.encode(value), JSON_TYPE)


def _verbose(transcript: Transcript, form: TranscriptionForm) -> JsonObject:
    granularities = form.granularities or USUAL_GRANULARITIES
    language = ENGLISH if form.translated else transcript.language
    told: JsonObject = {
        "task": "translate" if form.translated else "transcribe",
        "language": language_name(language) if language else "",
        "duration": transcript.duration,
        "text": transcript.text,
    }
    if Granularity.WORD in granularities:
        told["words"] = [
            {"word": word.text, "start": word.start, "end": word.end} for word in transcript.words
        ]
    if Granularity.SEGMENT in granularities:
        told["segments"] = [
            _segment(number, cue, transcript.confidence)
            for number, cue in enumerate(subtitles.cues(transcript))
        ]
    told["usage"] = usage(transcript)
    return told


def _segment(number: int, cue: SpokenSegment, confidence: float | None) -> JsonObject:
    """One segment; of what only Whisper knows it has values that say nothing.

    `avg_logprob` is the confidence of the whole, and 0 where there is none.
    """
    octets = cue.text.encode()
    ratio = len(octets) / len(zlib.compress(octets))
    logprob = 0.0 if confidence is None else math.log(max(confidence, _LEAST_CONFIDENCE))
    return {
        "id": number,
        "seek": 0,
        "start": cue.start,
        "end": cue.end,
        "text": cue.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": logprob,
        "compression_ratio": ratio,
        "no_speech_prob": 0.0,
    }
