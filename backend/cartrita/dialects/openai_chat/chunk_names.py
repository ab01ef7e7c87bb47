"""Puts the asked name of a model back into the chunks of a relayed stream, which all tell one."""

import re

import msgspec

from cartrita.dialects import relayed_frames, relayed_names
from cartrita.domain.relays import ModelNames

_END = b"\n\n"
_KEY = re.compile(rb'[,{]\s*"model"\s*:\s*\Z')
_LONGEST = 1 << 10
_encode = msgspec.json.Encoder().encode


class RenamedChunks:
    """Renames in each chunk, at the place where one before it had a name: the one sent, or not.

    Servers differ in what they write around the name, but what one writes up to it, or after it,
    is the same in most of its chunks. A chunk that begins with the same bytes, up to and including
    the name, tells the same name in the same field; so does one that ends with the same, since JSON
    can be read from a comma before a key to its end. Any other chunk is parsed.
    """

    def __init__(self, names: ModelNames) -> None:
        self._sent = names.sent
        self._asked = _encode(names.asked)
        self._head = self._told_head = b""
        self._tail = self._told_tail = b""

    def feed(self, frames: bytes) -> bytes:
        """The whole frames, as they are passed on."""
        head, tail = self._head, self._tail
        count = 0 if b"\r" in frames else frames.count(_END)
        if not count or not frames.endswith(_END):
            pass
        elif head and frames.startswith(head):
            rest = frames[len(head) :]
            if count == 1:
                return self._told_head + rest
            following = _END + head
            if count == 1 + rest.count(following):
                return self._told_head + rest.replace(following, _END + self._told_head)
        elif tail and count == frames.count(tail):
            return frames.replace(tail, self._told_tail)
        return b"".join(self._renamed(frame) for frame in relayed_frames.split(frames))

    def _renamed(self, frame: bytes) -> bytes:
        head, tail = self._head, self._tail
        if head and frame.startswith(head):
            return self._told_head + frame[len(head) :]
        if tail and frame.endswith(tail):
            return frame[: -len(tail)] + self._told_tail
        found = relayed_names.find_in_frame(frame, "model")
        if found is None:
            return frame
        before, after = frame[: found.start], frame[found.end :]
        name = frame[found.start : found.end]
        told = self._asked if found.name == self._sent else name
        self._learn_head(before, name, told)
        self._learn_tail(before, name, told, after)
        return before + told + after

    def _learn_head(self, before: bytes, name: bytes, told: bytes) -> None:
        if len(before) <= _LONGEST:
            self._head, self._told_head = before + name, before + told

    def _learn_tail(self, before: bytes, name: bytes, told: bytes, after: bytes) -> None:
        key = _KEY.search(before, max(len(before) - _LONGEST, 0))
        if key is not None and len(after) <= _LONGEST and after.endswith(_END):
            self._tail = key[0] + name + after
            self._told_tail = key[0] + told + after
