"""Conversation endpoints: create, list, change, fork, export, delete."""

from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from cartrita.application.conversations.conversations import (
    EXTERNAL_ID_MAX,
    TAG_MAX,
    TAGS_MAX,
    TITLE_MAX,
)
from cartrita.domain.conversations import ConversationChange, ConversationFilter
from cartrita.domain.principals import Principal
from cartrita.surfaces.dependencies import STORED, AppServices, CurrentPrincipal, PublicId, Storable
from cartrita.surfaces.native.exports import EXPORTED, export
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.native.request_bodies import JsonBody, RequestModel
from cartrita.surfaces.native.schemas import ConversationView
from cartrita.surfaces.services import Services

router = APIRouter(prefix="/api/conversations", tags=["conversations"], dependencies=STORED)

Tags: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=TAG_MAX)], ...],
    Field(fail_fast=True, max_length=TAGS_MAX),
]
Title: TypeAlias = Annotated[str, Field(min_length=1, max_length=TITLE_MAX, pattern=r"\S")]


class NewConversation(RequestModel):
    """A new conversation; without a title it gets one from its first message."""

    title: Title | None = None
    tags: Tags = ()
    metadata: Annotated[dict[str, Any], Field(default_factory=dict)]
    external_id: Annotated[
        str | None,
        Field(
            max_length=EXTERNAL_ID_MAX,
            pattern=r"^[^/?#]*[^/?#.\s][^/?#]*$",
            description="An id of your own, unique among yours; without `/`, `?` and `#`.",
        ),
    ] = None


class ConversationPatch(RequestModel):
    """The fields to change."""

    title: Title | None = None
    archived: bool | None = None
    pinned: bool | None = None
    tags: Tags | None = None
    metadata: dict[str, Any] | None = None

    def to_change(self) -> ConversationChange:
        return ConversationChange(
            title=self.title,
            archived=self.archived,
            pinned=self.pinned,
            tags=self.tags,
            metadata=self.metadata,
        )


class ForkRequest(RequestModel):
    """The last message to copy; the end of the conversation without it."""

    message_id: Annotated[str | None, Field(max_length=255)] = None


@router.get("")
async def list_conversations(
    principal: CurrentPrincipal,
    services: AppServices,
    archived: Annotated[
        Literal["true", "false", "any"],
        Query(description="Archived ones, the others, or `any`."),
    ] = "false",
    pinned: bool | None = None,
    tag: Annotated[Storable | None, Query(max_length=TAG_MAX)] = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> PageOf[ConversationView]:
    """List your conversations: pinned ones first, then by latest change."""
    filter_ = ConversationFilter(archived=_ARCHIVED_FILTER[archived], pinned=pinned, tag=tag)
    page = await services.conversations.list(principal, filter_, limit, cursor)
    views = [ConversationView.of(conversation) for conversation in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


_ARCHIVED_FILTER = {"true": True, "false": False, "any": None}


@router.post("", status_code=201)
async def create_conversation(
    principal: CurrentPrincipal,
    body: Annotated[NewConversation, Depends(JsonBody(NewConversation))],
    services: AppServices,
) -> ConversationView:
    """Create an empty conversation."""
    created = await services.conversations.create(
        principal,
        title=body.title,
        tags=body.tags,
        metadata=body.metadata,
        external_id=body.external_id,
    )
    return ConversationView.of(created)


@router.get("/{conversation_id}")
async def get_conversation(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> ConversationView:
    """Get one conversation without its messages."""
    return ConversationView.of(await services.conversations.get(principal, conversation_id))


@router.put("/{conversation_id}", name="replace_conversation")
@router.patch("/{conversation_id}")
async def change_conversation(
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    body: Annotated[ConversationPatch, Depends(JsonBody(ConversationPatch))],
    services: AppServices,
) -> ConversationView:
    """Rename, tag, pin or archive a conversation. PUT and PATCH are the same."""
    return await _change(principal, conversation_id, services, body.to_change())


@router.delete("/{conversation_id}", status_code=204)
async def delete_conversation(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> Response:
    """Delete a conversation with its messages, runs and events. Active runs are cancelled."""
    await services.conversations.delete(principal, conversation_id)
    return Response(status_code=204)


@router.post("/{conversation_id}/archive")
async def archive_conversation(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> ConversationView:
    """Archive a conversation: lists omit it by default."""
    return await _change(principal, conversation_id, services, ConversationChange(archived=True))


@router.delete("/{conversation_id}/archive")
async def unarchive_conversation(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> ConversationView:
    """Unarchive a conversation."""
    return await _change(principal, conversation_id, services, ConversationChange(archived=False))


@router.post("/{conversation_id}/pin")
async def pin_conversation(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> ConversationView:
    """Pin a conversation to the top of lists."""
    return await _change(principal, conversation_id, services, ConversationChange(pinned=True))


@router.delete("/{conversation_id}/pin")
async def unpin_conversation(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> ConversationView:
    """Unpin a conversation."""
    return await _change(principal, conversation_id, services, ConversationChange(pinned=False))


@router.post("/{conversation_id}/fork", status_code=201)
async def fork_conversation(
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    body: Annotated[ForkRequest, Depends(JsonBody(ForkRequest, optional=True))],
    services: AppServices,
) -> ConversationView:
    """Copy the current branch, or the one that ends at a message, into a new conversation."""
    copy = await services.conversations.fork(principal, conversation_id, body.message_id)
    return ConversationView.of(copy)


@router.get("/{conversation_id}/export", response_class=Response, responses=EXPORTED)
async def export_conversation(
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    services: AppServices,
    format: Literal["json", "markdown"] = "json",  # noqa: A002 - the parameter's name on the wire
) -> Response:
    """Download the current branch as a file."""
    conversation, transcript = await services.conversations.transcript(principal, conversation_id)
    return export(conversation, transcript, format)


async def _change(
    principal: Principal, conversation_id: str, services: Services, change: ConversationChange
) -> ConversationView:
    changed = await services.conversations.change(principal, conversation_id, change)
    return ConversationView.of(changed)
