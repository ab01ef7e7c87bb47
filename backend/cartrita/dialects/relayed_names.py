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

_USUAL = b"data: {"
_NOT_DATA = re.compile(
    rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n]))(?:data(?=[\r\n]|\Z)|data: ?|(?!data:)[^\r\n]+)"
)
_decode_name = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


def in_body(body: bytes, names: ModelNames | None, *path: str) -> bytes:
    """The body with the asked name in the field at this path; None changes nothing."""
    span = None if names is None else _span(body, path, names.sent)
    if names is None or span is None:
        return body
    start, end = span
    return body[:start] + _encode(names.asked) + body[end:]


def span_in_frame(frame: bytes, sent: str, *path: str) -> tuple[int, int] | None:
    """Where the field at this path holds the name that was sent, in the data of one frame."""
    return _span(_blanked(frame), path, sent)


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
        span = span_in_frame(frame, self._names.sent, *self._path)
        return frame if span is None else frame[: span[0]] + self._asked + frame[span[1] :]


def _blanked(frame: bytes) -> bytes:
    """A frame with as many blanks in place of all but its data, of which JSON is left."""
    if frame.startswith(_USUAL) and frame.find(b"\n") == len(frame) - 2:
        return b"      " + frame[6:]
    return _NOT_DATA.sub(lambda found: b" " * len(found[0]), frame)


def _span(body: bytes, path: tuple[str, ...], sent: str) -> tuple[int, int] | None:
    start, end = 0, len(body)
    try:
        for name in path:
            first, last = RelayedBody.of(body[start:end]).spans[name]
            start, end = start + first, start + last
        told = _decode_name(body[start:end])
    except (Malformed, KeyError, msgspec.DecodeError):
        return None  # there is no such field
    return (start, end) if told == sent else None
