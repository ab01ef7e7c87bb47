"""Message endpoints: list, send, edit, retry, delete."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AliasChoices, Field

from cartrita.application.conversations.messages import REVISION_MAX
from cartrita.domain.errors import InvalidInput
from cartrita.domain.messages import Role
from cartrita.surfaces.dependencies import (
    ANSWERED,
    STORED,
    AppServices,
    CurrentPrincipal,
    IdempotencyKey,
    PublicId,
)
from cartrita.surfaces.idempotency import idempotency
from cartrita.surfaces.native.approval_schemas import WAITS
from cartrita.surfaces.native.chat_requests import MAX_MESSAGE, MessageRequest
from cartrita.surfaces.native.chat_responses import respond
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.native.request_bodies import JsonBody, RequestModel
from cartrita.surfaces.native.schemas import ChatResponse, MessageView

router = APIRouter(
    prefix="/api/conversations/{conversation_id}/messages", tags=["messages"], dependencies=STORED
)


class MessageEdit(RequestModel):
    """The new text of a message."""

    content: Annotated[
        str,
        Field(
            min_length=1,
            max_length=REVISION_MAX,
            pattern=r"\S",
            validation_alias=AliasChoices("content", "message"),
            description=f"A user's message holds at most {MAX_MESSAGE} characters.",
        ),
    ]
    stream: Annotated[bool, Field(description="Answer as text/event-stream.")] = False


class RetryRequest(RequestModel):
    """How to send the new answer."""

    stream: Annotated[bool, Field(description="Answer as text/event-stream.")] = False


@router.get("")
async def list_messages(
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    services: AppServices,
    limit: Limit = 100,
    cursor: PageCursor = None,
) -> PageOf[MessageView]:
    """List the messages of the current branch, oldest first."""
    page = await services.messages.list(principal, conversation_id, limit, cursor)
    views = [MessageView.of(message) for message in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.post("", response_model=ChatResponse, dependencies=ANSWERED, responses=WAITS)
async def send_message(
    request: Request,
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    body: Annotated[MessageRequest, Depends(JsonBody(MessageRequest))],
    services: AppServices,
    key: IdempotencyKey = None,
) -> Response:
    """Send a message in this conversation: the same as `POST /api/chat` with its id."""
    idempotent = idempotency("messages", key, body, conversation_id)
    admitted = await services.runs.start(principal, body.to_command(conversation_id), idempotent)
    return await respond(request, services, principal, admitted, streamed=body.stream)


@router.get("/{message_id}")
async def get_message(
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    message_id: PublicId,
    services: AppServices,
) -> MessageView:
    """Get one message, on any branch."""
    return MessageView.of(await services.messages.get(principal, conversation_id, message_id))


@router.put(
    "/{message_id}",
    name="replace_message",
    response_model=ChatResponse | MessageView,
    dependencies=ANSWERED,
    responses=WAITS,
)
@router.patch(
    "/{message_id}",
    response_model=ChatResponse | MessageView,
    dependencies=ANSWERED,
    responses=WAITS,
)
async def edit_message(
    request: Request,
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    message_id: PublicId,
    body: Annotated[MessageEdit, Depends(JsonBody(MessageEdit))],
    services: AppServices,
    key: IdempotencyKey = None,
) -> MessageView | Response:
    """Edit a message: the new version starts a branch beside the old one.

    A user's message is answered again, as by `POST /api/chat`; an answer is only replaced.
    PUT and PATCH are the same.
    """
    stored = await services.messages.get(principal, conversation_id, message_id)
    if stored.message.role is not Role.USER:
        text = body.content
        revised = await services.messages.revise(principal, conversation_id, message_id, text)
        return MessageView.of(revised)
    if len(body.content) > MAX_MESSAGE:
        raise InvalidInput.of("content", f"keep it to {MAX_MESSAGE} characters")
    idempotent = idempotency("edit", key, body, conversation_id, message_id)
    admitted = await services.runs.edit(
        principal, conversation_id, message_id, body.content, idempotent
    )
    return await respond(request, services, principal, admitted, streamed=body.stream)


@router.delete("/{message_id}", status_code=204)
async def delete_message(
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    message_id: PublicId,
    services: AppServices,
) -> Response:
    """Delete a message and all messages that follow it."""
    await services.messages.delete(principal, conversation_id, message_id)
    return Response(status_code=204)


@router.post(
    "/{message_id}/retry", response_model=ChatResponse, dependencies=ANSWERED, responses=WAITS
)
async def retry_message(
    request: Request,
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    message_id: PublicId,
    body: Annotated[RetryRequest, Depends(JsonBody(RetryRequest, optional=True))],
    services: AppServices,
    key: IdempotencyKey = None,
) -> Response:
    """Answer a message again: the new answer becomes a sibling of the old one."""
    idempotent = idempotency("retry", key, body, conversation_id, message_id)
    admitted = await services.runs.retry(principal, conversation_id, message_id, idempotent)
    return await respond(request, services, principal, admitted, streamed=body.stream)
