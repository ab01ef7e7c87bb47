"""Conversations: created, listed, changed, forked, exported, deleted."""

import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from typing import cast

import msgspec

from cartrita.application.conversations.titles import UNTITLED
from cartrita.domain.conversations import Conversation, ConversationChange, ConversationFilter
from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import StoredMessage
from cartrita.domain.ports.conversations import ConversationRemoval, ConversationStore, MessageStore
from cartrita.domain.ports.runs import RunCancellation, RunReader
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.kit import clock, ids
from cartrita.kit.pagination import Page
from cartrita.kit.text import storable_json, storable_text

TITLE_MAX = 200
TAGS_MAX = 50
TAG_MAX = 64
METADATA_MAX_BYTES = 16 << 10
NESTING_MAX = 32
EXTERNAL_ID_MAX = 200
PAGE_MAX = 200
_TRANSCRIPT_PAGE = 200
_ADDRESSABLE = re.compile(r"[^/?#]*[^/?#.\s][^/?#]*")
"""What can be one step of a path: servers and proxies decode `%2F`, and clients resolve dots."""


class Conversations:
    """Conversations of the principal. Those of other owners raise NotFound like missing ones."""

    def __init__(
        self,
        store: ConversationStore,
        removal: ConversationRemoval,
        messages: MessageStore,
        runs: RunReader,
        cancellation: RunCancellation,
    ) -> None:
        self._store = store
        self._removal = removal
        self._messages = messages
        self._runs = runs
        self._cancellation = cancellation

    async def create(
        self,
        principal: Principal,
        *,
        title: str | None = None,
        tags: Iterable[str] = (),
        metadata: JsonObject | None = None,
        external_id: str | None = None,
    ) -> Conversation:
        """Create an empty conversation. `external_id` is an id that the caller chose.

        Raises InvalidInput, and Conflict if the external id is taken.
        """
        now = clock.now()
        conversation = Conversation(
            id=ConversationId(ids.uuid7()),
            owner_id=principal.owner_id,
            title=_validated_title(title or "") or UNTITLED,
            created_at=now,
            updated_at=now,
            external_id=None if external_id is None else _validated_external_id(external_id),
            tags=_validated_tags(tags),
            metadata=_validated_metadata(metadata or {}),
        )
        await self._store.create(conversation)
        return conversation

    async def get(self, principal: Principal, public_id: str) -> Conversation:
        """Find a conversation by its id or its external id. Raises NotFound."""
        found = await self._store.find(principal.owner_id, public_id)
        if found is None:
            raise NotFound.of("conversation")
        return found

    async def find_or_name(self, principal: Principal, public_id: str) -> Conversation | str:
        """A conversation, or this id itself if a new one can have it as its external id.

        Raises NotFound for an id of this server, and InvalidInput.
        """
        found = await self._store.find(principal.owner_id, public_id)
        if found is not None:
            return found
        if ids.parse("conv", public_id) is not None:
            raise NotFound.of("conversation")
        return _validated_external_id(public_id, "conversation_id")

    async def list(
        self,
        principal: Principal,
        filter_: ConversationFilter,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Conversation]:
        """One page: pinned conversations first, then by latest change. Raises InvalidInput."""
        if filter_.tag is not None:
            filter_ = msgspec.structs.replace(filter_, tag=storable_text(filter_.tag))
        return await self._store.list(
            principal.owner_id, filter_, validated_page_size(limit), cursor
        )

    async def change(
        self, principal: Principal, public_id: str, change: ConversationChange
    ) -> Conversation:
        """Change the given fields. Raises InvalidInput and NotFound."""
        validated = _validated_change(change)
        conversation = await self.get(principal, public_id)
        changed = await self._store.change(principal.owner_id, conversation.id, validated)
        if changed is None:
            raise NotFound.of("conversation")
        return changed

    async def delete(self, principal: Principal, public_id: str) -> None:
        """Hide a conversation, cancel its active runs, then delete its rows. Raises NotFound."""
        conversation = await self.get(principal, public_id)
        await self._removal.hide(principal.owner_id, conversation.id)
        for run_id in await self._runs.active(principal.owner_id, conversation.id):
            with suppress(NotFound):  # it has ended and was deleted already
                await self._cancellation.cancel(principal.owner_id, run_id)
        await self._removal.purge(conversation.id)

    async def unfinished_runs(self, principal: Principal, public_id: str) -> tuple[Run, ...]:
        """Its runs that have not ended, the one that answers first. Raises NotFound."""
        conversation = await self.get(principal, public_id)
        found = await self._runs.active(principal.owner_id, conversation.id)
        runs = [await self._runs.get(principal.owner_id, each) for each in found]
        return tuple(run for run in runs if not run.status.ended)

    async def fork(
        self, principal: Principal, public_id: str, message_id: str | None = None
    ) -> Conversation:
        """Copy the branch that ends at a message, or at the head, into a new conversation."""
        origin = await self.get(principal, public_id)
        tip = origin.head_message_id
        if message_id is not None:
            tip = (await find_message(self._messages, principal, origin, message_id)).id
        now = clock.now()
        fork = Conversation(
            id=ConversationId(ids.uuid7()),
            owner_id=principal.owner_id,
            title=origin.title,
            created_at=now,
            updated_at=now,
            tags=origin.tags,
            metadata=origin.metadata,
        )
        if tip is not None:
            return await self._messages.copy(principal.owner_id, tip, fork)
        await self._store.create(fork)
        return fork

    async def transcript(
        self, principal: Principal, public_id: str
    ) -> tuple[Conversation, AsyncGenerator[StoredMessage]]:
        """A conversation and all messages of its current branch, oldest first."""
        conversation = await self.get(principal, public_id)
        return conversation, self._oldest_first(principal, conversation.head_message_id)

    async def _oldest_first(
        self, principal: Principal, tip: MessageId | None
    ) -> AsyncGenerator[StoredMessage]:
        start = 0
        while tip is not None:
            end = start + _TRANSCRIPT_PAGE
            page = await read_branch(self._messages, principal, tip, start, end)
            for message in page:
                yield message
            if len(page) < _TRANSCRIPT_PAGE:
                return
            start = end


