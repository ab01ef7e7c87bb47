"""The port of feedback."""

from typing import Protocol

from cartrita.domain.feedback import Feedback
from cartrita.domain.ids import MessageId


class FeedbackStore(Protocol):
    """Keeps the latest feedback on each answer; it goes with its message."""

    async def put(self, owner_id: str, feedback: Feedback) -> None:
        """Store it, over what was there. Raises NotFound where the message is gone."""
        ...

    async def get(self, owner_id: str, message_id: MessageId) -> Feedback | None:
        """The feedback on an answer."""
        ...

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        """Take it back; whether there was any."""
        ...
