"""Answers of runs: whole, for callers who wait, or streamed."""

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
from cartrita.surfaces.native.streams import stream
from cartrita.surfaces.native.views import ChatResponse
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import cancel_when_left


async def answer(
    request: Request,
    services: Services,
    principal: Principal,
    admitted: Admitted,
    *,
    streamed: bool,
) -> ChatResponse | Response:
    """What a caller gets who asked something."""
    if streamed:
        return stream(services, admitted.run_id)
    return await whole_answer(request, services, principal, admitted.run_id)


async def whole_answer(
    request: Request, services: Services, principal: Principal, run_id: RunId
) -> ChatResponse:
    """Wait for the run's end. Raises AnswerStopped where it ended early.

    A caller who leaves ends this waiting, not the run.
    """
    end = (await _outcome(request, services, run_id)).event
    if isinstance(end, RunStopped):
        raise await _stopped(services, principal, run_id, end)
    assert isinstance(end, RunCompleted)
    stored = await services.messages.get(principal, end.conversation_id, end.message_id)
    return ChatResponse.of(run_id, end, stored)


async def _outcome(request: Request, services: Services, run_id: RunId) -> LoggedEvent:
    outcome: LoggedEvent | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(cancel_when_left, request.receive, group.cancel_scope)
        outcome = await services.runs.wait_for_end(run_id)
        group.cancel_scope.cancel()
    if outcome is None:
        raise ClientDisconnect
    return outcome


async def _stopped(
    services: Services, principal: Principal, run_id: RunId, end: RunStopped
) -> AnswerStopped:
    run = await services.runs.get(principal, ids.public("run", run_id))
    conversation = ids.public("conv", run.conversation_id)
    message = ids.public("msg", run.message_id)
    try:
        partial = (await services.messages.get(principal, conversation, message)).message.text
    except NotFound:
        partial = ""  # nothing was seen, so nothing was kept
    return AnswerStopped(end, run, partial)
