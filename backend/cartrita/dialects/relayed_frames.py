"""Cuts a relayed event stream into whole frames, and keeps what was passed on, up to a limit."""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from cartrita.dialects.repeated_frames import RepeatedFrames
from cartrita.domain.errors import UpstreamError, UpstreamMalformed
from cartrita.kit import sse

BOUNDARY = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
"""A blank line, with the end of the line before it."""
_LONGEST_BOUNDARY = 4
_BOM = b"\xef\xbb\xbf"
_DATA = b"data:"
_EXCERPT = 1 << 16
"""So many bytes of an answer that is too long to keep, from which the tokens of all are told."""
_RETURN = ord("\r")  # a number is found faster than bytes are
Look: TypeAlias = Callable[[bytes, sse.Frame], bytes | None]
"""What is passed on of a frame, given its bytes; None if it is nothing that a client could read.

Raises the error that the frame holds, and UpstreamMalformed.
"""


class RelayedFrames:
    """The frames of one stream: `whole` cuts them, `read` looks into each, `keep` remembers them.

    Those that `learn` was told of are known when they come again, but for their texts. `overlong`
    is true once more than `keep_bytes` were to be kept; then only the start is. `ignored`
    counts the frames on which clients break, which are not passed on. A line has no more than
    `max_line` bytes, and a frame no more than `max_frame`. `first` and `latest` are the frames that
    came first and last, which are kept however many there are.
    """

    def __init__(self, provider: str, keep_bytes: int, max_frame: int = sse.MAX_EVENT) -> None:
        self._provider = provider
        self._keep_bytes = keep_bytes
        self._max_frame = max_frame
        self._rest = bytearray()  # the frame that has not ended yet
        self._line: int | None = None  # where its last line begins, once that is asked for
        self._kept = bytearray()
        self._passing: bytes | bytearray = b""
        self._known = RepeatedFrames()
        self.learn = self._known.learn
        self._error: UpstreamError | None = None
        self.first = self.latest = b""
        self.max_line = sse.MAX_LINE
        self.overlong = False
        self.ignored = 0
        self._size = 0

    @property
    def kept(self) -> bytearray:
        """What is kept, to be looked at only."""
        return self._kept

    def known(self, piece: bytes) -> bytes | None:
        """What is passed on for a piece of frames that are known, which is kept; else None."""
        if self._rest or len(piece) > self.max_line:
            return None
        told = self._known.told(piece)
        if told is not None:
            self.keep(piece)
        return told

    def whole(self, piece: bytes) -> bytes:
        """The frames that the piece completes.

        Raises UpstreamMalformed for a line or a frame that is too long, and what `read` found.
        """
        if self._error is not None:
            raise self._error
        if not self._rest and piece.endswith(b"\n\n") and len(piece) <= self.max_line:
            return _readable(piece)
        rest = self._rest
        long = len(rest) + len(piece) > self.max_line and self._has_long_line(piece)
        if not rest:
            end = _last_boundary(piece)
            told = piece[:end]
            rest += piece[end:]
        else:
            searched = max(len(rest) - _LONGEST_BOUNDARY, 0)
            end = _last_boundary(rest[searched:] + piece)
            rest += piece
            told = bytes(rest[: searched + end]) if end else b""
            del rest[: len(told)]
        if end:
            self._line = None
        if long or len(rest) > self._max_frame:
            raise UpstreamMalformed(
                f"{self._provider} sent an event that is too long to be one.",
                provider=self._provider,
            )
        return _readable(told)

    def read(self, frames: bytes, look: Look, is_plain: Callable[[bytes], bool]) -> bytes:
        """Look into each of the whole frames that is not plain; what is passed on of them all.

        An error raises at once where nothing is to be passed on before it, else by the next call.
        """
        passed = self._passing = bytearray()
        for octets in split(frames):
            if len(octets) < len(frames) and is_plain(octets):  # a single one was asked before
                passed += octets
                continue
            try:
                kept = self._look(octets, look)
            except UpstreamError as error:
                if not passed:
                    raise
                self._error, self._known = error, RepeatedFrames()
                break
            if kept is None:
                self.ignored += 1
            else:
                passed += kept
        self._passing = b""
        return bytes(passed)

    def end(self) -> None:
        """Raise the error that was read, if none has been raised."""
        if self._error is not None:
            raise self._error

    def keep(self, frames: bytes) -> None:
        """Remember frames that were passed on."""
        self.latest = frames
        if self.overlong:
            self._size += len(frames)
            return
        if not self._kept:
            self.first = frames
        if len(self._kept) + len(frames) > self._keep_bytes:
            self.overlong = True
            self._size = len(self._kept) + len(frames)
            self._kept += frames
            del self._kept[_EXCERPT:]
            return
        self._kept += frames

    def passed_on(self) -> list[sse.Frame]:
        """What was passed on, or is by the `read` that is under way.

        Raises UpstreamMalformed if that was too long to keep.
        """
        if self.overlong:
            raise UpstreamMalformed(
                f"The answer of {self._provider} is too long to be continued.",
                provider=self._provider,
                retryable=False,
            )
        return parse(bytes(self._kept + self._passing))

    def excerpt(self) -> tuple[bytes, int]:
        """The beginning of what is too long to keep, and how many times as long the whole is.

        The last frame may be half a one.
        """
        return bytes(self._kept), round(self._size / len(self._kept))

    def _look(self, octets: bytes, look: Look) -> bytes | None:
        found = parse(octets)
        if found:
            return look(octets, found[0])
        lines = octets.removeprefix(_BOM).splitlines()
        return octets if all(not line or line.startswith(b":") for line in lines) else None

    def _has_long_line(self, piece: bytes) -> bool:
        """Whether a line is too long that ends in the piece or after it."""
        rest = self._rest
        if self._line is None:
            self._line = _last_line(rest)
        before = len(rest) - self._line
        if start := _last_line(piece):
            self._line = len(rest) + start
        first, *others = piece.splitlines() or [b""]
        return before + len(first) > self.max_line or any(
            len(line) > self.max_line for line in others
        )


