"""Cuts a relayed event stream into whole frames, and keeps what was passed on, up to a limit."""

import re
from collections.abc import Iterator

from cartrita.dialects.repeated_frames import RepeatedFrames
from cartrita.domain.errors import UpstreamMalformed
from cartrita.kit import sse

BOUNDARY = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
"""A blank line, with the end of the line before it."""
_LONGEST_BOUNDARY = 4


class RelayedFrames:
    """The frames of one stream: `whole` cuts them, `keep` remembers those that were passed on.

    Those that `learn` was told of are known when they come again, but for their texts. `overlong`
    is true once more than `keep_bytes` were to be kept; nothing is kept then.
    """

    def __init__(self, provider: str, keep_bytes: int, max_frame: int = sse.MAX_EVENT) -> None:
        self._provider = provider
        self._keep_bytes = keep_bytes
        self._max_frame = max_frame
        self._rest = b""
        self._kept = bytearray()
        self._known = RepeatedFrames()
        self.learn = self._known.learn
        self.overlong = False

    def known(self, piece: bytes) -> bytes | None:
        """What is passed on for a piece of frames that are known, which is kept; else None."""
        told = None if self._rest else self._known.told(piece)
        if told is not None:
            self.keep(piece)
        return told

    def whole(self, piece: bytes) -> bytes:
        """The frames that the piece completes. Raises UpstreamMalformed for one that never ends."""
        if not self._rest and piece.endswith(b"\n\n"):
            return _readable(piece)
        data = self._rest + piece if self._rest else piece
        start = max(len(self._rest) - _LONGEST_BOUNDARY, 0)
        end = 0
        for found in BOUNDARY.finditer(data, start):
            end = found.end()
        self._rest = data[end:]
        if len(self._rest) > self._max_frame:
            raise UpstreamMalformed(
                f"{self._provider} sent an event that is too long to be one.",
                provider=self._provider,
            )
        return _readable(data[:end])

    def keep(self, frames: bytes) -> None:
        """Remember frames that were passed on."""
        if self.overlong:
            return
        if len(self._kept) + len(frames) > self._keep_bytes:
            self.overlong = True
            self._kept.clear()
            return
        self._kept += frames

    def passed_on(self) -> list[sse.Frame]:
        """What was passed on. Raises UpstreamMalformed if that was too long to keep."""
        if self.overlong:
            raise UpstreamMalformed(
                f"The answer of {self._provider} is too long to be continued.",
                provider=self._provider,
                retryable=False,
            )
        return parse(bytes(self._kept))


def split(frames: bytes) -> Iterator[bytes]:
    """The bytes of each frame, with the blank line at its end."""
    start = 0
    for found in BOUNDARY.finditer(frames):
        yield frames[start : found.end()]
        start = found.end()
    if start < len(frames):
        yield frames[start:]


def look_whole(frames: bytes) -> bool:
    """Whether each frame ends as one with a JSON object does; of others it is worth to look in."""
    return frames.endswith(b"}\n\n") and frames.count(b"\n\n") == frames.count(b"}\n\n")


def parse(frames: bytes) -> list[sse.Frame]:
    """Whole frames, parsed."""
    try:
        return sse.Parser(max_line=sse.MAX_EVENT).feed(frames)
    except sse.TooLong as error:
        return error.frames


def _readable(frames: bytes) -> bytes:
    """The frames, with U+FFFD for what is no UTF-8, on which clients break."""
    if frames.isascii():
        return frames
    try:
        frames.decode()
    except UnicodeDecodeError:
        return frames.decode("utf-8", "replace").encode()
    return frames
