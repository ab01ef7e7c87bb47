"""Summaries of what a history has no room for, made once and given to the model from then on."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.messages import (
    Attachment,
    Message,
    Part,
    Refusal,
    Role,
    StoredMessage,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.ports.summaries import SummaryStore
from cartrita.domain.summaries import Summary
from cartrita.kit.text import shortened

log = structlog.get_logger(__name__)

_LONGEST: Final = 120_000
"""Characters of messages that one summary is made of; of each a part, if there are more."""
_SHORTEST: Final = 200
_GIVEN: Final = (
    "[The server: the beginning of this conversation is left out here, because it is long. This is "
    "a summary of its first {count} messages.]\n\n{text}"
)


class Summarizer(Protocol):
    """Asks a model for summaries, for one run."""

    @property
    def model(self) -> str:
        """What writes them, as `provider/model`."""
        ...

    async def summarize(self, text: str) -> str | None:
        """A summary of messages that are written out; None if that failed. Raises LeaseLost."""
        ...

    async def used(self, messages: int) -> None:
        """Told that the model is given a summary of so many messages. Raises LeaseLost."""
        ...


class HistorySummaries:
    """Finds and makes summaries; `kept` is the share of the room that stays as it was."""

    def __init__(self, store: SummaryStore, *, kept: float) -> None:
        self._store = store
        self.kept = kept

    async def find(
        self, owner_id: str, newest_first: Sequence[StoredMessage]
    ) -> tuple[Summary | None, int]:
        """The latest summary of a branch, and how many of its messages come after that."""
        ids = [stored.id for stored in newest_first[1:]]  # what is answered now is none of it
        try:
            found = await self._store.first(owner_id, ids)
        except CartritaError as error:
            log.info("summary_not_found", code=error.code)
            found = None
        return found, 1 + (len(ids) if found is None else ids.index(found.message_id))

    async def make(
        self,
        owner_id: str,
        before: Summary | None,
        newest_first: Sequence[StoredMessage],
        summarizer: Summarizer,
    ) -> Summary | None:
        """A summary of these messages, and of what `before` stands for; None if that failed."""
        messages = [stored.message for stored in reversed(newest_first)]
        text = await summarizer.summarize(_written(before, messages))
        if not text:
            return None
        summary = Summary(message_id=newest_first[0].id, text=text, model=summarizer.model)
        try:
            return await self._store.put(owner_id, summary)
        except CartritaError as error:
            log.info("summary_not_stored", code=error.code)
            return None


def summary_message(summary: Summary, count: int) -> Message:
    """The message that a model is given for a summary of `count` messages."""
    return Message(Role.USER, (Text(_GIVEN.format(count=count, text=summary.text)),))


def _written(before: Summary | None, messages: Sequence[Message]) -> str:
    most = max(_SHORTEST, _LONGEST // max(1, len(messages)))
    lines = [] if before is None else [f"[Summary of what came before]\n{before.text}"]
    lines += [f"[{message.role}]\n{shortened(_text(message.parts), most)}" for message in messages]
    return "\n\n".join(lines)


def _text(parts: Iterable[Part]) -> str:
    return "\n".join(filter(None, map(_line, parts)))


def _line(part: Part) -> str:
    match part:
        case Text() | Refusal():
            return part.text
        case ToolCall():
            return f"(calls {part.name} with {msgspec.json.encode(part.arguments).decode()})"
        case ToolResult():
            return f"(result: {shortened(part.text, 1000)})"
        case Attachment():
            return f"(file {part.name or part.media_type})"
        case _:
            return ""
