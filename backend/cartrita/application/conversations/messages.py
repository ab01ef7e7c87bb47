"""Messages of a conversation: listed, read, added, revised, deleted.

A message that is to be answered is sent by starting a run (see `runs.py`).
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from uuid import UUID

import msgspec

from cartrita.application.conversations.conversations import (
    Conversations,
    find_message,
    read_branch,
    validated_page_size,
)
from cartrita.application.conversations.placement import regrouped
from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.ids import MessageId
from cartrita.domain.messages import Message, MessageStatus, Role, StoredMessage, Text
from cartrita.domain.ports.conversations import ItemStore, MessageStore
from cartrita.domain.principals import Principal
from cartrita.kit import clock, ids, pagination
from cartrita.kit.pagination import Page
from cartrita.kit.text import storable_text

REVISION_MAX = 200_000
_MAX_DEPTH = 2**30


class Messages:
    """Messages of the principal. Those of other owners raise NotFound like missing ones."""

    def __init__(self, store: MessageStore, items: ItemStore, conversations: Conversations) -> None:
        self._store = store
        self._items = items
        self._conversations = conversations

    async def append(
        self, principal: Principal, conversation: str, new: Sequence[Message]
    ) -> list[StoredMessage]:
        """Add messages at the end of the current branch, without an answer.

        They are stored as `placement.regrouped` has them. Raises NotFound, and Conflict while a
        run is active there.
        """
        found = await self._conversations.get(principal, conversation)
        added = await self._items.append(principal.owner_id, found.id, regrouped(new))
        named = found.external_id
        return [msgspec.structs.replace(message, external_id=named) for message in added]

    async def find_owners(
        self, principal: Principal, names: Collection[str]
    ) -> dict[str, StoredMessage]:
        """The messages of these ids, and the answers of the runs of these ids, by the ids.

        Those that are not there are left out.
        """
        identities = {name: found for name in names if (found := ids.parse("msg", name))}
        stored = await self._items.find(principal.owner_id, list(set(identities.values())))
        known: dict[UUID | None, StoredMessage] = {one.run_id: one for one in stored}
        known |= {one.id: one for one in stored}
        return {name: known[found] for name, found in identities.items() if found in known}

    async def list(
        self,
        principal: Principal,
        conversation: str,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[StoredMessage]:
        """One page of the current branch, oldest message first; the cursor holds a depth."""
        size = validated_page_size(limit)
        start = 0 if cursor is None else _depth_of(cursor)
        tip = (await self._conversations.get(principal, conversation)).head_message_id
        if tip is None:
            return Page([])
        found = await read_branch(self._store, principal, tip, start, start + size + 1)
        following = pagination.encode_cursor(start + size) if len(found) > size else None
        return Page(found[:size], following)

    async def walk(
        self,
        principal: Principal,
        conversation: str,
        *,
        start: StoredMessage | None = None,
        newest_first: bool = False,
        step: int = 50,
    ) -> AsyncGenerator[StoredMessage]:
        """The current branch message by message, from the one at the depth of `start` on.

        Reads `step` messages at a time, and no more of them than are taken. Raises NotFound.
        """
        tip = (await self._conversations.get(principal, conversation)).head_message_id
        if tip is None:
            return
        depth = None if start is None else start.depth
        following = depth or 0
        below = None if depth is None else depth + 1
        while True:
            if newest_first:
                found = await self._store.branch(principal.owner_id, tip, step, below)
            else:
                end = following + step
                found = await read_branch(self._store, principal, tip, following, end)
            for message in found:
                yield message
            if len(found) < step:
                return
            following, below = found[-1].depth + 1, found[-1].depth

    async def get(self, principal: Principal, conversation: str, message: str) -> StoredMessage:
        """One message, on any branch. Raises NotFound."""
        found = await self._conversations.get(principal, conversation)
        return await find_message(self._store, principal, found, message)

    async def delete(self, principal: Principal, conversation: str, message: str) -> None:
        """Delete a message and all that follow it. Raises Conflict while a run is active there."""
        found = await self.get(principal, conversation, message)
        if not await self._store.delete(principal.owner_id, found.id):
            raise NotFound.of("message")

    async def remove(self, principal: Principal, conversation: str, message: str) -> None:
        """Take one message out of its branch; what follows it stays.

        Raises NotFound, and Conflict while a run is active there.
        """
        found = await self.get(principal, conversation, message)
        if not await self._items.remove(principal.owner_id, found.conversation_id, found.id):
            raise NotFound.of("message")

    async def revise(
        self, principal: Principal, conversation: str, message: str, content: str
    ) -> StoredMessage:
        """Replace the text of an answer: adds a sibling, which becomes the conversation's head."""
        revised = _validated_text(content)
        first = await self.get(principal, conversation, message)
        if first.message.role is not Role.ASSISTANT:
            raise InvalidInput.of("message", "only answers are revised; send a question again")
        revision = msgspec.structs.replace(
            first,
            id=MessageId(ids.uuid7()),
            message=Message(Role.ASSISTANT, (Text(revised),)),
            status=MessageStatus.COMPLETE,
            created_at=clock.now(),
            run_id=None,  # the text comes from no run
            usage=None,
            edited=True,
        )
        await self._store.add(revision, principal.owner_id)
        return revision


def _validated_text(content: str) -> str:
    cleaned = storable_text(content)
    if not cleaned.strip():
        raise InvalidInput.of("message", "write at least one character")
    if len(cleaned) > REVISION_MAX:
        raise InvalidInput.of("message", f"keep it to {REVISION_MAX} characters")
    return cleaned


def _depth_of(cursor: str) -> int:
    match pagination.decode_cursor(cursor):
        case [int(depth)] if 0 <= depth <= _MAX_DEPTH:
            return depth
        case _:
            raise InvalidInput.of("cursor", "this is not a cursor of this list; begin without one")
