"""Responses to chat requests: the complete answer of a run, or its event stream."""

import anyio
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from cartrita.domain.errors import NotFound
from cartrita.domain.events import LoggedEvent, RunCompleted, RunStopped
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted
from cartrita.kit import ids
from cartrita.kit.ids import RunId
from cartrita.surfaces.native.errors import AnswerStopped
from cartrita.surfaces.native.schemas import ChatResponse
from cartrita.surfaces.native.streams import stream
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import cancel_on_disconnect


async def respond(
    request: Request,
    services: Services,
    principal: Principal,
    admitted: Admitted,
    *,
    streamed: bool,
) -> ChatResponse | Response:
    """The event stream of a run, or its complete answer."""
    if streamed:
        return stream(services, admitted.run_id)
    return await wait_for_answer(request, services, principal, admitted.run_id)


async def wait_for_answer(
    request: Request, services: Services, principal: Principal, run_id: RunId
) -> ChatResponse:
    """Wait for the end of a run. Raises AnswerStopped if it ended early.

    A disconnect of the client ends the wait, not the run.
    """
    end = (await _wait_for_end(request, services, run_id)).event
    if isinstance(end, RunStopped):
        raise await _stopped(services, principal, run_id, end)
    assert isinstance(end, RunCompleted)
    stored = await services.messages.get(principal, end.conversation_id, end.message_id)
    return ChatResponse.of(run_id, end, stored)


async def _wait_for_end(request: Request, services: Services, run_id: RunId) -> LoggedEvent:
    terminal: LoggedEvent | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(cancel_on_disconnect, request.receive, group.cancel_scope)
        terminal = await services.runs.wait_for_end(run_id)
        group.cancel_scope.cancel()
    if terminal is None:
        raise ClientDisconnect
    return terminal


async def _stopped(
    services: Services, principal: Principal, run_id: RunId, end: RunStopped
) -> AnswerStopped:
    run = await services.runs.get(principal, ids.public("run", run_id))
    conversation = ids.public("conv", run.conversation_id)
    message = ids.public("msg", run.message_id)
    try:
        partial = (await services.messages.get(principal, conversation, message)).message.text
    except NotFound:
        partial = ""  # the run ended before any output, so no message was stored
    return AnswerStopped(end, run, partial)
