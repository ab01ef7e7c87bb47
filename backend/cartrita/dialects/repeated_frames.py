"""Knows the frames of a relayed stream that repeat one that was read, but for the texts they bring.

Nearly all frames of an answer are such. To compare one takes a tenth of the time of a look into it.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

_END = b"\n\n"
_VARYING = re.compile(
    rb'"(?:content|text|delta|reasoning|reasoning_content|thinking|arguments|partial_json'
    rb'|obfuscation)":\s?"|"sequence_number":\s?'
)
"""What stands before a value that differs from frame to frame and ends nothing: texts, mostly."""

Inside: TypeAlias = Callable[[bytes, int], re.Match[bytes] | None]
"""Finds a value in a frame, from a place on."""

_text: Inside = re.compile(
    rb'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*'
).match
"""The inside of a JSON string, and of nothing that is none: control characters are escaped."""
_number: Inside = re.compile(rb"0|[1-9][0-9]{0,17}").match

_GIVE_UP = 3


class RepeatedFrames:
    """Compares pieces of a stream with the last frame that was learnt.

    A frame repeats another if it has the same bytes around its varying values. None of these can
    hold a field, or an end of a frame, so the one says nothing of which the other says nothing; and
    the one is JSON if the other is.
    """

    def __init__(self) -> None:
        self._first = self._told_first = b""
        self._rest: list[tuple[Inside, bytes, bytes]] = []
        self._renamed = False
        self._in_vain = 0

    def learn(self, frame: bytes, told: bytes) -> None:
        """From now on frames like this one, which is passed on as `told`, need no look into them.

        A stream in which each frame is of a form of its own is not learnt for long.
        """
        if self._in_vain == _GIVE_UP or frame.count(_END) != 1 or b"\r" in frame:
            return
        self._in_vain += 1
        parts, told_parts = _parts(frame), _parts(told)
        if len(parts) > 1 and len(parts) == len(told_parts):
            self._first, self._told_first = parts[0], told_parts[0]
            values = [_inside(part) for part in parts[:-1]]
            self._rest = list(zip(values, parts[1:], told_parts[1:], strict=True))
            self._renamed = parts != told_parts

    def told(self, piece: bytes) -> bytes | None:
        """What is passed on for a piece of such frames only; None for any other piece."""
        first, rest, renamed = self._first, self._rest, self._renamed
        if not first or not piece.startswith(first):
            return None
        told: list[bytes] = []
        at, end = 0, len(piece)
        while at < end:
            if at and not piece.startswith(first, at):
                return None
            at += len(first)
            told.append(self._told_first)
            for value, part, told_part in rest:
                inside = value(piece, at)
                at = -1 if inside is None else inside.end()
                if inside is None or not piece.startswith(part, at):
                    return None
                at += len(part)
                if renamed:
                    told += (inside[0], told_part)
        if not (piece.isascii() or _is_utf8(piece)):
            return None
        self._in_vain = 0
        return b"".join(told) if renamed else piece


def _parts(frame: bytes) -> list[bytes]:
    """The bytes around the varying values."""
    parts: list[bytes] = []
    start = 0
    for found in _VARYING.finditer(frame):
        inside = _inside(found[0])(frame, found.end())
        if inside is not None:
            parts.append(frame[start : found.end()])
            start = inside.end()
    return [*parts, frame[start:]]


def _inside(before: bytes) -> Inside:
    """What finds the value that follows these bytes."""
    return _text if before.endswith(b'"') else _number


def _is_utf8(frames: bytes) -> bool:
    try:
        frames.decode()
    except UnicodeDecodeError:
        return False
    return True
