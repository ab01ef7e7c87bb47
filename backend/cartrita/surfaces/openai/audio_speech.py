"""`POST /v1/audio/speech`: a text is spoken, in OpenAI's shapes."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from cartrita.application.voice.speeches import BegunSpeech
from cartrita.dialects.openai_audio import speech_requests
from cartrita.dialects.openai_audio.speech_requests import SpeechForm, StreamFormat
from cartrita.domain.errors import CartritaError
from cartrita.domain.receipts import require_exact
from cartrita.domain.speech import LONGEST_SPEECH, AudioFormat, SpeechRequest
from cartrita.surfaces.authentication import AuthenticationMethod
from cartrita.surfaces.dependencies import ANSWERED, AppConfig, AppServices, CurrentCaller
from cartrita.surfaces.json_bodies import parse_object, require_json_type
from cartrita.surfaces.openai.audio_engines import chosen_engine, in_openai_words
from cartrita.surfaces.openai.audio_streams import EVENTS, AudioEvents, speech_frames
from cartrita.surfaces.openai.audio_voices import spoken_voice
from cartrita.surfaces.speech_responses import SpeechResponse
from cartrita.surfaces.v1.request_reading import call_options
from cartrita.surfaces.v1.routes_told import loss_headers

router = APIRouter(prefix="/v1/audio", tags=["openai"], dependencies=ANSWERED)

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["model", "input", "voice"],
                    "additionalProperties": True,
                    "properties": {
                        "model": {"type": "string", "examples": ["gpt-4o-mini-tts"]},
                        "input": {"type": "string", "maxLength": LONGEST_SPEECH},
                        "voice": {"type": ["string", "object"], "examples": ["alloy"]},
                        "response_format": {"enum": [each.value for each in AudioFormat]},
                        "speed": {"type": "number", "minimum": 0.25, "maximum": 4},
                        "instructions": {"type": "string"},
                        "stream_format": {"enum": ["audio", "sse"]},
                    },
                }
            }
        },
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The speech as it is made, or its events.",
        "content": {
            "audio/*": {"schema": {"type": "string", "format": "binary"}},
            "text/event-stream": {"schema": EVENTS},
        },
    }
}


@router.post(
    "/speech",
    name="create_v1_speech",
    openapi_extra=_BODY,
    response_class=Response,
    responses=_RESPONSES,
)
async def create_speech(
    request: Request, caller: CurrentCaller, services: AppServices, config: AppConfig
) -> Response:
    """Speak a text; the audio is sent as it is made.

    The model is `provider/model`, a name of OpenAI's, or `cartrita` for the usual one.
    """
    cookie = caller.authenticated_by is AuthenticationMethod.COOKIE
    require_json_type(request, allow_form_type=not cookie)
    form = speech_requests.parse(parse_object(await request.body()))
    principal, engines = caller.principal, services.voice.speeches.engines
    engine = await chosen_engine(engines, principal, form.model)
    voice = spoken_voice(engines, engine, form.voice)
    receipts = (*engine.receipts, *voice.receipts)
    if call_options(request).strict:
        require_exact(receipts)
    opening = services.voice.speeches.speak(principal, _speech(form, voice.name), engine.name)
    held = services.connections.holding(principal, _renamed(opening))
    if form.stream_format is StreamFormat.SSE:
        return AudioEvents(speech_frames(held, receipts), heartbeat_s=config.heartbeat_s)
    return SpeechResponse(held, loss_headers(receipts))


def _speech(form: SpeechForm, voice: str | None) -> SpeechRequest:
    return SpeechRequest(
        text=form.input,
        voice=voice,
        format=form.response_format,
        speed=form.speed,
        instructions=form.instructions,
    )


@asynccontextmanager
async def _renamed(
    opening: AbstractAsyncContextManager[BegunSpeech],
) -> AsyncGenerator[BegunSpeech]:
    """What is opened; its errors name OpenAI's fields."""
    try:
        async with opening as speech:
            yield speech
    except CartritaError as error:
        raise in_openai_words(error) from None
