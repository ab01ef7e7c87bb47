"""Messages of a conversation: listed, sent, edited, answered once more, deleted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AliasChoices, Field

from cartrita.application.messages import REVISION_MAX
from cartrita.domain.errors import InvalidInput
from cartrita.domain.messages import Role
from cartrita.surfaces.native.answers import answer
from cartrita.surfaces.native.asks import MAX_MESSAGE, MessageRequest
from cartrita.surfaces.native.bodies import Body, Incoming
from cartrita.surfaces.native.conversations import Limit, PageCursor
from cartrita.surfaces.native.dependencies import (
    IdempotencyKey,
    Me,
    PublicId,
    UseCases,
    idempotency,
)
from cartrita.surfaces.native.views import ChatResponse, MessageView, PageOf

router = APIRouter(prefix="/api/conversations/{conversation_id}/messages", tags=["messages"])


class Edit(Incoming):
    """Other words for a message."""

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


class Retry(Incoming):
    """How to answer once more."""

    stream: Annotated[bool, Field(description="Answer as text/event-stream.")] = False


@router.get("")
async def list_messages(
    who: Me,
    conversation_id: PublicId,
    services: UseCases,
    limit: Limit = 100,
    cursor: PageCursor = None,
) -> PageOf[MessageView]:
    """The conversation's current branch, oldest first."""
    page = await services.messages.list(who, conversation_id, limit, cursor)
    views = [MessageView.of(message) for message in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.post("", response_model=ChatResponse)
async def send_message(
    request: Request,
    who: Me,
    conversation_id: PublicId,
    body: Annotated[MessageRequest, Depends(Body(MessageRequest))],
    services: UseCases,
    key: IdempotencyKey = None,
) -> ChatResponse | Response:
    """Say something in this conversation: the same as `POST /api/chat` with its id."""
    promise = idempotency("messages", key, body, conversation_id)
    admitted = await services.runs.start(who, body.ask(conversation_id), promise)
    return await answer(request, services, who, admitted, streamed=body.stream)


@router.get("/{message_id}")
async def get_message(
    who: Me, conversation_id: PublicId, message_id: PublicId, services: UseCases
) -> MessageView:
    """One message, on whichever branch."""
    return MessageView.of(await services.messages.get(who, conversation_id, message_id))


@router.put("/{message_id}", name="replace_message", response_model=ChatResponse | MessageView)
@router.patch("/{message_id}", response_model=ChatResponse | MessageView)
async def edit_message(
    request: Request,
    who: Me,
    conversation_id: PublicId,
    message_id: PublicId,
    body: Annotated[Edit, Depends(Body(Edit))],
    services: UseCases,
    key: IdempotencyKey = None,
) -> ChatResponse | MessageView | Response:
    """Put it in other words: a branch begins beside the old message.

    A user's message is answered anew, as `POST /api/chat` does; an answer is replaced as it is.
    PUT and PATCH are the same.
    """
    stored = await services.messages.get(who, conversation_id, message_id)
    if stored.message.role is not Role.USER:
        text = body.content
        revised = await services.messages.revise(who, conversation_id, message_id, text)
        return MessageView.of(revised)
    if len(body.content) > MAX_MESSAGE:
        raise InvalidInput.of("content", f"keep it to {MAX_MESSAGE} characters")
    promise = idempotency("edit", key, body, conversation_id, message_id)
    admitted = await services.runs.edit(who, conversation_id, message_id, body.content, promise)
    return await answer(request, services, who, admitted, streamed=body.stream)


@router.delete("/{message_id}", status_code=204)
async def delete_message(
    who: Me, conversation_id: PublicId, message_id: PublicId, services: UseCases
) -> Response:
    """Delete a message and everything that followed it."""
    await services.messages.delete(who, conversation_id, message_id)
    return Response(status_code=204)


@router.post("/{message_id}/retry", response_model=ChatResponse)
async def retry_message(
    request: Request,
    who: Me,
    conversation_id: PublicId,
    message_id: PublicId,
    body: Annotated[Retry, Depends(Body(Retry, optional=True))],
    services: UseCases,
    key: IdempotencyKey = None,
) -> ChatResponse | Response:
    """Answer once more: the new answer becomes a sibling of the old one."""
    promise = idempotency("retry", key, body, conversation_id, message_id)
    admitted = await services.runs.retry(who, conversation_id, message_id, promise)
    return await answer(request, services, who, admitted, streamed=body.stream)
