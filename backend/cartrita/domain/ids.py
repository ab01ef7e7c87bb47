"""The types of the ids of conversations, messages and runs."""

from typing import NewType
from uuid import UUID

from cartrita.kit import ids

ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
RunId = NewType("RunId", UUID)


def public_conversation_id(conversation_id: ConversationId, external_id: str | None) -> str:
    """The id by which callers know a conversation: the one that they chose, if they did."""
    return external_id or ids.public("conv", conversation_id)
