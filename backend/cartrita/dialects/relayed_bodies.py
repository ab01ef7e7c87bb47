"""Changes single top-level fields of a JSON body, and leaves everything else byte for byte."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from cartrita.domain.errors import Malformed

Change: TypeAlias = Callable[[bytes | None], bytes]
"""Makes the JSON of a field from what it was; None if the body has no such field."""

_KEY = re.compile(rb'\s*"(?:[^"\\]|\\.)*"\s*:\s*')
_END = re.compile(rb"\s*([,}])")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def rewrite(body: bytes, changes: Mapping[str, Change]) -> bytes:
    """The body with these fields changed, or added at its end.

    Raises Malformed if it is not a JSON object or has two equal keys: providers differ in which of
    the two they take.
    """
    pieces: list[bytes] = []
    written = 0
    fields = _spans(body)
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


def _spans(body: bytes) -> dict[str, tuple[int, int]]:
    """By name: where its value starts and ends."""
    try:
        fields = _decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"The body is not a JSON object: {error}.") from None
    spans: dict[str, tuple[int, int]] = {}
    at, last = body.index(b"{") + 1, b","
    for name, raw in fields.items():
        value = bytes(raw)
        key = _KEY.match(body, at)
        if last != b"," or key is None or not body.startswith(value, key.end()):
            raise _repeated()
        spans[name] = (key.end(), key.end() + len(value))
        ending = _END.match(body, spans[name][1])
        if ending is None:
            raise _repeated()
        at, last = ending.end(), ending[1]
    if fields and last != b"}":
        raise _repeated()
    return spans


def _repeated() -> Malformed:
    return Malformed("The body has two fields of the same name.")
