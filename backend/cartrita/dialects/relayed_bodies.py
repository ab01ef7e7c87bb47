"""Changes single top-level fields of a JSON body, and leaves everything else byte for byte."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from cartrita.domain.errors import Malformed

Change: TypeAlias = Callable[[bytes | None], bytes]
"""Makes the JSON of a field from what it was; None if the body has no such field."""

_PAIR = re.compile(rb'\s*(?:,\s*)?"[^"\\]*(?:\\.[^"\\]*)*"\s*:\s*')
_END = re.compile(rb"\s*}")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def rewrite(body: bytes, changes: Mapping[str, Change]) -> bytes:
    """The body with these fields changed, or added at its end.

    Raises Malformed if it is not a JSON object or has two equal keys: providers differ in which of
    the two they take.
    """
    pieces: list[bytes] = []
    written = 0
    fields = spans_of(body, _parsed(body))
    for name, (start, end) in fields.items():
        if name in changes:
            pieces += (body[written:start], changes[name](body[start:end]))
            written = end
    close = body.rindex(b"}")
    pieces.append(body[written:close])
    for name, change in changes.items():
        if name not in fields:
            comma = b"," if fields or len(pieces) > 1 else b""
            pieces += (comma, msgspec.json.encode(name), b":", change(None))
    pieces.append(body[close:])
    return b"".join(pieces)


def replaced(value: object) -> Change:
    """The change to this value, whatever it was."""
    encoded = msgspec.json.encode(value)
    return lambda _: encoded


def spans_of(body: bytes, fields: Mapping[str, msgspec.Raw]) -> dict[str, tuple[int, int]]:
    """By name: where its value starts and ends, in a body of which these are the parsed fields.

    Raises Malformed if a name comes twice: then the values do not follow each other to the end.
    """
    spans: dict[str, tuple[int, int]] = {}
    at = body.index(b"{") + 1
    for name, raw in fields.items():
        pair = _PAIR.match(body, at)
        if pair is None:
            raise _twice(name)
        start = pair.end()
        at = start + len(raw)
        if body[start:at] != bytes(raw):
            raise _twice(name)
        spans[name] = (start, at)
    if _END.match(body, at) is None:
        raise _twice("a field")
    return spans


def _parsed(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"The body is not a JSON object: {error}.") from None


def _twice(name: str) -> Malformed:
    return Malformed(f"The body names {name[:80]!r} or a field before it twice: send each once.")
