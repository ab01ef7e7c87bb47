"""The port of summaries."""

from collections.abc import Sequence
from typing import Protocol

from cartrita.domain.ids import MessageId
from cartrita.domain.summaries import Summary


class SummaryStore(Protocol):
    """Keeps the summaries of conversations; they go with their messages."""

    async def first(self, owner_id: str, messages: Sequence[MessageId]) -> Summary | None:
        """The summary of the first of these messages that has one."""
        ...

    async def put(self, owner_id: str, summary: Summary) -> Summary:
        """Store a summary; of a message that has one already, that one stays and is returned."""
        ...
