"""The top-level fields of a JSON object as bytes, of which only those that matter are parsed."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

from cartrita.dialects.relayed_bodies import spans_of
from cartrita.domain.errors import Malformed
from cartrita.domain.json import JsonObject

Fields: TypeAlias = dict[str, msgspec.Raw]

_decode: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def top_level_fields(body: bytes) -> Fields:
    """The fields of an object. Raises Malformed for anything else, and for a name given twice.

    Its cost is that of reading the bytes: values stay as they are.
    """
    try:
        fields = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"The body is not a JSON object: {error}.") from None
    spans_of(body, fields)
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
