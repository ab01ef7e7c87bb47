"""Assembles one content block of a stream and yields the deltas of what arrives of it.

Text, reasoning and the arguments of tool calls are passed on at once. Citations follow the text of
their block, a signature ends its reasoning, and a block that only the vendor understands is yielded
whole at its end.
"""

import json
from collections.abc import Callable, Iterator
from typing import Protocol, cast

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT, foreign_seals, response_parsing
from cartrita.dialects.anthropic_messages.response_types import BlockDelta
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import VendorPart
from cartrita.kit.json_answers import refuse_unreadable
from cartrita.kit.text import StorableTextStream, storable_json, storable_text


class Counters:
    """What the blocks of one answer number together: tool calls from 0, citations from 1.

    `said` is whether any of them has text.
    """

    def __init__(self) -> None:
        self.tool_calls = 0
        self.citations = 0
        self.said = False


class OpenBlock(Protocol):
    """A block whose end has not come. `feed` returns None for a piece that it does not know."""

    def start(self) -> list[Delta]: ...

    def feed(self, delta: BlockDelta) -> list[Delta] | None: ...

    def stop(self) -> list[Delta]: ...


def open_block(block: JsonObject, counters: Counters) -> OpenBlock:
    """The block that `content_block_start` announces."""
    kind = block.get("type")
    if kind == "tool_use" and not is_vendor_call(block):
        return _ToolUse(block, counters)
    create = _KINDS.get(kind) if isinstance(kind, str) else None
    return create(block, counters) if create else _Vendor(block)


def is_vendor_call(block: JsonObject) -> bool:
    """Whether a tool call, or the result of one, has what only the vendor understands."""
    caller = block.get("caller")
    direct = not isinstance(caller, dict) or caller.get("type") == "direct"
    return not direct or block.get("toolset_name") is not None


class _Text:
    def __init__(self, block: JsonObject, counters: Counters) -> None:
        self._block = block
        self._counters = counters
        self._text = StorableTextStream()
        cited = block.get("citations")
        self._citations = cast("list[JsonObject]", cited) if isinstance(cited, list) else []

    def start(self) -> list[Delta]:
        return self._piece(_string(self._block, "text"))

    def feed(self, delta: BlockDelta) -> list[Delta] | None:
        if delta.text is not None:
            return self._piece(delta.text)
        if delta.citation is None:
            return None
        self._citations = [*self._citations, delta.citation]
        return []

    def stop(self) -> list[Delta]:
        deltas: list[Delta] = [TextDelta(rest)] if (rest := self._text.end()) else []
        for vendor in self._citations:
            self._counters.citations += 1
            deltas.append(
                CitationDelta(response_parsing.citation(vendor, self._counters.citations))
            )
        return deltas

    def _piece(self, text: str) -> list[Delta]:
        piece = self._text.feed(text)
        self._counters.said = self._counters.said or bool(piece)
        return [TextDelta(piece)] if piece else []


class _Thinking:
    def __init__(self, block: JsonObject, _counters: Counters) -> None:
        self._block = block
        self._text = StorableTextStream()
        signature = block.get("signature")
        self._signature = signature if isinstance(signature, str) else None

    def start(self) -> list[Delta]:
        return self._piece(_string(self._block, "thinking"))

    def feed(self, delta: BlockDelta) -> list[Delta] | None:
        if delta.thinking is not None:
            return self._piece(delta.thinking)
        if delta.signature is None:
            return None
        self._signature = (self._signature or "") + delta.signature
        return []

    def stop(self) -> list[Delta]:
        rest = self._text.end()
        if self._signature is not None:
            sealed = foreign_seals.reasoning_of(rest, storable_text(self._signature))
            end = ReasoningDelta(rest, sealed.signature, sealed.encrypted, sealed.origin, sealed.id)
            return [end] if rest or end.sealed else []
        return [ReasoningDelta(rest)] if rest else []

    def _piece(self, text: str) -> list[Delta]:
        piece = self._text.feed(text)
        return [ReasoningDelta(piece)] if piece else []


class _Redacted:
    def __init__(self, block: JsonObject, _counters: Counters) -> None:
        self._data = storable_text(_string(block, "data"))

    def start(self) -> list[Delta]:
        return [ReasoningDelta("", encrypted=self._data, origin=DIALECT)]

    def feed(self, delta: BlockDelta) -> list[Delta] | None:
        del delta

    def stop(self) -> list[Delta]:
        return []


class _ToolUse:
    def __init__(self, block: JsonObject, counters: Counters) -> None:
        self._block = block
        self._index = counters.tool_calls
        self._arguments = StorableTextStream()
        self._begun = False
        counters.tool_calls += 1

    def start(self) -> list[Delta]:
        call_id = storable_text(_string(self._block, "id"))
        return [ToolCallDelta(self._index, call_id, storable_text(_string(self._block, "name")))]

    def feed(self, delta: BlockDelta) -> list[Delta] | None:
        if delta.partial_json is None:
            return None
        piece = self._arguments.feed(delta.partial_json)
        self._begun = self._begun or bool(delta.partial_json)
        return [ToolCallDelta(self._index, arguments=piece)] if piece else []

    def stop(self) -> list[Delta]:
        rest = self._arguments.end()
        if not self._begun:  # some servers send all arguments with the start, many send none
            arguments = storable_json(self._block.get("input") or {})
            rest = msgspec.json.encode(arguments).decode()
        return [ToolCallDelta(self._index, arguments=rest)] if rest else []


class _Vendor:
    """A block of another type, such as a tool that runs at the provider, or its result."""

    def __init__(self, block: JsonObject) -> None:
        self._block = block
        self._json: list[str] = []

    def start(self) -> list[Delta]:
        return []

    def feed(self, delta: BlockDelta) -> list[Delta] | None:
        if delta.partial_json is None:
            return None
        self._json.append(delta.partial_json)
        return []

    def stop(self) -> list[Delta]:
        block = dict(self._block)
        if text := "".join(self._json):
            try:
                refuse_unreadable(text)
                block["input"] = json.loads(text)
            except (ValueError, RecursionError):
                block["input"] = text
        kept = cast("JsonObject", storable_json(block))
        return [VendorDelta(VendorPart(DIALECT, kept))]


def whole_block(block: JsonObject, counters: Counters) -> Iterator[Delta]:
    """The deltas of a block that was not streamed."""
    opened = open_block(block, counters)
    yield from opened.start()
    yield from opened.stop()


def _string(block: JsonObject, name: str) -> str:
    value = block.get(name)
    return value if isinstance(value, str) else ""


_KINDS: dict[str, Callable[[JsonObject, Counters], OpenBlock]] = {
    "text": _Text,
    "thinking": _Thinking,
    "redacted_thinking": _Redacted,
}
