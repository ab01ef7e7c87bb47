"""Voice endpoints: what is said is transcribed and answered, and texts are spoken."""

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from cartrita.domain.errors import InvalidInput
from cartrita.domain.scopes import Operation
from cartrita.surfaces.dependencies import (
    ANSWERED,
    AppConfig,
    AppServices,
    CurrentPrincipal,
    IdempotencyKey,
    Requires,
)
from cartrita.surfaces.native.approval_schemas import WAITS
from cartrita.surfaces.native.chat_responses import respond_waiting
from cartrita.surfaces.native.public_names import REF
from cartrita.surfaces.native.request_bodies import JsonBody
from cartrita.surfaces.native.spoken_answers import reply_to, said_once, send_said
from cartrita.surfaces.native.streams import stream
from cartrita.surfaces.native.voice_forms import (
    SpeakRequest,
    SpokenChatForm,
    TranscriptionForm,
    VoiceInputForm,
    form_of,
    received,
)
from cartrita.surfaces.native.voice_schemas import (
    EngineView,
    SpokenChatResponse,
    TranscriptionResponse,
    VoiceInputResponse,
    VoiceView,
)
from cartrita.surfaces.native.waiting import AnswerWaits
from cartrita.surfaces.run_ends import while_connected
from cartrita.surfaces.speech_responses import SpeechResponse
from cartrita.surfaces.sse import MEDIA_TYPE
from cartrita.surfaces.upstream_headers import PROVIDER_HEADER

_SPOKEN: Final = [Depends(Requires(Operation.VOICE))]
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {} for status in (402, 404, 413, 415, 429, 502, 503)
}
"""Statuses of recordings and of what providers answer, beside those that all routes have."""
_AUDIO: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The speech, as it is made.",
        "content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_STREAMED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"$ref": REF + "ServerSentEvent"}}}}
}

router = APIRouter(prefix="/api/voice", tags=["voice"], dependencies=_SPOKEN)
chat_router = APIRouter(prefix="/api/chat", tags=["voice"], dependencies=_SPOKEN)


@router.get("")
async def get_voice(principal: CurrentPrincipal, services: AppServices) -> VoiceView:
    """What transcribes and what speaks here, the preferred first, and what it needs."""
    heard, spoken = services.voice.transcriptions.engines, services.voice.speeches.engines
    return VoiceView(
        transcribers=[
            EngineView.of(one, models, usable=await heard.usable(principal, one))
            for one, models in heard.preferred
        ],
        synthesizers=[
            EngineView.of(one, models, usable=await spoken.usable(principal, one))
            for one, models in spoken.preferred
        ],
    )


@router.post(
    "/transcribe",
    dependencies=ANSWERED,
    responses=_ERRORS,
    openapi_extra=form_of(TranscriptionForm),
)
async def transcribe(
    request: Request, principal: CurrentPrincipal, services: AppServices, config: AppConfig
) -> TranscriptionResponse:
    """Transcribe a recording, in the field `audio` of a form. Nothing of it is stored."""
    said, _ = await received(request, config, TranscriptionForm)
    async with while_connected(request, services, principal):
        transcript = await services.voice.transcriptions.transcribe(
            principal, said.data, said.name, said.options, said.transcriber
        )
    return TranscriptionResponse.of(transcript)


@router.post(
    "/speak",
    response_class=Response,
    dependencies=ANSWERED,
    responses={**_ERRORS, **_AUDIO},
)
async def speak(
    principal: CurrentPrincipal,
    body: Annotated[SpeakRequest, Depends(JsonBody(SpeakRequest))],
    services: AppServices,
) -> Response:
    """Speak a text: the audio is sent as it is made. An error after its beginning cuts it."""
    speech = services.voice.speeches.speak(principal, body.speech, body.synthesizer)
    return SpeechResponse(services.connections.holding(principal, speech))


@router.post(
    "/process",
    response_model=VoiceInputResponse,
    dependencies=ANSWERED,
    responses={**_ERRORS, **WAITS},
    openapi_extra=form_of(VoiceInputForm),
)
async def process_voice(
    request: Request,
    principal: CurrentPrincipal,
    services: AppServices,
    config: AppConfig,
    key: IdempotencyKey = None,
) -> Response:
    """Transcribe speech, and answer it in a conversation; `speak: true` speaks the answer, too.

    Silence has an empty transcription, and is not answered. The run continues if the client
    disconnects. An answer that cannot be spoken is told with `speech_error`.
    """
    began = time.monotonic()
    said, form = await received(request, config, VoiceInputForm)
    if not form.respond:
        async with while_connected(request, services, principal):
            transcript = await services.voice.transcriptions.transcribe(
                principal, said.data, said.name, said.options, said.transcriber
            )
        return _json(VoiceInputResponse.of(transcript, time.monotonic() - began))
    once = said_once("voice", key, form, said)
    message = await send_said(request, services, principal, said, form, once)
    transcript, admitted = message
    if admitted is None:
        return _json(VoiceInputResponse.of(transcript, time.monotonic() - began))
    try:
        reply = await reply_to(request, services, principal, admitted, form)
    except AnswerWaits as waits:
        return await respond_waiting(services, principal, admitted, waits, transcript.text)
    seconds = time.monotonic() - began
    return _json(VoiceInputResponse.of(transcript, seconds, reply), reply.answer.provider)


@chat_router.post(
    "/voice",
    response_model=SpokenChatResponse,
    dependencies=ANSWERED,
    responses={**_ERRORS, **WAITS, **_STREAMED},
    openapi_extra=form_of(SpokenChatForm),
)
async def post_chat_voice(
    request: Request,
    principal: CurrentPrincipal,
    services: AppServices,
    config: AppConfig,
    key: IdempotencyKey = None,
) -> Response:
    """Send a recording as a message, and wait for the complete answer; `stream: true` streams it.

    It is answered as `POST /api/chat` answers text; what was said is told beside it. A stream is
    not spoken: see `/ws/voice`.
    """
    said, form = await received(request, config, SpokenChatForm)
    if form.stream and form.speak:
        raise InvalidInput.of("speak", "a stream is not spoken; use /ws/voice for that")
    once = said_once("spoken_chat", key, form, said)
    message = await send_said(request, services, principal, said, form, once)
    if message.admitted is None:
        raise InvalidInput(
            "Nothing is said in the recording.",
            fields={"audio": ["nothing is said in it"]},
            code="nothing_said",
        )
    if form.stream:
        return stream(services, principal, message.admitted.run_id)
    try:
        reply = await reply_to(request, services, principal, message.admitted, form)
    except AnswerWaits as waits:
        heard = message.transcript.text
        return await respond_waiting(services, principal, message.admitted, waits, heard)
    answer = SpokenChatResponse.of_reply(reply, message.transcript)
    return _json(answer, answer.provider)


def _json(answer: BaseModel, provider: str | None = None) -> Response:
    headers = {} if provider is None else {PROVIDER_HEADER: provider}
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)
