"""Recordings in the forms of OpenAI's audio API: how they are received, and written down."""

from typing import Any

from fastapi import Request, Response

from cartrita.dialects.openai_audio import transcript_rendering
from cartrita.dialects.openai_audio.transcription_types import ResponseFormat, TranscriptionForm
from cartrita.domain.errors import CartritaError
from cartrita.domain.principals import Principal
from cartrita.domain.speech import Transcript, TranscriptionOptions
from cartrita.surfaces.openai.audio_engines import ChosenEngine, in_openai_words
from cartrita.surfaces.recorded_forms import RecordedForm, received_recording
from cartrita.surfaces.services import Services, SurfaceConfig
from cartrita.surfaces.v1.routes_told import route_headers


def form_of(models: list[str], **more: dict[str, Any]) -> dict[str, Any]:
    """What openapi.json says of a form with a recording; `models` are examples of names."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file", "model"],
                        "additionalProperties": True,
                        "properties": {
                            "file": {"type": "string", "format": "binary"},
                            "model": {"type": "string", "examples": models},
                            "prompt": {"type": "string"},
                            "response_format": {"enum": [each.value for each in ResponseFormat]},
                            "temperature": {"type": "number", "minimum": 0, "maximum": 1},
                            **more,
                        },
                    }
                }
            },
        }
    }


async def received(request: Request, config: SurfaceConfig) -> RecordedForm:
    """The form whose recording is in the field `file`; errors name OpenAI's fields."""
    try:
        return await received_recording(request, "file", config.recording_max_bytes)
    except CartritaError as error:
        raise in_openai_words(error) from None


async def transcribed(
    services: Services,
    principal: Principal,
    recorded: RecordedForm,
    form: TranscriptionForm,
    engine: ChosenEngine,
) -> Transcript:
    """What is said in a recording, in English if it is to be translated."""
    options = TranscriptionOptions(
        language=form.language,
        prompt=form.prompt,
        temperature=form.temperature,
        translated=form.translated,
    )
    try:
        return await services.voice.transcriptions.transcribe(
            principal, recorded.data, recorded.file_name, options, engine.name
        )
    except CartritaError as error:
        raise in_openai_words(error) from None


def rendered(transcript: Transcript, form: TranscriptionForm, engine: ChosenEngine) -> Response:
    """The whole answer, with who gave it in its headers."""
    answer = transcript_rendering.render(transcript, form)
    headers = dict(route_headers(transcript.provider, engine.receipts, ()))
    return Response(answer.body, headers=headers, media_type=answer.media_type)
