"""Reads the fields of requests for transcriptions, with the refusals that SDKs know."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from cartrita.dialects.openai_audio.transcription_types import (
    STREAMED_FORMATS,
    Granularity,
    ResponseFormat,
    TranscriptionForm,
)
from cartrita.dialects.openai_refusals import check_bounds, missing_model, refusal
from cartrita.domain.errors import InvalidInput

Words = TypeVar("Words", bound=Granularity | ResponseFormat)

_SWITCH: Final = {"true": True, "1": True, "false": False, "0": False}
_OF_TRANSLATIONS: Final = ("model", "prompt", "response_format", "temperature")
_NO_SPEAKERS: Final = "speakers are not told apart here"


def parse(fields: Iterable[tuple[str, str]]) -> TranscriptionForm:
    """The request of a form's fields; those of a list are repeated, with `[]` or without.

    Empty fields count as absent, and unknown ones are ignored. Raises InvalidInput.
    """
    given = _gathered(fields)
    _refuse_impossible(given)
    model = _last(given, "model")
    if model is None:
        raise missing_model()
    form = TranscriptionForm(
        model=model,
        language=_language(given),
        prompt=_prompt(given),
        temperature=_temperature(given),
        response_format=_format(given),
        granularities=_granularities(given),
        stream=_stream(given),
    )
    if form.stream and form.response_format not in STREAMED_FORMATS:
        raise _unsupported(
            "stream", f"events hold text without times: {form.response_format} is not streamed"
        )
    return form


def parse_translation(fields: Iterable[tuple[str, str]]) -> TranscriptionForm:
    """The same for what is to be translated, of which fewer fields are known."""
    known = [(name, value) for name, value in fields if name in _OF_TRANSLATIONS]
    return msgspec.structs.replace(parse(known), translated=True)


def _gathered(fields: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    given: dict[str, list[str]] = {}
    for name, value in fields:
        if value:
            given.setdefault(name.removesuffix("[]"), []).append(value)
    return given


def _last(given: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = given.get(name)
    return values[-1] if values else None


def _refuse_impossible(given: Mapping[str, Sequence[str]]) -> None:
    """What would change the answer and cannot be had here."""
    if "logprobs" in given.get("include", ()):
        raise _unsupported("include", "logprobs are not told here")
    if _last(given, "response_format") == "diarized_json":
        raise _unsupported("response_format", _NO_SPEAKERS)
    for name in ("known_speaker_names", "known_speaker_references"):
        if name in given:
            raise _unsupported(name, _NO_SPEAKERS)


def _language(given: Mapping[str, Sequence[str]]) -> str | None:
    """The language, or the only one of several that are possible."""
    language = _last(given, "language")
    possible = given.get("languages", ())
    return language or (possible[0] if len(possible) == 1 else None)


def _prompt(given: Mapping[str, Sequence[str]]) -> str | None:
    """The prompt, and after it the words to be expected, which older models are told in it."""
    told = [text for text in (_last(given, "prompt"), ", ".join(given.get("keywords", ()))) if text]
    return " ".join(told) or None


def _temperature(given: Mapping[str, Sequence[str]]) -> float | None:
    text = _last(given, "temperature")
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        message = "Invalid type for 'temperature': expected a decimal, but got a string instead."
        raise refusal("temperature", message, "invalid_type")
    check_bounds(number, "temperature", "decimal", 0, 1)
    return number


def _format(given: Mapping[str, Sequence[str]]) -> ResponseFormat:
    text = _last(given, "response_format")
    if text is None:
        return ResponseFormat.JSON
    return _word(ResponseFormat, text, "response_format")


def _granularities(given: Mapping[str, Sequence[str]]) -> tuple[Granularity, ...]:
    name = "timestamp_granularities"
    found = (_word(Granularity, text, name) for text in given.get(name, ()))
    return tuple(dict.fromkeys(found))


def _stream(given: Mapping[str, Sequence[str]]) -> bool:
    text = _last(given, "stream")
    if text is None:
        return False
    stream = _SWITCH.get(text.lower())
    if stream is None:
        message = "Invalid type for 'stream': expected a boolean, but got a string instead."
        raise refusal("stream", message, "invalid_type")
    return stream


def _word(words: type[Words], text: str, path: str) -> Words:
    try:
        return words(text)
    except ValueError:
        supported = ", ".join(f"'{each.value}'" for each in words)
        message = f"Invalid value: '{text[:100]}'. Supported values are: {supported}."
        raise refusal(path, message, "invalid_value") from None


def _unsupported(path: str, why: str) -> InvalidInput:
    return refusal(path, f"Unsupported parameter: '{path}': {why}.", "unsupported_parameter")
