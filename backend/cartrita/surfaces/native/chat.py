"""Chat: a message in, its answer out, whole or as a stream."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response

from cartrita.domain.errors import NotFound
from cartrita.domain.runs import Idempotency
from cartrita.kit import ids
from cartrita.kit.ids import RunId
from cartrita.surfaces.authentication import Caller, Means, authenticate
from cartrita.surfaces.native.answers import answer
from cartrita.surfaces.native.asks import ChatRequest, chat_query
from cartrita.surfaces.native.bodies import Body
from cartrita.surfaces.native.dependencies import (
    IdempotencyKey,
    LastEventId,
    Me,
    UseCases,
    idempotency,
)
from cartrita.surfaces.native.streams import Cursor, carry_on, cursor_of, stream
from cartrita.surfaces.native.views import ChatResponse
from cartrita.surfaces.origins import require_event_source
from cartrita.surfaces.sse import EventStream

router = APIRouter(prefix="/api/chat", tags=["chat"])

ChatBody: TypeAlias = Annotated[ChatRequest, Depends(Body(ChatRequest))]


@router.post("", response_model=ChatResponse)
async def post_chat(
    request: Request, who: Me, body: ChatBody, services: UseCases, key: IdempotencyKey = None
) -> ChatResponse | Response:
    """Say something and wait for the whole answer; `stream: true` streams it.

    The answer goes on when the caller leaves: `GET /api/runs/{id}` knows how it ended.
    """
    asked = body.ask(body.conversation_id)
    admitted = await services.runs.start(who, asked, _promise(key, body))
    return await answer(request, services, who, admitted, streamed=body.stream)


@router.post("/stream", response_class=EventStream, status_code=200)
async def post_chat_stream(
    who: Me,
    body: ChatBody,
    services: UseCases,
    key: IdempotencyKey = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Say something and receive the answer as server-sent events.

    With `Last-Event-ID` the run that it names is continued, and nothing is said.
    """
    if last_event_id:
        return await carry_on(services, who, cursor_of(last_event_id))
    asked = body.ask(body.conversation_id)
    admitted = await services.runs.start(who, asked, _promise(key, body))
    return stream(services, admitted.run_id)


async def event_source(
    request: Request,
    ticket: Annotated[
        str | None, Query(description="From POST /api/stream-tickets, instead of a header.")
    ] = None,
) -> Caller:
    """Whoever opened an EventSource, which can set no headers."""
    who = await authenticate(request, ticket=ticket)
    if who.means is Means.COOKIE:
        require_event_source(request)
    return who


async def asked_in_query(
    request: Request, _: Annotated[Caller, Depends(event_source)]
) -> ChatRequest | None:
    """The question, or None where the reader only comes back."""
    if request.headers.get("last-event-id"):
        return None
    return chat_query(request.scope["query_string"])


@router.get("/stream", response_class=EventStream, status_code=200)
async def get_chat_stream(
    who: Annotated[Caller, Depends(event_source)],
    asked: Annotated[ChatRequest | None, Depends(asked_in_query)],
    services: UseCases,
    last_event_id: LastEventId = None,
) -> Response:
    """The same for a browser's `EventSource`, with every field as a query parameter.

    It reconnects to the same URL by itself: `Last-Event-ID` continues that run and never starts
    another; `client_msg_id`, or a ticket, makes sure of that before the first id has arrived. A
    reader that has seen the end is answered 204.
    """
    cursor = cursor_of(last_event_id) if last_event_id else None
    if who.ticket is not None:
        cursor = _within(await services.sessions.run_started_by(who.ticket), cursor)
    if cursor is not None:
        return await carry_on(services, who.principal, cursor)
    assert asked is not None
    if who.ticket is not None:
        asked = asked.model_copy(update={"client_msg_id": who.ticket.client_msg_id})
    admitted = await services.runs.start(who.principal, asked.ask(asked.conversation_id))
    return stream(services, admitted.run_id)


def _within(started: RunId | None, cursor: Cursor | None) -> Cursor | None:
    """A ticket resumes the run that it began, from anywhere in it, and no other."""
    if started is None:
        return cursor
    if cursor is None:
        return Cursor(ids.public("run", started), 0)
    if ids.parse("run", cursor.run) != started:
        raise NotFound("This ticket began another run.", code="run_not_found")
    return cursor


def _promise(key: str | None, body: ChatRequest) -> Idempotency | None:
    return idempotency("chat", key, body)
