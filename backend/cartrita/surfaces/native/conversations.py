"""Conversations: made, listed, changed, branched, taken away."""

from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from cartrita.application.conversations import (
    EXTERNAL_ID_MAX,
    PAGE_MAX,
    TAG_MAX,
    TAGS_MAX,
    TITLE_MAX,
)
from cartrita.domain.conversations import ConversationChange, ConversationFilter
from cartrita.domain.principals import Principal
from cartrita.surfaces.native.bodies import Body, Incoming
from cartrita.surfaces.native.dependencies import Me, PublicId, Storable, UseCases
from cartrita.surfaces.native.exports import export
from cartrita.surfaces.native.views import ConversationView, PageOf
from cartrita.surfaces.services import Services

router = APIRouter(prefix="/api/conversations", tags=["conversations"])

Tags: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=TAG_MAX)], ...],
    Field(fail_fast=True, max_length=TAGS_MAX),
]
Title: TypeAlias = Annotated[str, Field(min_length=1, max_length=TITLE_MAX, pattern=r"\S")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=PAGE_MAX)]
PageCursor: TypeAlias = Annotated[
    Storable | None, Query(max_length=500, description="`next_cursor` of the page before.")
]


class NewConversation(Incoming):
    """A conversation to be; without a title it takes one from its first message."""

    title: Title | None = None
    tags: Tags = ()
    metadata: Annotated[dict[str, Any], Field(default_factory=dict)]
    external_id: Annotated[
        str | None,
        Field(
            max_length=EXTERNAL_ID_MAX,
            pattern=r"\S",
            description="An id of your own, unique among yours.",
        ),
    ] = None


class ConversationPatch(Incoming):
    """What to change; what is left out stays as it is."""

    title: Title | None = None
    archived: bool | None = None
    pinned: bool | None = None
    tags: Tags | None = None
    metadata: dict[str, Any] | None = None

    def change(self) -> ConversationChange:
        return ConversationChange(
            title=self.title,
            archived=self.archived,
            pinned=self.pinned,
            tags=self.tags,
            metadata=self.metadata,
        )


class Fork(Incoming):
    """Where the branch that is copied ends: without it at the conversation's end."""

    message_id: Annotated[str | None, Field(max_length=255)] = None


@router.get("")
async def list_conversations(
    who: Me,
    services: UseCases,
    archived: Annotated[
        Literal["true", "false", "any"], Query(description="Which of both, or `any`.")
    ] = "false",
    pinned: bool | None = None,
    tag: Annotated[Storable | None, Query(max_length=TAG_MAX)] = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> PageOf[ConversationView]:
    """Your conversations: pinned first, then the latest change first."""
    wanted = ConversationFilter(archived=_ARCHIVED[archived], pinned=pinned, tag=tag)
    page = await services.conversations.list(who, wanted, limit, cursor)
    views = [ConversationView.of(conversation) for conversation in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


_ARCHIVED = {"true": True, "false": False, "any": None}


@router.post("", status_code=201)
async def create_conversation(
    who: Me, body: Annotated[NewConversation, Depends(Body(NewConversation))], services: UseCases
) -> ConversationView:
    """Make an empty conversation."""
    made = await services.conversations.create(
        who,
        title=body.title,
        tags=body.tags,
        metadata=body.metadata,
        external_id=body.external_id,
    )
    return ConversationView.of(made)


@router.get("/{conversation_id}")
async def get_conversation(
    who: Me, conversation_id: PublicId, services: UseCases
) -> ConversationView:
    """One conversation; its messages have an address of their own."""
    return ConversationView.of(await services.conversations.get(who, conversation_id))


@router.put("/{conversation_id}", name="replace_conversation")
@router.patch("/{conversation_id}")
async def change_conversation(
    who: Me,
    conversation_id: PublicId,
    body: Annotated[ConversationPatch, Depends(Body(ConversationPatch))],
    services: UseCases,
) -> ConversationView:
    """Rename, tag, pin or archive. PUT and PATCH are the same."""
    return await _change(who, conversation_id, services, body.change())


@router.delete("/{conversation_id}", status_code=204)
async def delete_conversation(who: Me, conversation_id: PublicId, services: UseCases) -> Response:
    """Delete it with its messages, runs, events and search entries; what runs is cancelled."""
    await services.conversations.delete(who, conversation_id)
    return Response(status_code=204)


@router.post("/{conversation_id}/archive")
async def archive_conversation(
    who: Me, conversation_id: PublicId, services: UseCases
) -> ConversationView:
    """Put it away: lists leave it out."""
    return await _change(who, conversation_id, services, ConversationChange(archived=True))


@router.delete("/{conversation_id}/archive")
async def unarchive_conversation(
    who: Me, conversation_id: PublicId, services: UseCases
) -> ConversationView:
    """Take it out again."""
    return await _change(who, conversation_id, services, ConversationChange(archived=False))


@router.post("/{conversation_id}/pin")
async def pin_conversation(
    who: Me, conversation_id: PublicId, services: UseCases
) -> ConversationView:
    """Keep it at the top."""
    return await _change(who, conversation_id, services, ConversationChange(pinned=True))


@router.delete("/{conversation_id}/pin")
async def unpin_conversation(
    who: Me, conversation_id: PublicId, services: UseCases
) -> ConversationView:
    """Let it sink."""
    return await _change(who, conversation_id, services, ConversationChange(pinned=False))


@router.post("/{conversation_id}/fork", status_code=201)
async def fork_conversation(
    who: Me,
    conversation_id: PublicId,
    body: Annotated[Fork, Depends(Body(Fork, optional=True))],
    services: UseCases,
) -> ConversationView:
    """Copy its current branch, or the one that ends at a message, into a new conversation."""
    copy = await services.conversations.fork(who, conversation_id, body.message_id)
    return ConversationView.of(copy)


@router.get("/{conversation_id}/export", response_class=Response)
async def export_conversation(
    who: Me,
    conversation_id: PublicId,
    services: UseCases,
    format: Literal["json", "markdown"] = "json",  # noqa: A002 - the parameter's name on the wire
) -> Response:
    """Download the current branch as a file."""
    conversation, transcript = await services.conversations.transcript(who, conversation_id)
    return export(conversation, transcript, format)


async def _change(
    who: Principal, conversation_id: str, services: Services, change: ConversationChange
) -> ConversationView:
    changed = await services.conversations.change(who, conversation_id, change)
    return ConversationView.of(changed)
