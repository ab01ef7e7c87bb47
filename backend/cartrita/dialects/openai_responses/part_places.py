"""Finds where the parts of an input item stand in it, by their order."""

from collections.abc import Iterable
from typing import Final

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, Part, ToolResult
from cartrita.domain.places import Places

_HELD: Final = ("image_url", "file_data", "file_url", "file_id", "input_audio")


def add(item: JsonObject, parts: Iterable[Part], path: str, places: Places) -> None:
    """Add the places of the parts of an item, which is at this path."""
    if "role" not in item:
        for part in parts:
            places.add(part, path)
            if isinstance(part, ToolResult):
                _add_pieces(item.get("output"), part.content, f"{path}.output", places)
        return
    _add_pieces(item.get("content"), parts, f"{path}.content", places)


def _add_pieces(content: JsonValue, parts: Iterable[Part], path: str, places: Places) -> None:
    pieces = content if isinstance(content, list) else []
    number = -1
    for part in parts:
        number += not isinstance(part, Citation)  # which is of the text before it
        piece = pieces[number] if number < len(pieces) else None
        if not isinstance(piece, dict):
            places.add(part, path)
            continue
        held = next((name for name in _HELD if piece.get(name)), "")
        places.add(part, f"{path}[{number}]", f"{held}.data" if held == "input_audio" else held)