def _last_line(octets: bytes | bytearray) -> int:
    """Where the last line begins."""
    return max(octets.rfind(b"\n"), octets.rfind(_RETURN)) + 1


def _last_boundary(octets: bytes | bytearray) -> int:
    """The end of the last blank line; 0 if there is none."""
    if _RETURN not in octets:
        end = octets.rfind(b"\n\n") + 2
        return end if end > 1 else 0
    return max((found.end() for found in BOUNDARY.finditer(octets)), default=0)


def split(frames: bytes) -> Iterator[bytes]:
    """The bytes of each frame, with the blank line at its end."""
    start = 0
    if b"\r" not in frames:
        while (end := frames.find(b"\n\n", start)) >= 0:
            yield frames[start : end + 2]
            start = end + 2
    for found in BOUNDARY.finditer(frames, start):
        yield frames[start : found.end()]
        start = found.end()
    if start < len(frames):
        yield frames[start:]


def look_whole(frames: bytes, read: Callable[[bytes], object], *marks: bytes) -> bool:
    """Whether each frame has the marks, and as its data what can be read, in one line.

    It is worth to look into any others. A mark is a key and the beginning of its value, written
    without blanks. `read` raises ValueError for JSON that is not what it should be.
    """
    if not frames.endswith(b"}\n\n") or _RETURN in frames:
        return False
    if frames.find(b"\n\n") == len(frames) - 2:  # most reads are one frame
        return all(
            mark in frames or mark.replace(b":", b": ") in frames for mark in marks
        ) and _is_read(frames, read)
    count = frames.count(b"\n\n")
    return (
        frames.count(b"}\n\n") == count
        and all(
            frames.count(mark) == count or frames.count(mark.replace(b":", b": ")) == count
            for mark in marks
        )
        and all(_is_read(frame, read) for frame in split(frames))
    )


def parse(frames: bytes) -> list[sse.Frame]:
    """Whole frames, parsed."""
    try:
        return sse.Parser(max_line=sse.MAX_EVENT).feed(frames)
    except sse.TooLong as error:
        return error.frames


def _is_read(frame: bytes, read: Callable[[bytes], object]) -> bool:
    """Whether the data of a frame is one line that can be read."""
    start = 0 if frame.startswith(_DATA) else frame.find(b"\n" + _DATA) + 1
    if not frame.startswith(_DATA, start) or frame.find(b"\n", start) != len(frame) - 2:
        return False
    try:
        read(frame[start + len(_DATA) :])
    except (ValueError, RecursionError):
        return False
    return True


def _readable(frames: bytes) -> bytes:
    """The frames, with U+FFFD for what is no UTF-8, on which clients break."""
    if frames.isascii():
        return frames
    try:
        frames.decode()
    except UnicodeDecodeError:
        return frames.decode("utf-8", "replace").encode()
    return frames