async def read_branch(
    messages: MessageStore, principal: Principal, tip: MessageId, start: int, end: int
) -> list[StoredMessage]:
    """The messages of a branch with `start <= depth < end`, oldest first."""
    page = await messages.branch(principal.owner_id, tip, end - start, below_depth=end)
    return [message for message in reversed(page) if message.depth >= start]


async def find_message(
    messages: MessageStore, principal: Principal, conversation: Conversation, public_id: str
) -> StoredMessage:
    """A message of this conversation, on any branch. Raises NotFound."""
    parsed = ids.parse("msg", public_id)
    if parsed is not None:
        found = await messages.get(principal.owner_id, MessageId(parsed))
        if found is not None and found.conversation_id == conversation.id:
            return found
    raise NotFound.of("message")


def validated_page_size(limit: int) -> int:
    """The limit itself. Raises InvalidInput if it is out of range."""
    if not 1 <= limit <= PAGE_MAX:
        raise InvalidInput.of("limit", f"choose a number from 1 to {PAGE_MAX}")
    return limit


def _validated_change(change: ConversationChange) -> ConversationChange:
    title = None if change.title is None else _validated_title(change.title)
    if title == "":
        raise InvalidInput.of("title", "write at least one character")
    return msgspec.structs.replace(
        change,
        title=title,
        tags=None if change.tags is None else _validated_tags(change.tags),
        metadata=None if change.metadata is None else _validated_metadata(change.metadata),
    )


def _validated_title(title: str) -> str:
    cleaned = " ".join(storable_text(title).split())
    if len(cleaned) > TITLE_MAX:
        raise InvalidInput.of("title", f"keep it to {TITLE_MAX} characters")
    return cleaned


def _validated_tags(tags: Iterable[str]) -> tuple[str, ...]:
    cleaned = tuple(dict.fromkeys(storable_text(tag).strip() for tag in tags))
    if len(cleaned) > TAGS_MAX:
        raise InvalidInput.of("tags", f"use at most {TAGS_MAX}")
    if not all(0 < len(tag) <= TAG_MAX for tag in cleaned):
        raise InvalidInput.of("tags", f"each needs 1 to {TAG_MAX} characters")
    return cleaned


def _validated_metadata(metadata: JsonObject) -> JsonObject:
    try:
        cleaned = storable_json(metadata)
        deep = _nesting(cleaned) > NESTING_MAX
    except RecursionError:
        deep, cleaned = True, {}
    if deep:
        raise InvalidInput.of("metadata", f"nest it at most {NESTING_MAX} deep")
    if len(msgspec.json.encode(cleaned)) > METADATA_MAX_BYTES:
        raise InvalidInput.of("metadata", f"keep it to {METADATA_MAX_BYTES} bytes of JSON")
    return msgspec.convert(cleaned, JsonObject)


def _nesting(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_nesting, cast("dict[str, object]", value).values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_nesting, cast("list[object]", value)), default=0)
    return 0


def is_addressable(public_id: str) -> bool:
    """Whether the id of a conversation, ours or a caller's, can stand in an address."""
    return len(public_id) <= EXTERNAL_ID_MAX and _ADDRESSABLE.fullmatch(public_id) is not None


def _validated_external_id(external_id: str, field: str = "external_id") -> str:
    if not external_id.strip() or len(external_id) > EXTERNAL_ID_MAX:
        raise InvalidInput.of(field, f"it needs 1 to {EXTERNAL_ID_MAX} characters")
    if storable_text(external_id) != external_id:
        raise InvalidInput.of(field, "it holds a character that cannot be stored")
    if not _ADDRESSABLE.fullmatch(external_id):
        raise InvalidInput.of(
            field, "it cannot stand in an address; leave out /, ? and #, and use more than dots"
        )
    if ids.parse("conv", external_id) is not None:
        raise InvalidInput.of(field, "it looks like an id of this server; choose another")
    return external_id
