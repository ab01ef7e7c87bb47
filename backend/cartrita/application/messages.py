"""Messages of a conversation: read, deleted, revised; sending one is asking for a run."""

import msgspec

from cartrita.application.conversations import (
    Conversations,
    branch_from,
    message_of,
    page_size,
)
from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.messages import Message, MessageStatus, Role, StoredMessage, Text
from cartrita.domain.ports import MessageStore
from cartrita.domain.principals import Principal
from cartrita.kit import clock, ids, pagination
from cartrita.kit.ids import MessageId
from cartrita.kit.pagination import Page
from cartrita.kit.text import storable_text

REVISION_MAX = 200_000
_DEEPEST = 2**30


class Messages:
    """Every method sees what belongs to the principal and nothing else; NotFound for the rest."""

    def __init__(self, store: MessageStore, conversations: Conversations) -> None:
        self._store = store
        self._conversations = conversations

    async def list(
        self,
        principal: Principal,
        conversation: str,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[StoredMessage]:
        """The current branch, the oldest message first; a cursor goes on at a depth of it."""
        size = page_size(limit)
        start = 0 if cursor is None else _depth(cursor)
        tip = (await self._conversations.get(principal, conversation)).head_message_id
        if tip is None:
            return Page([])
        found = await branch_from(self._store, principal, tip, start, start + size + 1)
        following = pagination.encode_cursor(start + size) if len(found) > size else None
        return Page(found[:size], following)

    async def get(self, principal: Principal, conversation: str, message: str) -> StoredMessage:
        """One message, on whatever branch."""
        found = await self._conversations.get(principal, conversation)
        return await message_of(self._store, principal, found, message)

    async def delete(self, principal: Principal, conversation: str, message: str) -> None:
        """It and everything that followed it. Raises Conflict while something is answered there."""
        found = await self.get(principal, conversation, message)
        if not await self._store.delete(principal.owner_id, found.id):
            raise NotFound("There is no such message.", code="message_not_found")

    async def revise(
        self, principal: Principal, conversation: str, message: str, words: str
    ) -> StoredMessage:
        """An answer in other words, beside the first one; the conversation goes on from there."""
        revised = _words(words)
        first = await self.get(principal, conversation, message)
        if first.message.role is not Role.ASSISTANT:
            raise InvalidInput.of("message", "only answers are revised; send a question again")
        revision = msgspec.structs.replace(
            first,
            id=MessageId(ids.uuid7()),
            message=Message(Role.ASSISTANT, (Text(revised),)),
            status=MessageStatus.COMPLETE,
            created_at=clock.now(),
            run_id=None,  # no run's log says these words
            usage=None,
            edited=True,
        )
        await self._store.add(revision, principal.owner_id)
        return revision


def _words(words: str) -> str:
    cleaned = storable_text(words)
    if not cleaned.strip():
        raise InvalidInput.of("message", "write at least one character")
    if len(cleaned) > REVISION_MAX:
        raise InvalidInput.of("message", f"keep it to {REVISION_MAX} characters")
    return cleaned


def _depth(cursor: str) -> int:
    match pagination.decode_cursor(cursor):
        case [int(depth)] if 0 <= depth <= _DEEPEST:
            return depth
        case _:
            raise InvalidInput.of("cursor", "this is not a cursor of this list; begin without one")
