"""Tool definitions that are sent to models."""

import re
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import CacheBreakpoint

LONGEST_TOOL_NAME: Final = 64
"""In characters, at most providers of models."""
COMPUTER: Final = "computer"
"""The name of every call that acts on a desktop, whatever the model's vendor calls it."""

ComputerForm: TypeAlias = Literal[
    "computer_toolset_20260801",
    "computer_20251124",
    "computer_20250124",
    "computer",
    "computer_use_preview",
    "function",
]
"""What a model is told of a desktop: a tool that its vendor trained it for, or a plain function."""
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


class ComputerTool(msgspec.Struct, frozen=True, omit_defaults=True, tag="computer"):
    """A desktop that the model may see and use, of so many pixels.

    The arguments of its calls are a `ComputerCall`, in whatever form the model wrote them. `zoom`
    is whether it may look at parts. The gateway sets the `form`, and the `grid` of a model that
    tells places as so many parts of the width and of the height, whatever the size.
    """

    width: int
    height: int
    zoom: bool = True
    form: ComputerForm = "function"
    grid: int | None = None

    @property
    def name(self) -> str:
        """What its calls are named."""
        return COMPUTER


Tool: TypeAlias = ToolSpec | VendorTool | ComputerTool


class NamedTool(msgspec.Struct, frozen=True):
    """The model must call this tool."""

    name: str


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | NamedTool
