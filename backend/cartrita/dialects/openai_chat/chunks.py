"""What clients can read of the chunks of a stream, which other servers write in ways of their own.

The official clients, and most programs that use them, read `choices[0].delta.content` of a chunk
that has choices, and break on null in any of these.
"""

import json
from typing import cast

from cartrita.dialects.openai_chat import response_parsing
from cartrita.dialects.openai_chat import response_types as wire
from cartrita.domain.json import JsonObject
from cartrita.kit import sse


def is_sound(chunk: wire.Completion) -> bool:
    """Whether clients can read it: it has choices, or none, and each has its place and delta."""
    return chunk.choices is not None and all(
        choice is not None and choice.delta is not None and choice.index is not None
        for choice in chunk.choices
    )


def read_sound(data: bytes) -> None:
    """Raises ValueError for what is no chunk that clients can read."""
    if not is_sound(response_parsing.decode_completion(data)):
        raise ValueError("clients cannot read it")


def mended(data: str) -> bytes | None:
    """The chunk of this JSON, which is not sound, with what it says; None if it says nothing."""
    chunk = cast("JsonObject", json.loads(data))
    told = cast("list[JsonObject | None]", chunk.get("choices") or [])
    choices = [
        {**choice, "index": choice.get("index") or 0, "delta": choice.get("delta") or {}}
        for choice in told
        if choice is not None and (choice.get("delta") or choice.get("finish_reason"))
    ]
    if not choices and not chunk.get("usage"):
        return None
    return sse.frame(json.dumps({**chunk, "choices": choices}))
