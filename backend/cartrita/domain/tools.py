"""Tool definitions that are sent to models."""

import re
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import CacheBreakpoint

LONGEST_TOOL_NAME: Final = 64
"""In characters, at most providers of models."""
_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9_-]")

TellProgress: TypeAlias = Callable[[str, float | None], Awaitable[None]]
"""Tells what a tool is doing now, and how far it is, from 0 to 1, where that is known."""


def tool_name_of(text: str) -> str:
    """A text in the characters that every vendor takes in the name of a tool."""
    return _FOREIGN.sub("_", text)


class ToolSpec(msgspec.Struct, frozen=True, omit_defaults=True, tag="function"):
    """A tool that the model may call; `parameters` is a JSON Schema of an object.

    `strict` asks for arguments that match the schema exactly. `more` are fields that only its
    `origin`, a dialect, understands, as they came.
    """

    name: str
    description: str
    parameters: JsonObject
    strict: bool | None = None
    cache: CacheBreakpoint | None = None
    origin: str | None = None
    more: JsonObject = {}


class VendorTool(msgspec.Struct, frozen=True, tag="vendor"):
    """A tool that only the provider of its `origin`, a dialect, knows: its definition as it came.

    `name` is what the model calls it, for receipts.
    """

    origin: str
    name: str
    definition: JsonObject


Tool: TypeAlias = ToolSpec | VendorTool


class NamedTool(msgspec.Struct, frozen=True):
    """The model must call this tool."""

    name: str


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | NamedTool
