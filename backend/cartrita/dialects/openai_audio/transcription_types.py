"""What a transcription is asked with, beside its file."""

from enum import StrEnum
from typing import Final

import msgspec


class ResponseFormat(StrEnum):
    """How a transcript is written."""

    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VERBOSE_JSON = "verbose_json"
    VTT = "vtt"


class Granularity(StrEnum):
    """What is told with times in a `verbose_json`."""

    WORD = "word"
    SEGMENT = "segment"


USUAL_GRANULARITIES: Final = (Granularity.SEGMENT,)
STREAMED_FORMATS: Final = (ResponseFormat.JSON, ResponseFormat.TEXT)
"""Those that a stream of events goes with: its events hold text and no times."""


class TranscriptionForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a request; `prompt` is text that is likely to be said, or goes before.

    What is to be `translated` is sent to another path, and written in English.
    """

    model: str
    language: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    response_format: ResponseFormat = ResponseFormat.JSON
    granularities: tuple[Granularity, ...] = ()
    stream: bool = False
    translated: bool = False
