"""Bodies that are relayed: reads or changes single fields, and leaves the rest byte for byte."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeAlias

import msgspec

from cartrita.domain.errors import Malformed
from cartrita.domain.json import JsonObject
from cartrita.kit.json_depth import MAX_ANSWER_DEPTH, MAX_DEPTH, nests_deeper

Change: TypeAlias = Callable[[bytes | None], bytes]
"""Makes the JSON of a field from what it was; None if the body has no such field."""

_PAIR = re.compile(rb'\s*(?:,\s*)?"[^"\\]*(?:\\.[^"\\]*)*"\s*:\s*')
_END = re.compile(rb"\s*}")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class RelayedBody(msgspec.Struct, frozen=True):
    """A JSON object as its caller sent it, of which no top-level field comes twice.

    `spans` tells by name where the value of a field starts and ends in `octets`. The bytes are read
    once: what is asked or changed later costs no more than the field that it is about.
    """

    octets: bytes
    spans: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, octets: bytes, *, most_levels: int = MAX_DEPTH) -> Self:
        """Read an object. Raises Malformed for anything else, and for a field that comes twice.

        Providers differ in which of two equal fields they take. One that has more than so many
        levels is refused too, so that whoever walks through it later can do so.
        """
        try:
            fields = _decode(octets)
        except RecursionError:
            raise _too_deep(most_levels) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"The body is not a JSON object: {error}.") from None
        if nests_deeper(octets, most_levels):
            raise _too_deep(most_levels)
        return cls(octets, spans_of(octets, fields))

    def value(self, name: str) -> bytes | None:
        """The JSON of a field; None if there is no such field."""
        span = self.spans.get(name)
        return None if span is None else self.octets[span[0] : span[1]]

    def parsed(self, name: str) -> Any:  # noqa: ANN401 - any JSON, which the caller checks
        """The value of a field; None if there is no such field.

        Raises Malformed for what is no JSON, which nobody has looked for in a value before.
        """
        value = self.value(name)
        return None if value is None else _parsed(value)

    def parsed_whole(self) -> JsonObject:
        """The whole object. Raises Malformed for what is no JSON within it."""
        return _parsed(self.octets)

    def without(self, names: Iterable[str]) -> "RelayedBody":
        """The object without these fields, the others byte for byte; itself if it has none."""
        if self.spans.keys().isdisjoint(names):
            return self
        left_out = frozenset(names)
        kept = {
            name: msgspec.Raw(self.octets[start:end])
            for name, (start, end) in self.spans.items()
            if name not in left_out
        }
        return RelayedBody.of(msgspec.json.encode(kept))


def rewrite(body: RelayedBody, changes: Mapping[str, Change]) -> bytes:
    """The body with these fields changed, or added at its end."""
    octets, spans = body.octets, body.spans
    view = memoryview(octets)
    pieces: list[bytes | memoryview] = []
    written = 0
    for name, (start, end) in spans.items():
        if name in changes:
            pieces += (view[written:start], changes[name](octets[start:end]))
            written = end
    close = octets.rindex(b"}")
    pieces.append(view[written:close])
    for name, change in changes.items():
        if name not in spans:
            comma = b"," if spans or len(pieces) > 1 else b""
            pieces += (comma, msgspec.json.encode(name), b":", change(None))
    pieces.append(view[close:])
    return b"".join(pieces)


def told(octets: bytes, changes: Mapping[str, Change]) -> bytes:
    """A provider's object with these fields changed.

    It stays as it is if a field comes twice in it, if half a surrogate pair is in it, and if it is
    nested too deep.
    """
    try:
        body = RelayedBody.of(octets, most_levels=MAX_ANSWER_DEPTH)
    except Malformed:
        return octets
    return rewrite(body, changes)


def replaced(value: object) -> Change:
    """The change to this value, whatever it was."""
    encoded = msgspec.json.encode(value)
    return lambda _: encoded


def marked(estimate: str | None) -> Change:
    """The change to an object that says of the usage beside it that it is an estimate."""

    def change(value: bytes | None) -> bytes:
        told = None if value is None else msgspec.json.decode(value)
        return msgspec.json.encode({**(told if isinstance(told, dict) else {}), "usage": estimate})

    return change


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
        if not body.startswith(raw, start):  # compared where it is: a body may be megabytes
            raise _twice(name)
        spans[name] = (start, at)
    if _END.match(body, at) is None:
        raise _twice("a field")
    return spans


def _parsed(octets: bytes) -> Any:  # noqa: ANN401 - any JSON, which the caller checks
    try:
        return msgspec.json.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def _too_deep(most: int) -> Malformed:
    return Malformed(f"The body is nested deeper than {most} levels.")


def _twice(name: str) -> Malformed:
    return Malformed(f"The body names {name[:80]!r} or a field before it twice: send each once.")
