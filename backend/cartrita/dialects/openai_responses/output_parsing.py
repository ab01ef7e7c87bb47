"""Converts output items into deltas, whether they come in pieces, whole, or both ways.

What has come in pieces is not repeated when the whole follows; what is missing from it is added.
"""

from collections.abc import Iterator
from typing import Final, cast

import msgspec

from cartrita.dialects.openai_responses import DIALECT, content_parsing, response_parsing
from cartrita.dialects.openai_responses import response_types as wire
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import VendorPart
from cartrita.kit.text import StorableTextStream, storable_json, storable_text

_CALLS: Final = {"custom_tool_call", "computer_call", "local_shell_call", "mcp_approval_request"}
_CALLS_OF_CLIENTS: Final = _CALLS | {"shell_call", "apply_patch_call", "function_call"}


class _Piece:
    """The text of one part of an item, as far as it has come."""

    __slots__ = ("annotations", "length", "text")

    def __init__(self) -> None:
        self.text = StorableTextStream()
        self.length = 0
        self.annotations = 0

    def more(self, text: str) -> str:
        self.length += len(text)
        return self.text.feed(text)

    def rest(self, whole: str) -> str:
        """What is missing of the whole text."""
        return self.more(whole[self.length :]) + self.text.end()


class Output:
    """The output of one response. `calls` is true once the client has a tool to call."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[int, str, int], _Piece] = {}
        self._calls: dict[int, int] = {}
        self._done: set[int] = set()
        self._reasoning: tuple[int, str, int] | None = None
        self._citations = 0
        self.calls = False

    def text(
        self, index: int, part: int, text: str, logprobs: list[JsonObject] | None = None
    ) -> Iterator[Delta]:
        """More text of the message at `index`."""
        yield from self._text(self._piece(index, "text", part).more(text), logprobs)

    def text_done(self, index: int, part: int, text: str) -> Iterator[Delta]:
        yield from self._text(self._piece(index, "text", part).rest(text), None)

    def refusal(self, index: int, part: int, text: str) -> Iterator[Delta]:
        yield from self._refusal(self._piece(index, "refusal", part).more(text))

    def refusal_done(self, index: int, part: int, text: str) -> Iterator[Delta]:
        yield from self._refusal(self._piece(index, "refusal", part).rest(text))

    def reasoning(self, index: int, kind: str, part: int, text: str) -> Iterator[Delta]:
        """More reasoning: `kind` is summary or content. Its parts become paragraphs."""
        key = (index, kind, part)
        yield from self._reason(key, self._piece(*key).more(text))

    def reasoning_done(self, index: int, kind: str, part: int, text: str) -> Iterator[Delta]:
        key = (index, kind, part)
        yield from self._reason(key, self._piece(*key).rest(text))

    def annotation(self, index: int, part: int, annotation: JsonObject) -> Iterator[Delta]:
        """A citation of the text so far."""
        self._piece(index, "text", part).annotations += 1
        self._citations += 1
        found = cast("JsonObject", storable_json(annotation))
        yield CitationDelta(content_parsing.citation(found, self._citations))

    def arguments(self, index: int, text: str) -> Iterator[Delta]:
        """More arguments of the function call at `index`."""
        if arguments := self._piece(index, "arguments", 0).more(text):
            yield ToolCallDelta(self._call(index), arguments=arguments)

    def arguments_done(self, index: int, arguments: str | JsonObject | None) -> Iterator[Delta]:
        whole = arguments or ""
        if isinstance(whole, dict):
            whole = msgspec.json.encode(storable_json(whole)).decode()
        if rest := self._piece(index, "arguments", 0).rest(whole):
            yield ToolCallDelta(self._call(index), arguments=rest)

    def added(self, index: int, value: JsonValue) -> Iterator[Delta]:
        """An item that has begun, where it is told. Raises ValueError if it is none."""
        if value is not None and _type(value) == "function_call":
            yield from self._announce(index, response_parsing.as_item(value))

    def item(self, index: int, value: JsonValue) -> Iterator[Delta]:
        """A whole item: what has not come of it. Raises ValueError if it is none."""
        if index in self._done:
            return
        self._done.add(index)
        kind = _type(value)
        self.calls = self.calls or kind in _CALLS_OF_CLIENTS
        match kind:
            case "message":
                yield from self._message(index, response_parsing.as_item(value))
            case "function_call":
                item = response_parsing.as_item(value)
                yield from self._announce(index, item)
                yield from self.arguments_done(index, item.arguments)
            case "reasoning":
                yield from self._reasoning_item(index, response_parsing.as_item(value))
            case _:
                yield VendorDelta(VendorPart(DIALECT, cast("JsonObject", storable_json(value))))

    def end(self) -> Iterator[Delta]:
        """Text that was still held back: halves of surrogate pairs."""
        for key, piece in self._pieces.items():
            index, kind, _ = key
            rest = piece.text.end()
            if rest and kind == "arguments":
                yield ToolCallDelta(self._call(index), arguments=rest)
            elif kind == "text":
                yield from self._text(rest, None)
            elif kind == "refusal":
                yield from self._refusal(rest)
            else:
                yield from self._reason(key, rest)

    def _message(self, index: int, item: wire.Item) -> Iterator[Delta]:
        for number, part in enumerate(item.content or ()):
            if part.type == "refusal":
                yield from self.refusal_done(index, number, part.refusal or "")
                continue
            piece = self._piece(index, "text", number)
            logprobs = part.logprobs if piece.length == 0 else None
            yield from self._text(piece.rest(part.text or ""), logprobs)
            for annotation in (part.annotations or ())[piece.annotations :]:
                yield from self.annotation(index, number, annotation)

    def _reasoning_item(self, index: int, item: wire.Item) -> Iterator[Delta]:
        for kind, parts in (("summary", item.summary), ("content", item.content)):
            for number, part in enumerate(parts or ()):
                yield from self.reasoning_done(index, kind, number, part.text or "")
        if item.encrypted_content is not None:
            self._reasoning = None
            yield ReasoningDelta(
                "", encrypted=storable_text(item.encrypted_content), origin=DIALECT, id=item.id
            )

    def _announce(self, index: int, item: wire.Item) -> Iterator[Delta]:
        if index not in self._calls:
            number = self._call(index)
            self._reasoning = None
            call_id = storable_text(item.call_id or item.id or f"call_{index}")
            yield ToolCallDelta(number, call_id, storable_text(item.name or ""))

    def _call(self, index: int) -> int:
        self.calls = True
        return self._calls.setdefault(index, len(self._calls))

    def _text(self, text: str, logprobs: list[JsonObject] | None) -> Iterator[Delta]:
        if text:
            self._reasoning = None
            told = cast("list[JsonObject]", storable_json(logprobs or []))
            yield TextDelta(text, tuple(told))

    def _refusal(self, text: str) -> Iterator[Delta]:
        if text:
            self._reasoning = None
            yield RefusalDelta(text)

    def _reason(self, key: tuple[int, str, int], text: str) -> Iterator[Delta]:
        if text:
            separator = "\n\n" if self._reasoning not in (None, key) else ""
            self._reasoning = key
            yield ReasoningDelta(separator + text)

    def _piece(self, index: int, kind: str, part: int) -> _Piece:
        return self._pieces.setdefault((index, kind, part), _Piece())


def _type(value: JsonValue) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise ValueError("an item has no type")
    return kind
