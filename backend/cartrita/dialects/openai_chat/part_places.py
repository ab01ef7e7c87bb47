"""Finds where the parts of a message stand in it, by their order."""

from collections.abc import Iterable
from itertools import count
from typing import Final, cast

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import (
    Attachment,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.places import Places

_HELD: Final = {
    "image_url": ("url",),
    "input_audio": ("data",),
    "file": ("file_data", "file_id"),
}
"""By the type of a part, which is a field of it too: the fields in that with the file."""


def add(message: JsonObject, parts: Iterable[Part], path: str, places: Places) -> None:
    """Add the places of the parts of a message, which is at this path."""
    pieces = iter(_pieces(message.get("content")))
    calls, thoughts = count(), count()
    for part in parts:
        match part:
            case Text() | Refusal() | Attachment():
                name, held = next(pieces, ("content", ""))
                places.add(part, f"{path}.{name}", held)
            case ToolCall():
                places.add(part, f"{path}.tool_calls[{next(calls)}]")
            case Reasoning():
                places.add(part, f"{path}.reasoning_details[{next(thoughts)}]")
            case ToolResult():
                places.add(part, path)
            case _:
                pass


def _pieces(content: JsonValue) -> Iterable[tuple[str, str]]:
    """Where each part of a content is, and in it the file; an empty text is no part."""
    for number, piece in enumerate(content if isinstance(content, list) else ()):
        fields = cast("JsonObject", piece)
        if fields.get("text") == "":
            continue
        kind = str(fields["type"])
        inside = cast("JsonObject", fields[kind]) if kind in _HELD else {}
        held = next((f"{kind}.{name}" for name in _HELD.get(kind, ()) if inside.get(name)), "")
        yield f"content[{number}]", held
