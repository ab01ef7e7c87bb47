"""Requests for speech, both ways."""

from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from cartrita.dialects.openai_refusals import (
    check_bounds,
    missing,
    missing_model,
    out_of_bounds,
    refusal,
    wrong_type,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.speech import LONGEST_SPEECH, AudioFormat

SLOWEST: Final = 0.25
FASTEST: Final = 4.0
_OWN_VOICE: Final = "voice_"
"""What the ids of voices begin with that somebody made: they are sent as an object."""


class StreamFormat(StrEnum):
    """Whether speech is sent as it is, or in events."""

    SSE = "sse"
    AUDIO = "audio"


Words = TypeVar("Words", bound=AudioFormat | StreamFormat)


class SpeechForm(msgspec.Struct, frozen=True, kw_only=True):
    """A text to be spoken; a voice of one's own is named by its id."""

    model: str
    input: str
    voice: str
    response_format: AudioFormat = AudioFormat.MP3
    speed: float = 1.0
    instructions: str | None = None
    stream_format: StreamFormat = StreamFormat.AUDIO


def render(form: SpeechForm) -> bytes:
    """The body of a request, without what is usual."""
    voice = form.voice
    own = is_own_voice(voice)
    body: JsonObject = {
        "model": form.model,
        "input": form.input,
        "voice": {"id": voice} if own else voice,
        "response_format": form.response_format.value,
    }
    if form.speed != 1.0:
        body["speed"] = form.speed
    if form.instructions is not None:
        body["instructions"] = form.instructions
    if form.stream_format is not StreamFormat.AUDIO:
        body["stream_format"] = form.stream_format.value
    return msgspec.json.encode(body)


def is_own_voice(voice: str) -> bool:
    """Whether it is the id of a voice that somebody made."""
    return voice.startswith(_OWN_VOICE)


def parse(body: JsonObject) -> SpeechForm:
    """The request of a body; unknown fields and null are ignored. Raises InvalidInput."""
    fields: JsonObject = {name: value for name, value in body.items() if value is not None}
    model = _text(fields, "model")
    if not model:
        raise missing_model()
    return SpeechForm(
        model=model,
        input=_input(fields),
        voice=_voice(fields),
        response_format=_word(fields, "response_format", AudioFormat.MP3),
        speed=_speed(fields),
        instructions=_text(fields, "instructions") or None,
        stream_format=_word(fields, "stream_format", StreamFormat.AUDIO),
    )


def _text(fields: JsonObject, name: str) -> str:
    """The text of a field, empty if it is not there."""
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise wrong_type(name, "a string", value)
    return value


def _input(fields: JsonObject) -> str:
    text = _text(fields, "input")
    if "input" not in fields:
        raise missing("input")
    if not text.strip():
        raise out_of_bounds(
            "input",
            "string too short. Expected a string with minimum length 1, but got a string with "
            "nothing to say instead.",
            "string_below_min_length",
        )
    if len(text) > LONGEST_SPEECH:
        raise out_of_bounds(
            "input",
            f"string too long. Expected a string with maximum length {LONGEST_SPEECH}, but got a "
            f"string with length {len(text)} instead.",
            "string_above_max_length",
        )
    return text


def _voice(fields: JsonObject) -> str:
    value = fields.get("voice")
    if isinstance(value, dict):
        value, path = value.get("id"), "voice.id"
    else:
        path = "voice"
    if value is None or value == "":
        raise missing(path)
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)
    return value


def _speed(fields: JsonObject) -> float:
    value = fields.get("speed", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("speed", "a decimal", value)
    check_bounds(value, "speed", "decimal", SLOWEST, FASTEST)
    return float(value)


def _word(fields: JsonObject, path: str, usual: Words) -> Words:
    text, words = _text(fields, path), type(usual)
    if not text:
        return usual
    try:
        return words(text)
    except ValueError:
        supported = ", ".join(f"'{each.value}'" for each in words)
        message = f"Invalid value: '{text[:100]}'. Supported values are: {supported}."
        raise refusal(path, message, "invalid_value") from None
