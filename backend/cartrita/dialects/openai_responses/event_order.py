"""The order in which the events of a streamed response come, on which OpenAI's clients rely.

They raise errors of no documented kind, or lose text, where an event is about an item that has not
begun, or where an item or the response becomes another one.
Source: `ResponseStreamState` in openai/lib/streaming/responses/_responses.py.
"""

from collections.abc import Callable
from typing import TypeAlias, cast

import msgspec

from cartrita.dialects.openai_responses import response_types as wire
from cartrita.domain.json import JsonObject, JsonValue

_LIFECYCLE = (
    *("response.created", "response.queued", "response.in_progress"),
    *("response.completed", "response.incomplete", "response.failed"),
)
_KNOWN_BY_CALL_ID = ("function_call", "custom_tool_call", "shell_call", "shell_call_output")
_WITHOUT_ID = ("function_call", "custom_tool_call")

_Identity: TypeAlias = tuple[str, str | None, str | None]


class _Item(msgspec.Struct):
    """An item that has begun: `parts` are the types of a message's, where each has its text."""

    identity: _Identity
    id: str | None
    parts: list[str] | None
    takes_arguments: bool


class EventOrder:
    """Follows the events of one stream. `begun` is true once the first one has come."""

    def __init__(self) -> None:
        self.begun = False
        self._response_id: str | None = None
        self._items: dict[int, _Item] = {}
        self._done: dict[int, _Item] = {}

    def note(self, event: wire.Event) -> None:
        """Take note of an event. Raises ValueError if clients do not expect it where it is."""
        if not self.begun and event.type != "response.created":
            raise ValueError("it does not begin with response.created")
        check = _CHECKS.get(event.type)
        if check is not None:
            check(self, event)

    def lifecycle(self, event: wire.Event) -> None:
        """An event with the response, which stays the same one."""
        response = cast("JsonObject", event.response)
        told = _text(response.get("id"))
        if not self.begun:
            self.begun = True
            self._response_id = told
            self._items = {place: _item(item) for place, item in enumerate(_output(response))}
        elif told != self._response_id:
            raise ValueError("its response becomes another one")
        elif event.type == "response.completed":
            self._check_end(response)

    def item_added(self, event: wire.Event) -> None:
        """An item begins, where there is none yet."""
        place = _place(event.output_index)
        if place in self._items:
            raise ValueError(f"two items begin at output index {place}")
        self._items[place] = _item(event.item)

    def item_done(self, event: wire.Event) -> None:
        """An item ends, as the one that it was."""
        place, item = _place(event.output_index), _item(event.item)
        begun = self._items.get(place)
        if begun is not None and not _is_same(begun, item):
            raise ValueError(f"the item at output index {place} becomes another one")
        if any(at != place and each.identity == item.identity for at, each in self._done.items()):
            raise ValueError("an item ends at two places")
        self._done[place] = item

    def part_added(self, event: wire.Event) -> None:
        """A part of a message begins."""
        item = self._begun(event)
        if item.identity[0] != "message":
            return
        if item.parts is None or event.part is None or event.part.type is None:
            raise ValueError("a part has no message or no type")
        item.parts.append(_told(event.part.type, event.part.text))

    def text(self, event: wire.Event) -> None:
        """Text of a part that has begun."""
        parts = self._begun(event).parts or ()
        place = _place(event.content_index)
        if place >= len(parts) or parts[place] != "output_text":
            raise ValueError(f"there is text at content index {place}, where none has begun")

    def arguments(self, event: wire.Event) -> None:
        """Arguments of a call that has begun."""
        if not self._begun(event).takes_arguments:
            raise ValueError("there are arguments of an item that takes none")

    def _begun(self, event: wire.Event) -> _Item:
        item = self._items.get(_place(event.output_index))
        if item is None:
            raise ValueError(f"no item has begun at output index {event.output_index}")
        return item

    def _check_end(self, response: JsonObject) -> None:
        final = {item.identity: item for item in map(_item, _output(response))}
        for place, item in self._items.items():
            if place not in self._done:
                last = final.get(item.identity)
                if last is None or not _is_same(item, last):
                    raise ValueError("it ends before an item has ended")


_CHECKS: dict[str, Callable[[EventOrder, wire.Event], None]] = {
    **dict.fromkeys(_LIFECYCLE, EventOrder.lifecycle),
    "response.output_item.added": EventOrder.item_added,
    "response.output_item.done": EventOrder.item_done,
    "response.content_part.added": EventOrder.part_added,
    "response.output_text.delta": EventOrder.text,
    "response.output_text.done": EventOrder.text,
    "response.function_call_arguments.delta": EventOrder.arguments,
}


def _output(response: JsonObject) -> list[JsonValue]:
    output = response.get("output")
    return output if isinstance(output, list) else []


def _item(value: JsonValue) -> _Item:
    """The item. Raises ValueError if it is none."""
    if not isinstance(value, dict) or not isinstance(kind := value.get("type"), str):
        raise ValueError("an item has no type")
    told, call_id = _text(value.get("id")), _text(value.get("call_id"))
    identity = (kind, None if kind in _KNOWN_BY_CALL_ID else told, call_id)
    calls = kind == "function_call" and isinstance(value.get("arguments"), str)
    return _Item(identity, told, _parts(value) if kind == "message" else None, calls)


def _parts(message: JsonObject) -> list[str] | None:
    content = message.get("content")
    if not isinstance(content, list):
        return None
    parts = (part if isinstance(part, dict) else {} for part in content)
    return [_told(part.get("type"), part.get("text")) for part in parts]


def _told(kind: JsonValue, text: JsonValue) -> str:
    """The type of a part; none of a text that is missing, to which nothing can be added."""
    return kind if isinstance(kind, str) and isinstance(text, str) else ""


def _is_same(begun: _Item, item: _Item) -> bool:
    if begun.identity != item.identity:
        return False
    return begun.id == item.id or (begun.id is None and begun.identity[0] in _WITHOUT_ID)


def _text(value: JsonValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("an id is no text")


def _place(index: int | None) -> int:
    if index is None or index < 0:
        raise ValueError("an event does not say which item or part it is about")
    return index
