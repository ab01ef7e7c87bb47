"""Limits the cache breakpoints of a history: each request of a conversation may have left some."""

from collections.abc import Iterable
from typing import Final

import msgspec

from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Message,
    Part,
    Text,
    ToolCall,
    ToolContent,
    ToolResult,
)
from cartrita.domain.tools import Tool, ToolSpec

BREAKPOINTS_MAX: Final = 4
"""As many as Anthropic's API takes in one request; it refuses more."""


def keep_latest(
    messages: tuple[Message, ...], instructions: Iterable[Text], tools: Iterable[Tool]
) -> tuple[Message, ...]:
    """The messages without the breakpoints that are too many, of which the latest are kept."""
    specs = (tool for tool in tools if isinstance(tool, ToolSpec))
    used = sum(one.cache is not None for one in (*instructions, *specs))
    budget = _Budget(BREAKPOINTS_MAX - used)
    limited = [Message(one.role, budget.parts(one.parts)) for one in reversed(messages)]
    return tuple(reversed(limited))


class _Budget:
    """How many breakpoints are left, for parts from the last to the first."""

    def __init__(self, left: int) -> None:
        self._left = left

    def parts(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(reversed([self._part(part) for part in reversed(parts)]))

    def _part(self, part: Part) -> Part:
        match part:
            case ToolResult(content=content):
                cache = self._kept(part.cache)
                inner = tuple(reversed([self._content(piece) for piece in reversed(content)]))
                return msgspec.structs.replace(part, content=inner, cache=cache)
            case ToolCall(cache=CacheBreakpoint()):
                return msgspec.structs.replace(part, cache=self._kept(part.cache))
            case Text() | Attachment():
                return self._content(part)
            case _:
                return part

    def _content(self, part: ToolContent) -> ToolContent:
        match part:
            case Text(cache=CacheBreakpoint()) | Attachment(cache=CacheBreakpoint()):
                return msgspec.structs.replace(part, cache=self._kept(part.cache))
            case _:
                return part

    def _kept(self, cache: CacheBreakpoint | None) -> CacheBreakpoint | None:
        if cache is None:
            return None
        self._left -= 1
        return cache if self._left >= 0 else None
