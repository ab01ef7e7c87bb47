"""Requests for transcriptions and for speech, there and back, and what is refused of them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.openai_audio.samples import FORMS, SPEECH_FORMS
from tests.backend.examples import dialect_examples

from cartrita.dialects.openai_audio import form_parsing, form_rendering, speech_requests
from cartrita.dialects.openai_audio.speech_requests import SpeechForm
from cartrita.dialects.openai_audio.transcription_types import (
    Granularity,
    ResponseFormat,
    TranscriptionForm,
)
from cartrita.domain.errors import InvalidInput
from cartrita.domain.speech import LONGEST_SPEECH, AudioFormat
from cartrita.surfaces.multipart import FormReader

BOUNDARY = "b0" * 16


async def received(body: bytes) -> tuple[list[tuple[str, str]], dict[str, bytes]]:
    """The fields and the files of a form, as our own server reads it."""

    async def chunks() -> AsyncIterator[bytes]:
        yield body

    fields: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}
    reader = FormReader(chunks(), BOUNDARY.encode())
    async for part in reader.parts():
        if part.file_name is None:
            fields.append((part.name, await reader.value()))
        else:
            files[part.file_name] = b"".join([piece async for piece in reader.pieces()])
    return fields, files


@given(FORMS, st.binary(max_size=300))
@dialect_examples
async def test_a_rendered_form_is_read_as_it_was(form: TranscriptionForm, data: bytes) -> None:
    rendered = form_rendering.render(form, data, "audio/mpeg", BOUNDARY)
    assert rendered.content_type == f"multipart/form-data; boundary={BOUNDARY}"
    fields, files = await received(rendered.body)
    assert files == {"recording.mp3": data}
    assert form_parsing.parse(fields) == form


@given(SPEECH_FORMS)
@dialect_examples
def test_a_rendered_request_for_speech_is_read_as_it_was(form: SpeechForm) -> None:
    assert speech_requests.parse(json.loads(speech_requests.render(form))) == form


def test_a_region_is_not_sent() -> None:
    form = TranscriptionForm(model="whisper-1", language="pt-BR")
    assert ("language", "pt") in form_rendering.fields(form)


def test_lists_come_with_brackets_or_without() -> None:
    form = form_parsing.parse(
        [
            ("model", "whisper-1"),
            ("timestamp_granularities[]", "word"),
            ("timestamp_granularities", "segment"),
            ("timestamp_granularities[]", "word"),
            ("response_format", "verbose_json"),
            ("language", ""),
            ("languages[]", "de"),
            ("prompt", "We talk of plants."),
            ("keywords[]", "moss"),
            ("keywords[]", "fern"),
            ("chunking_strategy", "auto"),
            ("unknown", "ignored"),
        ]
    )
    assert form == TranscriptionForm(
        model="whisper-1",
        language="de",
        prompt="We talk of plants. moss, fern",
        response_format=ResponseFormat.VERBOSE_JSON,
        granularities=(Granularity.WORD, Granularity.SEGMENT),
    )


def test_several_possible_languages_are_left_to_the_model() -> None:
    form = form_parsing.parse([("model", "m"), ("languages[]", "de"), ("languages[]", "en")])
    assert form.language is None


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ([], "model", "validation_error"),
        ([("model", "")], "model", "validation_error"),
        ([("model", "m"), ("response_format", "xml")], "response_format", "invalid_value"),
        (
            [("model", "m"), ("response_format", "diarized_json")],
            "response_format",
            "unsupported_parameter",
        ),
        ([("model", "m"), ("include[]", "logprobs")], "include", "unsupported_parameter"),
        (
            [("model", "m"), ("known_speaker_names[]", "A")],
            "known_speaker_names",
            "unsupported_parameter",
        ),
        ([("model", "m"), ("temperature", "hot")], "temperature", "invalid_type"),
        ([("model", "m"), ("temperature", "nan")], "temperature", "invalid_type"),
        ([("model", "m"), ("temperature", "2")], "temperature", "decimal_above_max_value"),
        ([("model", "m"), ("stream", "maybe")], "stream", "invalid_type"),
        (
            [("model", "m"), ("stream", "true"), ("response_format", "srt")],
            "stream",
            "unsupported_parameter",
        ),
        (
            [("model", "m"), ("timestamp_granularities[]", "letter")],
            "timestamp_granularities",
            "invalid_value",
        ),
    ],
)
def test_fields_that_are_refused(fields: list[tuple[str, str]], param: str, code: str) -> None:
    with pytest.raises(InvalidInput) as told:
        form_parsing.parse(fields)
    assert (list(told.value.fields), told.value.code) == ([param], code)


USUAL: dict[str, Any] = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}


def test_a_request_for_speech_with_its_defaults() -> None:
    form = speech_requests.parse({**USUAL, "speed": None, "more": 1})
    assert form == SpeechForm(
        model="tts-1", input="Hello.", voice="alloy", response_format=AudioFormat.MP3, speed=1.0
    )


@pytest.mark.parametrize(
    ("changed", "param", "code"),
    [
        ({"model": None}, "model", "validation_error"),
        ({"model": 1}, "model", "invalid_type"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": ["a"]}, "input", "invalid_type"),
        ({"input": " \n"}, "input", "string_below_min_length"),
        ({"input": "a" * (LONGEST_SPEECH + 1)}, "input", "string_above_max_length"),
        ({"voice": None}, "voice", "missing_required_parameter"),
        ({"voice": {}}, "voice.id", "missing_required_parameter"),
        ({"voice": 3}, "voice", "invalid_type"),
        ({"response_format": "ogg"}, "response_format", "invalid_value"),
        ({"speed": "fast"}, "speed", "invalid_type"),
        ({"speed": True}, "speed", "invalid_type"),
        ({"speed": 5}, "speed", "decimal_above_max_value"),
        ({"speed": 0}, "speed", "decimal_below_min_value"),
        ({"instructions": 1}, "instructions", "invalid_type"),
        ({"stream_format": "chunks"}, "stream_format", "invalid_value"),
    ],
)
def test_speech_that_is_refused(changed: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(InvalidInput) as told:
        speech_requests.parse({**USUAL, **changed})
    assert (list(told.value.fields), told.value.code) == ([param], code)
