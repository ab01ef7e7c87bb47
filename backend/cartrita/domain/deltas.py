"""Deltas: the pieces of a model's streamed answer."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from cartrita.domain.messages import Citation
from cartrita.domain.usage import Usage


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALL = "tool_call"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"


class TextDelta(msgspec.Struct, frozen=True, tag="text"):
    """More text of the answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, tag="reasoning"):
    """More reasoning of the model."""

    text: str


class ToolCallDelta(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_call"):
    """A fragment of the tool call at `index`; `arguments` is a fragment of its JSON text."""

    index: int
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""


class CitationDelta(msgspec.Struct, frozen=True, tag="citation"):
    """A source of the answer."""

    citation: Citation


class Finished(msgspec.Struct, frozen=True, omit_defaults=True, tag="finished"):
    """The model finished its answer. Always the last delta.

    A stream that ends without it was interrupted.
    """

    reason: FinishReason
    usage: Usage
    model: str | None = None


Delta: TypeAlias = TextDelta | ReasoningDelta | ToolCallDelta | CitationDelta | Finished
