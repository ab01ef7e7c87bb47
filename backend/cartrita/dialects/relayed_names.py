"""Puts the asked name of a model back into relayed answers whose request had it rewritten.

Only the field in which its dialect tells the model is changed, and only where it holds exactly the
name that was sent. Content that holds the same bytes stays, and so does all else.
"""

import re

import msgspec

from cartrita.dialects import relayed_frames
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import Malformed
from cartrita.domain.relays import ModelNames
from cartrita.kit.json_depth import MAX_ANSWER_DEPTH

_USUAL = b"data: {"
_MODEL = re.compile(rb'"model"\s*:\s*')
_NOT_DATA = re.compile(
    rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n]))(?:data(?=[\r\n]|\Z)|data: ?|(?!data:)[^\r\n]+)"
)


class _Named(msgspec.Struct, frozen=True):
    model: str | None = None


_decode_named = msgspec.json.Decoder(_Named).decode
_decode_name = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


def in_body(body: bytes, names: ModelNames | None) -> bytes:
    """The body with the asked name in its field `model`; None changes nothing."""
    if names is None or _model_in(body) != names.sent:
        return body
    found = _find_only(body, names.sent) or _find(body, ("model",))
    if found is None:
        return body
    return body[: found.start] + _encode(names.asked) + body[found.end :]


class ToldName(msgspec.Struct, frozen=True):
    """A model's name as an answer tells it, and where in its bytes."""

    start: int
    end: int
    name: str


def find_in_frame(frame: bytes, *path: str) -> ToldName | None:
    """The name in the field at this path, in the data of one frame."""
    return _find(_blanked(frame), path)


class RenamedEvents:
    """Renames in the few events of a stream that tell the model, at this path.

    An event without `mark` in its bytes is none of them.
    """

    def __init__(self, names: ModelNames, mark: bytes, *path: str) -> None:
        self._names = names
        self._asked = _encode(names.asked)
        self._mark = mark
        self._path = path

    def feed(self, frames: bytes) -> bytes:
        """The whole frames, as they are passed on."""
        if self._mark not in frames:
            return frames
        return b"".join(self._renamed(frame) for frame in relayed_frames.split(frames))

    def _renamed(self, frame: bytes) -> bytes:
        if self._mark not in frame:
            return frame
        found = find_in_frame(frame, *self._path)
        if found is None or found.name != self._names.sent:
            return frame
        return frame[: found.start] + self._asked + frame[found.end :]


def _model_in(body: bytes) -> str | None:
    try:
        return _decode_named(body).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _find_only(body: bytes, name: str) -> ToldName | None:
    """Where a body tells this name of its model, found without reading its other fields.

    None unless the body has `"model"` once, and no other way to write it.
    """
    if body.count(b'"model"') != 1 or b"\\u" in body:
        return None
    key, value = _MODEL.search(body), _encode(name)
    if key is None or not body.startswith(value, key.end()):
        return None
    return ToldName(key.end(), key.end() + len(value), name)


def _blanked(frame: bytes) -> bytes:
    """A frame with as many blanks in place of all but its data, of which JSON is left."""
    if frame.startswith(_USUAL) and frame.find(b"\n") == len(frame) - 2:
        return b"      " + frame[6:]
    return _NOT_DATA.sub(lambda found: b" " * len(found[0]), frame)


def _find(body: bytes, path: tuple[str, ...]) -> ToldName | None:
    start, end = 0, len(body)
    try:
        for name in path:
            part = RelayedBody.of(body[start:end], most_levels=MAX_ANSWER_DEPTH)
            first, last = part.spans[name]
            start, end = start + first, start + last
        return ToldName(start, end, _decode_name(body[start:end]))
    except (Malformed, KeyError, msgspec.DecodeError):
        return None  # there is no such field
