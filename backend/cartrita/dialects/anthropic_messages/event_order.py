"""The order in which the events of a streamed message come, on which Anthropic's clients rely.

They raise errors of no documented kind where an event is about a block that has not begun.
Source: `accumulate_event` in anthropic/lib/streaming/_messages.py.
"""

from typing import Final

from cartrita.dialects.anthropic_messages.response_types import BlockDelta, Event
from cartrita.domain.json import JsonObject, JsonValue

KNOWN: Final = (
    *("message_start", "message_delta", "message_stop"),
    *("content_block_start", "content_block_delta", "content_block_stop"),
)
"""The events that the order is about."""
_ADDED_TO = {"text_delta": "text", "thinking_delta": "thinking"}
"""By the type of a piece: the field of a block of the same name that it is added to."""


class EventOrder:
    """Follows the events of one stream. `begun` is true once the first one has come."""

    def __init__(self) -> None:
        self.begun = False
        self._blocks: list[JsonObject] = []

    def note(self, event: Event) -> None:
        """Take note of an event. Raises ValueError if clients do not expect it where it is."""
        if event.type == "message_start":
            self._begin(event)
        elif not self.begun and event.type in KNOWN:
            raise ValueError(f"it begins with {event.type}")
        elif event.type == "content_block_start":
            self._begin_block(event)
        elif event.type in ("content_block_delta", "content_block_stop"):
            self._go_on(event)

    def _begin(self, event: Event) -> None:
        if event.message is None or event.message.content is None:
            raise ValueError("its message has no content to which blocks can be added")
        if self.begun:
            raise ValueError("it begins twice")
        self.begun = True
        self._blocks = list(event.message.content)

    def _begin_block(self, event: Event) -> None:
        block = event.content_block or {}
        if event.index is None or event.index > len(self._blocks):
            raise ValueError(f"block {event.index} begins in place of block {len(self._blocks)}")
        if not isinstance(block.get("type"), str):
            raise ValueError("a block has no type")
        self._blocks.append(block)

    def _go_on(self, event: Event) -> None:
        if event.index is None or not 0 <= event.index < len(self._blocks):
            raise ValueError(f"block {event.index} has not begun")
        if event.delta is not None and not _takes(self._blocks[event.index], event.delta):
            raise ValueError(f"there is nothing in block {event.index} to which this can be added")


def _takes(block: JsonObject, delta: BlockDelta) -> bool:
    field = _ADDED_TO.get(delta.type or "")
    value: JsonValue = None if field is None else block.get(field)
    return field is None or block.get("type") != field or isinstance(value, str)
