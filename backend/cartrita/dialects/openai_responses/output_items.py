"""Output items, and their ids, which follow from the response and the place in its output."""

import re
from typing import Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject, JsonValue

ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]
_ID = re.compile(r"(?:msg|fc|fco|rs)_(\w+?)([0-9a-f]{4})", re.A)


class ItemPlace(msgspec.Struct, frozen=True):
    """Where an item stands: `owner` is the id, without its prefix, of its response or message."""

    owner: str
    index: int


def item_id(prefix: Literal["msg", "fc", "fco", "rs"], owner: str, index: int) -> str:
    """The id of the item at `index` of the output of `owner`, an id of a response or message."""
    return f"{prefix}_{owner.partition('_')[2] or owner}{index:04x}"


def parse_item_id(text: str) -> ItemPlace | None:
    """Where the item of this id stands; None for an id that is not of ours."""
    match = _ID.fullmatch(text)
    return ItemPlace(match[1], int(match[2], 16)) if match else None


def message_item(item: str, status: ItemStatus, content: list[JsonValue]) -> JsonObject:
    return {
        "id": item,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def reasoning_item(item: str, status: ItemStatus, text: str, sealed: str | None) -> JsonObject:
    summary: list[JsonValue] = [summary_part(text)] if text else []
    told: JsonObject = {"id": item, "type": "reasoning", "status": status, "summary": summary}
    return told if sealed is None else {**told, "encrypted_content": sealed}


def summary_part(text: str) -> JsonObject:
    return {"type": "summary_text", "text": text}


def call_item(item: str, status: ItemStatus, call_id: str, name: str, arguments: str) -> JsonObject:
    return {
        "id": item,
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def result_item(item: str, call_id: str, output: JsonValue) -> JsonObject:
    return {
        "id": item,
        "type": "function_call_output",
        "status": "completed",
        "call_id": call_id,
        "output": output,
    }
