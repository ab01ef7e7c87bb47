"""Tool definitions that are sent to models."""

from typing import Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool that the model may call; `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: JsonObject


class NamedTool(msgspec.Struct, frozen=True):
    """The model must call this tool."""

    name: str


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | NamedTool
