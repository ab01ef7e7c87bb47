"""`POST /v1/audio/translations`: what is said in a recording, in English."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from cartrita.dialects.openai_audio import form_parsing
from cartrita.domain.receipts import require_exact
from cartrita.surfaces.dependencies import ANSWERED, AppConfig, AppServices, CurrentPrincipal
from cartrita.surfaces.openai.audio_engines import chosen_engine
from cartrita.surfaces.openai.audio_recordings import form_of, received, rendered, transcribed
from cartrita.surfaces.run_ends import while_connected
from cartrita.surfaces.v1.request_reading import call_options

router = APIRouter(prefix="/v1/audio", tags=["openai"], dependencies=ANSWERED)

_FORM: Final = form_of(["whisper-1", "groq/whisper-1"])
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The translation in the `response_format`.",
        "content": {
            "application/json": {"schema": {"type": "object", "additionalProperties": True}},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}


@router.post(
    "/translations",
    name="create_v1_translation",
    openapi_extra=_FORM,
    response_class=Response,
    responses=_RESPONSES,
)
async def create_translation(
    request: Request, principal: CurrentPrincipal, services: AppServices, config: AppConfig
) -> Response:
    """Write down in English what is said in the recording in the field `file`, by a `model`.

    The model is named as for transcriptions; one that does not translate leaves it to the next
    where it is the usual one, and is an error where it is named. Nothing is stored.
    """
    recorded = await received(request, config)
    form = form_parsing.parse_translation(recorded.fields)
    engine = await chosen_engine(services.voice.transcriptions.engines, principal, form.model)
    if call_options(request).strict:
        require_exact(engine.receipts)
    async with while_connected(request, services, principal):
        transcript = await transcribed(services, principal, recorded, form, engine)
    return rendered(transcript, form, engine)
