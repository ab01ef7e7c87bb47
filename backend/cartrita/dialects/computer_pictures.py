"""Leaves out the oldest pictures of a desktop before a provider would refuse all of a request."""

import base64
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from cartrita.domain.messages import (
    Attachment,
    Message,
    Part,
    Reasoning,
    Text,
    ToolContent,
    ToolResult,
)
from cartrita.domain.requests import ModelRequest

OLDER: Final = Text("[An older picture of the screen was left out here.]")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_HEAD: Final = 32
"""So many characters of base64 have the size of a PNG."""


class PictureLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider takes: `most` pictures, whose longer sides have `side` pixels at most.

    Where there are more than `many` of them, it is `side_of_many`. `patches` limits a picture in
    squares of 28 pixels. Reasoning that is `bound` to what was sent before it is left out too,
    where a picture before it is.
    """

    most: int
    many: int
    side: int
    side_of_many: int
    patches: int | None = None
    bound: bool = False


def fitted(request: ModelRequest, limits: PictureLimits) -> ModelRequest:
    """The request without the pictures that are too many, or too large.

    They are left out by the dozen, so that the beginning, which is cached, stays the same for long.
    """
    if request.computer is None:
        return request
    sizes = [size_of(picture) for picture in _pictures(request)]
    crowded = len(sizes) > limits.many and any(max(size) > limits.side_of_many for size in sizes)
    most = limits.many if crowded else limits.most
    chunk = max(most // 2, 1)
    left_out = -(-max(len(sizes) - most, 0) // chunk) * chunk
    changed = most + left_out - chunk + 1 if left_out else 0
    fitting = _Fitting(limits, left_out, changed)
    return replace(request, messages=tuple(map(fitting.message, request.messages)))


def size_of(picture: Attachment) -> tuple[int, int]:
    """Width and height of a PNG that was loaded; of any other picture it is not known, and 0."""
    head, found, data = (picture.url or "").partition(";base64,")
    if not found or not head.startswith("data:"):
        return 0, 0
    try:
        read = base64.b64decode(data[:_HEAD])
    except ValueError:
        return 0, 0
    if len(read) < 24 or not read.startswith(_PNG):
        return 0, 0
    return int.from_bytes(read[16:20], "big"), int.from_bytes(read[20:24], "big")


class _Fitting:
    """Goes through the messages, counting pictures from the oldest."""

    def __init__(self, limits: PictureLimits, left_out: int, changed: int) -> None:
        self._limits = limits
        self._left_out = left_out
        self._changed = changed
        self._count = 0

    def message(self, message: Message) -> Message:
        parts = tuple(one for part in message.parts if (one := self._part(part)) is not None)
        return message if parts == message.parts else replace(message, parts=parts)

    def _part(self, part: Part) -> Part | None:
        match part:
            case ToolResult(content=content):
                return replace(part, content=tuple(map(self._content, content)))
            case Attachment() if is_picture(part):
                self._count += 1
            case Reasoning() if self._limits.bound and self._count < self._changed:
                return None  # it was written when the pictures were still there
            case _:
                pass
        return part

    def _content(self, part: ToolContent) -> ToolContent:
        if not isinstance(part, Attachment) or not is_picture(part):
            return part
        self._count += 1
        if self._count <= self._left_out:
            return OLDER
        width, height = size_of(part)
        patches = -(-width // 28) * -(-height // 28)
        too_fine = self._limits.patches is not None and patches > self._limits.patches
        if max(width, height) > self._limits.side or too_fine:
            return Text(f"[A picture of {width} x {height} was left out: it is too large.]")
        return part


def is_picture(part: Part) -> bool:
    """Whether it is an image."""
    return isinstance(part, Attachment) and part.media_type.startswith("image/")


def _pictures(request: ModelRequest) -> Iterator[Attachment]:
    for message in request.messages:
        for part in message.parts:
            for one in part.content if isinstance(part, ToolResult) else (part,):
                if isinstance(one, Attachment) and is_picture(one):
                    yield one
