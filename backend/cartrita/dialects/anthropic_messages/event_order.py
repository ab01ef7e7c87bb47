"""The order in which the events of a streamed message come, and what mends another one.

Anthropic's streaming helper raises errors of no documented kind where an event is about a block
that has not begun. Many servers send such events, which programs that read the bare events never
notice: what is easily mended is, all else is passed on as it is. Source: `accumulate_event` in
anthropic/lib/streaming/_messages.py.
"""

from typing import Final, cast

import msgspec

from cartrita.dialects.anthropic_messages.answer_fields import MessageHead, message_fields
from cartrita.dialects.anthropic_messages.response_types import Event
from cartrita.domain.json import JsonObject
from cartrita.kit.ids import uuid7

KNOWN: Final = (
    *("message_start", "message_delta", "message_stop"),
    *("content_block_start", "content_block_delta", "content_block_stop"),
)
"""The events that the order is about."""
_ADDED_TO: Final = {"text_delta": "text", "thinking_delta": "thinking"}
"""By the type of a piece: the field of a block of the same name that it is added to."""


class Mended(msgspec.Struct, frozen=True):
    """What mends the place of an event: events `before` it, and fields that it gets.

    Those `within` are in the object of this name. An event that is not `kept` is left out.
    """

    before: list[JsonObject]
    fields: JsonObject
    within: dict[str, JsonObject]
    kept: bool = True


_LEFT_OUT: Final = Mended([], {}, {}, kept=False)


class EventOrder:
    """Follows the events of one stream.

    `begun` is true once the first one has come. `misplaced` counts those that come where clients do
    not expect them, which nothing mends; pieces like one that came before are not counted again.
    """

    def __init__(self) -> None:
        self.begun = False
        self.misplaced = 0
        self._count = 0
        self._is_renumbered = False
        self._places: dict[int, int] = {}  # of blocks, by the index that the server gives them

    def expects(self, piece: Event) -> bool:
        """Whether a piece needs nothing before it, and stays as it is."""
        return piece.index is not None and self._places.get(piece.index) == piece.index

    def mend(self, event: Event) -> Mended:
        """Take note of an event. Returns what mends its place, nothing as a rule."""
        mended = Mended([], {}, {})
        if event.type == "message_start":
            return self._begin(event, mended)
        if not self.begun and event.type in KNOWN:
            self.begun = True
            head = MessageHead(id=f"msg_{uuid7().hex}", model="")
            mended.before.append({"type": "message_start", "message": message_fields(head)})
        if event.type == "content_block_start":
            self._begin_block(event, mended)
        elif event.type in ("content_block_delta", "content_block_stop"):
            return self._go_on(event, mended)
        return mended

    def _begin(self, event: Event, mended: Mended) -> Mended:
        if self.begun:
            return _LEFT_OUT
        self.begun = True
        content = None if event.message is None else event.message.content
        if content is None:
            mended.within["message"] = {"content": []}
        for _ in content or ():
            self._place(self._count, mended)
        return mended

    def _begin_block(self, event: Event, mended: Mended) -> None:
        kind = (event.content_block or {}).get("type")
        if not isinstance(kind, str):
            self.misplaced += 1
        elif kind in _ADDED_TO.values() and (event.content_block or {}).get(kind) is None:
            mended.within["content_block"] = {kind: ""}
        self._place(_index(event), mended)

    def _go_on(self, event: Event, mended: Mended) -> Mended:
        index = _index(event)
        if index in self._places:
            if self._places[index] != index:
                mended.fields["index"] = self._places[index]
        elif event.delta is None:
            return _LEFT_OUT
        elif event.delta.type in _ADDED_TO and index >= 0:
            field = _ADDED_TO[event.delta.type]
            start: JsonObject = {"index": self._place(index, mended)}
            start["content_block"] = {"type": field, field: ""}
            mended.before.append({"type": "content_block_start", **start})
        else:
            self.misplaced += 1
            self._places[index] = index
        return mended

    def _place(self, index: int, mended: Mended) -> int:
        """Where a block with this index begins; one that begins again stays where it is."""
        again = 0 <= index < self._count and not self._is_renumbered
        place = index if again else self._count
        self._count += 1
        self._places[index] = place
        if place != index:
            self._is_renumbered = True
            mended.fields["index"] = place
        return place


def _index(event: Event) -> int:
    """The index of an event that has one."""
    return cast("int", event.index)
