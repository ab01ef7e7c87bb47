"""The types of the ids of conversations, messages and runs."""

from typing import NewType
from uuid import UUID

ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
RunId = NewType("RunId", UUID)
