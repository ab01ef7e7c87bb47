"""Answers to what is said: the run that a recording starts, its answer, and how that sounds."""

from contextlib import AsyncExitStack

from fastapi import Request

from cartrita.application.access.open_connections import ServerStops
from cartrita.application.voice.spoken_messages import SaidRecording, SpokenMessage
from cartrita.domain.messages import StoredMessage
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted, Idempotency
from cartrita.domain.scopes import Operation
from cartrita.surfaces.idempotency import idempotency
from cartrita.surfaces.native.schemas import ChatResponse
from cartrita.surfaces.native.voice_forms import SpokenMessageForm
from cartrita.surfaces.native.voice_schemas import SpeechError, SpokenReply
from cartrita.surfaces.native.waiting import wait_for_completion
from cartrita.surfaces.run_ends import while_connected
from cartrita.surfaces.services import Services


async def send_said(
    request: Request,
    services: Services,
    principal: Principal,
    recording: SaidRecording,
    form: SpokenMessageForm,
    key: Idempotency | None,
) -> SpokenMessage:
    """Transcribe a recording, and start the run that answers it, unless nothing was said.

    A client that leaves before it is transcribed has sent nothing; after that the run goes on.
    Nothing is sent either where the server begins to stop meanwhile: raises ServerStops. Where the
    answer can be spoken by nobody as it is asked for, it is told before: see `Speeches.require`.
    """
    principal.scopes.require_operation(Operation.CHAT)
    if form.speak:
        speech = form.speech_of("")
        await services.voice.speeches.require(principal, speech, form.synthesizer)
    messages = services.voice.messages
    async with AsyncExitStack() as held:
        async with while_connected(request, services, principal):
            await held.enter_async_context(messages.alone(principal, form.to_command, key))
            heard = await messages.hear(principal, recording, form.to_command, key)
        if services.sockets.draining and heard.admitted is None:
            raise ServerStops
        return await messages.send(principal, recording, heard, form.to_command, key)


async def reply_to(
    request: Request,
    services: Services,
    principal: Principal,
    admitted: Admitted,
    form: SpokenMessageForm,
) -> SpokenReply:
    """Wait for the answer, and have it spoken if that is wanted.

    Raises AnswerStopped and AnswerWaits; that it cannot be spoken is told beside it.
    """
    end = await wait_for_completion(request, services, principal, admitted.run_id)
    stored: StoredMessage = await services.messages.get(
        principal, end.conversation_id, end.message_id
    )
    answer = ChatResponse.of(admitted.run_id, end, stored)
    if not form.speak:
        return SpokenReply(answer)
    async with while_connected(request, services, principal):
        spoken = await services.voice.answers.speak(
            principal,
            admitted.conversation_id,
            end.message_id,
            form.speech_of(end.text),
            form.synthesizer,
        )
    if spoken.file is not None:
        return SpokenReply(answer, f"/api/files/{spoken.file.public_id}/content")
    error = spoken.error
    told = None if error is None else SpeechError(code=error.code, error=error.message)
    return SpokenReply(answer, speech_error=told)


def said_once(
    route: str, key: str | None, form: SpokenMessageForm, recording: SaidRecording
) -> Idempotency | None:
    """The key with the hash of its request: of the recording and the fields beside it."""
    return idempotency(route, key, form, recording.sha256)
