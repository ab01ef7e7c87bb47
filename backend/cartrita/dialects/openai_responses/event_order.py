"""The order in which the events of a streamed response come, and what mends another one.

OpenAI's streaming helper raises errors of no documented kind where an event is about an item that
has not begun, or where an item or the response becomes another one. Many servers send such events,
which programs that read the bare events never notice: what is easily mended is, all else is passed
on as it is. Source: `ResponseStreamState` in openai/lib/streaming/responses/_responses.py.
"""

from collections.abc import Callable
from typing import Final, cast

import msgspec

from cartrita.dialects.openai_responses import response_types as wire
from cartrita.dialects.openai_responses.response_objects import ResponseHead, response_object
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.kit.ids import uuid7

_LIFECYCLE: Final = (
    *("response.created", "response.queued", "response.in_progress"),
    *("response.completed", "response.incomplete", "response.failed"),
)
_OF_MESSAGES: Final = ("output_text", "refusal")
_MOST_EMPTY_PARTS: Final = 8
_PART: Final[JsonObject] = {"part": {"type": "output_text", "text": "", "annotations": []}}


class Mended(msgspec.Struct, frozen=True):
    """What mends the place of an event: events `before` it, and fields `within` its objects."""

    before: list[JsonObject]
    within: dict[str, JsonObject]

    def add(self, kind: str, event: wire.Event, fields: JsonObject) -> None:
        """Add an event of this type before the one that lacks it."""
        told: JsonObject = {"type": kind, "sequence_number": event.sequence_number, **fields}
        if event.output_index is not None:
            told["output_index"] = event.output_index
        self.before.append(told)


class EventOrder:
    """Follows the events of one stream.

    `begun` is true once the first one has come. `misplaced` counts those that come where clients do
    not expect them, which nothing mends; pieces like one that came before are not counted again.
    """

    def __init__(self) -> None:
        self.begun = False
        self.misplaced = 0
        self._response_id: str | None = None
        self._items: dict[int, JsonObject] = {}
        self._parts: dict[int, int] = {}  # how many have begun, by the place of their message
        self._texts: set[tuple[int | None, int | None]] = set()  # where text needs no more care

    def expects(self, delta: wire.Event) -> bool:
        """Whether a piece needs nothing before it."""
        if delta.type == "response.output_text.delta":
            return (delta.output_index, delta.content_index) in self._texts
        return self.begun

    def mend(self, event: wire.Event) -> Mended:
        """Take note of an event. Returns what mends its place, nothing as a rule."""
        mended = Mended([], {})
        if not self.begun:
            self._begin(event, mended)
        note = _NOTES.get(event.type)
        if note is not None:
            note(self, event, mended)
        return mended

    def lifecycle(self, event: wire.Event, mended: Mended) -> None:
        """An event with the response, which stays the same one."""
        told = _text(cast("JsonObject", event.response).get("id"))
        if told != self._response_id and self._response_id is not None:
            mended.within["response"] = {"id": self._response_id}

    def item_added(self, event: wire.Event, _mended: Mended) -> None:
        """An item begins, where there is none yet; some servers do not say which."""
        if not isinstance(event.item, dict):
            return
        if event.output_index is None or event.output_index in self._items:
            self.misplaced += 1
        else:
            self._add(event.output_index, event.item)

    def item_done(self, event: wire.Event, mended: Mended) -> None:
        """An item ends, as the one that it was: many servers give it another id."""
        begun = self._items.get(-1 if event.output_index is None else event.output_index)
        item = event.item
        if begun is None or not isinstance(item, dict):
            return
        if any(begun.get(name) != item.get(name) for name in ("type", "call_id")):
            self.misplaced += 1
        elif begun.get("id") not in (None, item.get("id")):
            mended.within["item"] = {"id": begun["id"]}

    def part_added(self, event: wire.Event, mended: Mended) -> None:
        """A part of a message begins, after those before it."""
        if event.part is None or event.part.type not in _OF_MESSAGES:
            return
        if self._has_parts(event, mended, event.content_index):
            self._add_part(cast("int", event.output_index))

    def text(self, event: wire.Event, mended: Mended) -> None:
        """Text of a part, which has begun."""
        if self.expects(event):
            return
        content = event.content_index
        count = None if content is None or content < 0 else content + 1
        if not self._has_parts(event, mended, count):
            self.misplaced += 1
        self._texts.add((event.output_index, content))

    def arguments(self, event: wire.Event, _mended: Mended) -> None:
        """Arguments of a call, which has begun."""
        item = self._items.get(-1 if event.output_index is None else event.output_index)
        if item is None or item.get("type") != "function_call":
            self.misplaced += 1

    def _begin(self, event: wire.Event, mended: Mended) -> None:
        self.begun = True
        response = event.response if isinstance(event.response, dict) else {}
        if event.type != "response.created":
            response = _beginning(response)
            mended.add("response.created", event, {"response": response})
        self._response_id = _text(response.get("id"))
        for place, item in enumerate(_listed(response.get("output"))):
            self._add(place, item if isinstance(item, dict) else {})

    def _has_parts(self, event: wire.Event, mended: Mended, count: int | None) -> bool:
        """Whether so many parts of a message have begun, or begin now."""
        place = event.output_index
        if place is None or count is None:
            return False
        if place >= 0 and place not in self._items:
            message = _message(event.item_id)
            self._add(place, message)
            mended.add("response.output_item.added", event, {"item": message})
        begun = self._parts.get(place)
        if begun is None or not begun <= count <= begun + _MOST_EMPTY_PARTS:
            return False
        for content in range(begun, count):
            self._add_part(place)
            part = {"content_index": content, "item_id": self._items[place].get("id"), **_PART}
            mended.add("response.content_part.added", event, part)
        return True

    def _add(self, place: int, item: JsonObject) -> None:
        self._items[place] = item
        if item.get("type") == "message":
            self._parts[place] = 0
            for _ in _listed(item.get("content")):
                self._add_part(place)

    def _add_part(self, place: int) -> None:
        self._texts.add((place, self._parts[place]))
        self._parts[place] += 1


_NOTES: Final[dict[str, Callable[[EventOrder, wire.Event, Mended], None]]] = {
    **dict.fromkeys(_LIFECYCLE, EventOrder.lifecycle),
    "response.output_item.added": EventOrder.item_added,
    "response.output_item.done": EventOrder.item_done,
    "response.content_part.added": EventOrder.part_added,
    "response.output_text.delta": EventOrder.text,
    "response.output_text.done": EventOrder.text,
    "response.function_call_arguments.delta": EventOrder.arguments,
}


def _beginning(response: JsonObject) -> JsonObject:
    """The response of an event as it began; one without a name if the event has none."""
    head = ResponseHead(id=f"resp_{uuid7().hex}", created_at=0, model="", store=False)
    begun = response_object(head, "in_progress", [])
    changed = ("status", "output", "usage", "completed_at")
    return {**begun, **{name: each for name, each in response.items() if name not in changed}}


def _message(item_id: JsonValue) -> JsonObject:
    own = item_id if isinstance(item_id, str) else f"msg_{uuid7().hex}"
    message: JsonObject = {"id": own, "type": "message", "status": "in_progress"}
    return {**message, "role": "assistant", "content": []}


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
