"""Text and tool calls that arrive in pieces."""

import msgspec

from cartrita.dialects.openai_chat.types import CallPiece
from cartrita.domain.deltas import ToolCallDelta
from cartrita.domain.json import JsonObject
from cartrita.kit.text import storable_json, storable_text


class Pieces:
    """Text that arrives in pieces, the second half of a surrogate pair perhaps in the next one."""

    __slots__ = ("_high",)

    def __init__(self) -> None:
        self._high = ""

    def add(self, piece: str) -> str:
        piece = self._high + piece
        self._high = ""
        if "\ud800" <= piece[-1] <= "\udbff":
            self._high, piece = piece[-1], piece[:-1]
        return storable_text(piece)

    def rest(self) -> str:
        high, self._high = self._high, ""
        return storable_text(high)


class _Call:
    """What is known of one tool call."""

    __slots__ = ("arguments", "id", "named")

    def __init__(self) -> None:
        self.id: str | None = None
        self.named = False
        self.arguments = Pieces()


class Calls:
    """Tool calls in pieces.

    Servers number them out of order, all alike, or not at all. A piece begins a new call where its
    number is new, or where it brings a name together with another id; that call gets the number
    after the highest if its own is taken.
    """

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._index_of: dict[int, int] = {}  # by the number on the wire: the latest that had it
        self._last = -1

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, pieces: list[CallPiece]) -> list[ToolCallDelta]:
        """What these pieces add."""
        return [delta for piece in pieces if (delta := self._one(piece)) is not None]

    def rest(self) -> list[ToolCallDelta]:
        """What was held back."""
        rests = ((index, call.arguments.rest()) for index, call in self._calls.items())
        return [ToolCallDelta(index, arguments=rest) for index, rest in rests if rest]

    def _one(self, piece: CallPiece) -> ToolCallDelta | None:
        name = storable_text(piece.function.name or "") if piece.function else ""
        call_id = storable_text(piece.id or "")
        self._last = index = self._index(piece.index, call_id, name)
        call = self._calls[index]
        new_id = call_id if call.id is None and call_id else None
        new_name = name if name and not call.named else None
        call.id = call.id or new_id
        call.named = call.named or new_name is not None
        text = _text(piece.function.arguments) if piece.function else ""
        arguments = call.arguments.add(text) if text else ""
        if not (new_id or new_name or arguments):
            return None
        return ToolCallDelta(index, new_id, new_name, arguments)

    def _index(self, number: int | None, call_id: str, name: str) -> int:
        index = self._last if number is None else self._index_of.get(number, -1)
        call = self._calls.get(index)
        if call is not None and not (name and self._differs(call, number, call_id)):
            return index
        free = max(self._calls, default=-1) + 1
        index = free if number is None or number in self._calls else number
        self._index_of[index if number is None else number] = index
        self._calls[index] = _Call()
        return index

    @staticmethod
    def _differs(call: _Call, number: int | None, call_id: str) -> bool:
        if number is None and not call_id:
            return call.named
        return bool(call_id and call.id and call_id != call.id)


def _text(arguments: str | JsonObject | None) -> str:
    if isinstance(arguments, dict):
        return msgspec.json.encode(storable_json(arguments)).decode()
    return arguments or ""
