"""Responses to chat requests: the complete answer of a run, or its event stream."""

from fastapi import Request, Response

from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted
from cartrita.surfaces.native.schemas import ChatResponse
from cartrita.surfaces.native.streams import stream
from cartrita.surfaces.native.waiting import wait_for_completion
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
    """The event stream of a run, or its complete answer. Raises AnswerStopped."""
    if streamed:
        return stream(services, principal, admitted.run_id)
    end = await wait_for_completion(request, services, principal, admitted.run_id)
    stored = await services.messages.get(principal, end.conversation_id, end.message_id)
    answer = ChatResponse.of(admitted.run_id, end, stored)
    return Response(
        answer.model_dump_json(),
        media_type="application/json",
        headers={PROVIDER_HEADER: answer.provider},
    )
