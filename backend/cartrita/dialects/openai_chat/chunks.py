"""What clients can read of the chunks of a stream, which other servers write in ways of their own.

The official clients, and most programs that use them, read `choices[0].delta.content` of a chunk
that has choices, and break on null in any of these.
"""

import json
from typing import Final, cast

import msgspec

from cartrita.dialects.openai_chat import response_parsing
from cartrita.dialects.openai_chat import response_types as wire
from cartrita.domain.json import JsonObject
from cartrita.kit import sse, surrogate_json

_SILENT: Final = ("role", "name", "provider_specific_fields")
"""The fields of a delta that are no part of an answer; all others are, also those not known."""


class _Choice(msgspec.Struct, frozen=True):
    delta: JsonObject | None = None


class _Deltas(msgspec.Struct, frozen=True):
    choices: list[_Choice | None] | None = None


_decode_deltas = msgspec.json.Decoder(_Deltas).decode


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


def says_something(data: str) -> bool:
    """Whether a chunk of this JSON has a part of an answer, of whatever kind: text, a call, audio.

    Raises ValueError for what is no chunk.
    """
    try:
        chunk = _decode_deltas(data)
    except ValueError:
        chunk = surrogate_json.decode(data, _Deltas)
    return any(
        value
        for choice in chunk.choices or ()
        if choice is not None
        for name, value in (choice.delta or {}).items()
        if name not in _SILENT
    )


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
