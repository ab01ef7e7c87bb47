"""Assembles the parts of streamed tool calls into the domain's deltas."""

from collections.abc import Iterator

import msgspec

from cartrita.dialects.openai_chat import DIALECT
from cartrita.dialects.openai_chat import response_types as wire
from cartrita.domain.deltas import ToolCallDelta, VendorDelta
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import VendorPart
from cartrita.kit.text import StorableTextStream, storable_json, storable_text


class _ToolCall:
    """The state of one tool call."""

    __slots__ = ("arguments", "id", "named")

    def __init__(self) -> None:
        self.id: str | None = None
        self.named = False
        self.arguments = StorableTextStream()


class ToolCallStream:
    """The tool calls of one stream; false while there are none.

    Servers number them out of order, all alike, or not at all. A part begins a new call if its
    number is new, or if it has a name together with another id; that call gets the number after the
    highest one if its own is taken.
    """

    def __init__(self) -> None:
        self._calls: dict[int, _ToolCall] = {}
        self._index_by_number: dict[int, int] = {}  # the latest call of each number on the wire
        self._last = -1
        self._highest = -1

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, parts: list[wire.ToolCallDelta]) -> list[ToolCallDelta]:
        """The deltas of the parts in one chunk."""
        return [delta for part in parts if (delta := self._convert(part)) is not None]

    def end(self) -> list[ToolCallDelta]:
        """The deltas of text that was still held back."""
        rests = ((index, call.arguments.end()) for index, call in self._calls.items())
        return [ToolCallDelta(index, arguments=rest) for index, rest in rests if rest]

    def _convert(self, part: wire.ToolCallDelta) -> ToolCallDelta | None:
        name = storable_text(part.function.name or "") if part.function else ""
        call_id = storable_text(part.id or "")
        self._last = index = self._find_or_add(part.index, call_id, name)
        call = self._calls[index]
        new_id = call_id if call.id is None and call_id else None
        new_name = name if name and not call.named else None
        call.id = call.id or new_id
        call.named = call.named or new_name is not None
        text = _arguments_text(part.function.arguments) if part.function else ""
        arguments = call.arguments.feed(text)
        if not (new_id or new_name or arguments):
            return None
        return ToolCallDelta(index, new_id, new_name, arguments)

    def _find_or_add(self, number: int | None, call_id: str, name: str) -> int:
        """The index of the call that a part with these values belongs to."""
        index = self._last if number is None else self._index_by_number.get(number, -1)
        call = self._calls.get(index)
        if call is not None and not (name and _is_another(call, number, call_id)):
            return index
        index = self._highest + 1 if number is None or number in self._calls else number
        self._highest = max(self._highest, index)
        self._index_by_number[index if number is None else number] = index
        self._calls[index] = _ToolCall()
        return index


class CustomCallStream:
    """The calls of custom tools of one stream, whose input is text; false while there are none."""

    def __init__(self) -> None:
        self._calls: dict[int, tuple[str, str, list[str]]] = {}  # id, name, pieces of the input

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, part: wire.ToolCallDelta, custom: wire.CustomDelta) -> None:
        """Take up a part of a call."""
        number = part.index if part.index is not None else len(self._calls)
        call_id, name, pieces = self._calls.get(number, ("", "", []))
        pieces.append(custom.input or "")
        self._calls[number] = (call_id or part.id or "", name or custom.name or "", pieces)

    def end(self) -> Iterator[VendorDelta]:
        """The calls, each whole."""
        for call_id, name, pieces in self._calls.values():
            custom: JsonObject = {
                "name": storable_text(name),
                "input": storable_text("".join(pieces)),
            }
            call: JsonObject = {"id": storable_text(call_id), "type": "custom", "custom": custom}
            yield VendorDelta(VendorPart(DIALECT, call))


def _is_another(call: _ToolCall, number: int | None, call_id: str) -> bool:
    """Whether a part with a name begins another call than `call`."""
    if number is None and not call_id:
        return call.named
    return bool(call_id and call.id and call_id != call.id)


def _arguments_text(arguments: str | JsonObject | None) -> str:
    if isinstance(arguments, dict):
        return msgspec.json.encode(storable_json(arguments)).decode()
    return arguments or ""
