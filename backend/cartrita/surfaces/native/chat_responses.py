"""Responses to chat requests: the complete answer of a run, or its event stream."""

from fastapi import Request, Response

from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted
from cartrita.kit import ids
from cartrita.surfaces.native.approval_schemas import WaitingResponse
from cartrita.surfaces.native.schemas import ChatResponse
from cartrita.surfaces.native.streams import stream
from cartrita.surfaces.native.waiting import AnswerWaits, wait_for_completion
from cartrita.surfaces.services import Services
from cartrita.surfaces.upstream_headers import PROVIDER_HEADER


async def respond(
    request: Request,
    services: Services,
    principal: Principal,
    admitted: Admitted,
    *,
    streamed: bool,
) -> Response:
    """The event stream of a run, or its complete answer. Raises AnswerStopped.

    One that waits for a person is answered by 202 and what is to be decided.
    """
    if streamed:
        return stream(services, principal, admitted.run_id)
    try:
        end = await wait_for_completion(request, services, principal, admitted.run_id)
    except AnswerWaits as waits:
        return await respond_waiting(services, principal, admitted, waits)
    stored = await services.messages.get(principal, end.conversation_id, end.message_id)
    answer = ChatResponse.of(admitted.run_id, end, stored)
    return Response(
        answer.model_dump_json(),
        media_type="application/json",
        headers={PROVIDER_HEADER: answer.provider},
    )


async def respond_waiting(
    services: Services,
    principal: Principal,
    admitted: Admitted,
    waits: AnswerWaits,
    heard: str | None = None,
) -> Response:
    """What is to be decided before there is an answer, to what was `heard` if it was said."""
    run = await services.runs.get(principal, ids.public("run", admitted.run_id))
    return Response(
        WaitingResponse.of(run, waits.approvals, heard).model_dump_json(exclude_unset=True),
        status_code=202,
        media_type="application/json",
    )
