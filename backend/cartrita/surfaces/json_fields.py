"""The top-level fields of a JSON object as bytes, of which only those that matter are parsed."""

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

from cartrita.domain.errors import Malformed
from cartrita.domain.json import JsonObject

Fields: TypeAlias = dict[str, msgspec.Raw]

_decode: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NAME: Final = re.compile(rb'[{,]\s*("(?:[^"\\]|\\.)*")\s*:\s*')
_SPACE: Final = re.compile(rb"\s*")


def top_level_fields(body: bytes) -> Fields:
    """The fields of an object. Raises Malformed for anything else, and for a name given twice.

    Its cost is that of reading the bytes: values stay as they are.
    """
    try:
        fields = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"The body is not a JSON object: {error}.") from None
    _require_unique(body, fields)
    return fields


def parse_object(body: bytes) -> JsonObject:
    """The whole object, of which `top_level_fields` has been read. Raises Malformed."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def parsed(fields: Fields, name: str) -> Any:  # noqa: ANN401 - any JSON, which the caller checks
    """The value of one field; None if it is absent."""
    raw = fields.get(name)
    return None if raw is None else msgspec.json.decode(raw)


def without(body: bytes, names: Iterable[str]) -> bytes:
    """An object of which `top_level_fields` has been read, without these of its fields.

    It stays byte for byte what it was if it has none of them, as do its other values if it has.
    """
    left_out = {name for name in names if f'"{name}"'.encode() in body}
    if not left_out:
        return body
    fields = _decode(body)
    kept = {name: raw for name, raw in fields.items() if name not in left_out}
    return body if len(kept) == len(fields) else msgspec.json.encode(kept)


def _require_unique(body: bytes, fields: Fields) -> None:
    """Walk over the fields, which follow each other to the end unless one comes twice."""
    position = _SPACE.match(body).end()  # pyright: ignore[reportOptionalMemberAccess]
    for name, raw in fields.items():
        found = _NAME.match(body, position)
        if found is None or msgspec.json.decode(found[1]) != name:
            raise _twice(name)
        position = found.end() + len(raw)
        if body[found.end() : position] != bytes(raw):
            raise _twice(name)
        position = _SPACE.match(body, position).end()  # pyright: ignore[reportOptionalMemberAccess]
    if fields and body[position : position + 1] != b"}":
        raise _twice("a field")


def _twice(name: str) -> Malformed:
    return Malformed(f"The body names {name[:80]!r} or a field before it twice: send each once.")
