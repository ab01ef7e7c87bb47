"""Chat endpoints: send a message, and get its answer complete or as a stream."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response

from cartrita.domain.errors import NotFound
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Idempotency
from cartrita.kit import ids
from cartrita.surfaces.answer_room import require_room
from cartrita.surfaces.authentication import AuthenticationMethod, Caller, authenticate
from cartrita.surfaces.dependencies import (
    ANSWERED,
    AppServices,
    CurrentPrincipal,
    IdempotencyKey,
    LastEventId,
)
from cartrita.surfaces.idempotency import idempotency
from cartrita.surfaces.native.approval_schemas import WAITS
from cartrita.surfaces.native.chat_requests import ChatRequest, parse_chat_query
from cartrita.surfaces.native.chat_responses import respond
from cartrita.surfaces.native.cursors import Cursor, parse_cursor
from cartrita.surfaces.native.request_bodies import JsonBody
from cartrita.surfaces.native.schemas import ChatResponse
from cartrita.surfaces.native.streams import resume_stream, stream
from cartrita.surfaces.origins import require_event_source
from cartrita.surfaces.route_limits import route_limits_of
from cartrita.surfaces.sse import EventStream

router = APIRouter(prefix="/api/chat", tags=["chat"])

huggingface_router = APIRouter(prefix="/api/huggingface", tags=["chat"])

ChatBody: TypeAlias = Annotated[ChatRequest, Depends(JsonBody(ChatRequest))]


@router.post("", response_model=ChatResponse, dependencies=ANSWERED, responses=WAITS)
async def post_chat(
    request: Request,
    principal: CurrentPrincipal,
    body: ChatBody,
    services: AppServices,
    key: IdempotencyKey = None,
) -> Response:
    """Send a message and wait for the complete answer; `stream: true` streams it.

    The run continues if the client disconnects: see `GET /api/runs/{id}`.
    """
    command = body.to_command(body.conversation_id)
    admitted = await services.runs.start(principal, command, _idempotency(key, body))
    return await respond(request, services, principal, admitted, streamed=body.stream)


@router.post("/stream", response_class=EventStream, status_code=200, dependencies=ANSWERED)
async def stream_chat(
    principal: CurrentPrincipal,
    body: ChatBody,
    services: AppServices,
    key: IdempotencyKey = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Send a message and receive the answer as server-sent events.

    With `Last-Event-ID` the stream of that run is resumed, and no message is sent.
    """
    if last_event_id:
        return await resume_stream(services, principal, parse_cursor(last_event_id))
    command = body.to_command(body.conversation_id)
    admitted = await services.runs.start(principal, command, _idempotency(key, body))
    return stream(services, principal, admitted.run_id)


@huggingface_router.post(
    "/chat", response_model=ChatResponse, dependencies=ANSWERED, responses=WAITS
)
async def post_huggingface_chat(
    request: Request,
    principal: CurrentPrincipal,
    body: ChatBody,
    services: AppServices,
    key: IdempotencyKey = None,
) -> Response:
    """The same as `POST /api/chat` with `provider: "huggingface"`."""
    chosen = body.model_copy(update={"provider": "huggingface"})
    return await post_chat(request, principal, chosen, services, key)


async def event_source_caller(
    request: Request,
    ticket: Annotated[
        str | None, Query(description="From POST /api/stream-tickets, instead of a header.")
    ] = None,
) -> Caller:
    """The caller of an EventSource, which cannot set headers."""
    caller = await authenticate(request, ticket=ticket)
    await route_limits_of(request).count_user(request, caller.principal.owner_id)
    if caller.authenticated_by is AuthenticationMethod.COOKIE:
        require_event_source(request)
    return caller


async def chat_request_from_query(
    request: Request, _: Annotated[Caller, Depends(event_source_caller)]
) -> ChatRequest | None:
    """The chat request in the query; None if the reader resumes a stream."""
    if request.headers.get("last-event-id"):
        return None
    return parse_chat_query(request.scope["query_string"])


@router.get("/stream", response_class=EventStream, status_code=200)
async def stream_chat_from_query(
    request: Request,
    caller: Annotated[Caller, Depends(event_source_caller)],
    chat_request: Annotated[ChatRequest | None, Depends(chat_request_from_query)],
    services: AppServices,
    last_event_id: LastEventId = None,
) -> Response:
    """The same for a browser's `EventSource`, with every field as a query parameter.

    An EventSource reconnects to the same URL: `Last-Event-ID` resumes that run and never starts
    another one. Before the first id has arrived, `client_msg_id` or a ticket ensures the same.
    Responds 204 if the reader has received the last event.
    """
    require_room(request, caller.principal)
    cursor = parse_cursor(last_event_id) if last_event_id else None
    if caller.ticket is not None:
        cursor = _cursor_of_ticket(await services.tickets.run_started_by(caller.ticket), cursor)
    if cursor is not None:
        return await resume_stream(services, caller.principal, cursor)
    assert chat_request is not None
    if caller.ticket is not None:
        chat_request = chat_request.model_copy(
            update={"client_msg_id": caller.ticket.client_msg_id}
        )
    admitted = await services.runs.start(
        caller.principal, chat_request.to_command(chat_request.conversation_id)
    )
    return stream(services, caller.principal, admitted.run_id)


def _cursor_of_ticket(started: RunId | None, cursor: Cursor | None) -> Cursor | None:
    """The cursor to resume from. A ticket resumes only the run that it started."""
    if started is None:
        return cursor
    if cursor is None:
        return Cursor(ids.public("run", started), 0)
    if ids.parse("run", cursor.run) != started:
        raise NotFound("This ticket began another run.", code="run_not_found")
    return cursor


def _idempotency(key: str | None, body: ChatRequest) -> Idempotency | None:
    return idempotency("chat", key, body)
