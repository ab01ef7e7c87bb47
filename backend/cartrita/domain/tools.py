"""Tool definitions that are sent to models."""

from typing import Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import CacheBreakpoint


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
