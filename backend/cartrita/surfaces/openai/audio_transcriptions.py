"""`POST /v1/audio/transcriptions`: what is said in a recording, in OpenAI's shapes."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from cartrita.dialects.openai_audio import form_parsing
from cartrita.dialects.openai_audio.event_rendering import transcript_events
from cartrita.domain.receipts import require_exact
from cartrita.domain.speech import Transcript
from cartrita.kit.long_work import InTurns
from cartrita.surfaces.dependencies import ANSWERED, AppConfig, AppServices, CurrentPrincipal
from cartrita.surfaces.openai.audio_engines import ChosenEngine, chosen_engine
from cartrita.surfaces.openai.audio_recordings import form_of, received, rendered, transcribed
from cartrita.surfaces.openai.audio_streams import EVENTS, AudioEvents, AudioFrames
from cartrita.surfaces.run_ends import while_connected
from cartrita.surfaces.v1.request_reading import call_options
from cartrita.surfaces.v1.routes_told import route_headers

router = APIRouter(prefix="/v1/audio", tags=["openai"], dependencies=ANSWERED)

_FORM: Final = form_of(
    ["whisper-1", "deepgram/nova-3"],
    language={"type": "string"},
    **{"timestamp_granularities[]": {"type": "array", "items": {"enum": ["word", "segment"]}}},
    stream={"type": "boolean"},
)
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The transcript in the `response_format`, or its events.",
        "content": {
            "application/json": {"schema": {"type": "object", "additionalProperties": True}},
            "text/plain": {"schema": {"type": "string"}},
            "text/event-stream": {"schema": EVENTS},
        },
    }
}


@router.post(
    "/transcriptions",
    name="create_v1_transcription",
    openapi_extra=_FORM,
    response_class=Response,
    responses=_RESPONSES,
)
async def create_transcription(
    request: Request, principal: CurrentPrincipal, services: AppServices, config: AppConfig
) -> Response:
    """Transcribe a recording, in the field `file` of a form with a `model`.

    The model is `provider/model`, a name of OpenAI's, or `cartrita` for the usual one. Nothing is
    stored. With `stream` the text comes in events once the recording has been transcribed.
    """
    recorded = await received(request, config)
    form = form_parsing.parse(recorded.fields)
    engine = await chosen_engine(services.voice.transcriptions.engines, principal, form.model)
    if call_options(request).strict:
        require_exact(engine.receipts)
    transcribe = partial(transcribed, services, principal, recorded, form, engine)
    if form.stream:
        opening = services.connections.holding(principal, _frames(transcribe, engine))
        return AudioEvents(opening, heartbeat_s=config.heartbeat_s)
    async with while_connected(request, services, principal):
        return rendered(await transcribe(), form, engine)


@asynccontextmanager
async def _frames(
    transcribe: Callable[[], Awaitable[Transcript]], engine: ChosenEngine
) -> AsyncGenerator[AudioFrames]:
    transcript = await transcribe()
    headers = route_headers(transcript.provider, engine.receipts, ())
    yield AudioFrames(headers, InTurns(transcript_events(transcript)))
