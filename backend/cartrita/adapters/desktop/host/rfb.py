"""What a viewer says in RFB (RFC 6143), from which input is taken.

Each message is parsed, and an unknown one ends the viewer: of an unknown message nobody knows
where it ends, and input could hide in it. Encodings that are not listed here are taken out too, so
that the server offers nothing which would need other messages.
"""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from cartrita.adapters.desktop.host.driving import Input, KeyInput, PointerInput
from cartrita.domain.desktop import Point

_VERSIONS: Final = (b"RFB 003.007\n", b"RFB 003.008\n")
_NO_PASSWORD: Final = b"\1"
_SHARED: Final = b"\1"
_SET_ENCODINGS: Final = 2
_CUT_TEXT: Final = 6
_KEY, _POINTER = 4, 5
_SIZES: Final = {0: 20, 3: 10, _KEY: 8, _POINTER: 6}
"""By type, the length of messages that have always the same: formats, requests, and input."""
_INPUT: Final = frozenset((_KEY, _POINTER, _CUT_TEXT))
_MOST_ENCODINGS: Final = 256
_LONGEST_CUT: Final = 256 << 10
_ENCODINGS: Final = frozenset(
    (
        *(0, 1, 2, 4, 5, 6, 7, 8, 16, 21),  # raw, copies, RRE, hextile, zlib, tight, ZRLE, JPEG
        *(-223, -224, -232, -239, -240, -260),  # size, last rectangle, pointer, cursors, tight PNG
        *range(-32, -22),  # qualities
        *range(-256, -246),  # compression
    )
)


class BadMessage(Exception):
    """What the viewer said is none of the messages that it may send."""


class ReadMessages(NamedTuple):
    """What is for the program that shows the display, and what is done on it by ourselves."""

    passed: bytes
    input: tuple[Input, ...]


class ClientMessages:
    """One viewer's side of a connection, in pieces of any size; `may_input` is asked each time.

    Who shows the display does input in its own time, and nobody is told when it has been done: it
    would be done after a person has handed back. So it is done by ourselves, but for cut text.
    """

    def __init__(self, may_input: Callable[[], bool]) -> None:
        self._may_input = may_input
        self._rest = bytearray()
        self._input: list[Input] = []
        self._greetings = [self._version, self._security, self._init]

    def read(self, data: bytes) -> ReadMessages:
        """What of it, and of what was left before, is complete. Raises BadMessage."""
        self._rest += data
        self._input.clear()
        out = bytearray()
        while (size := self._size()) is not None and len(self._rest) >= size:
            message = bytes(self._rest[:size])
            del self._rest[:size]
            out += self._greetings.pop(0)(message) if self._greetings else self._message(message)
        return ReadMessages(bytes(out), tuple(self._input))

    def _size(self) -> int | None:
        """How long the message is that begins here, if that can be told yet."""
        if self._greetings:
            return len(_VERSIONS[0]) if len(self._greetings) == 3 else 1
        if not self._rest:
            return None
        kind = self._rest[0]
        if kind in _SIZES:
            return _SIZES[kind]
        if kind == _SET_ENCODINGS:
            return self._size_of_encodings()
        if kind == _CUT_TEXT:
            return self._size_of_cut()
        raise BadMessage(f"type {kind}")

    def _size_of_encodings(self) -> int | None:
        if len(self._rest) < 4:
            return None
        (count,) = struct.unpack_from(">H", self._rest, 2)
        if count > _MOST_ENCODINGS:
            raise BadMessage("encodings")
        return 4 + 4 * count

    def _size_of_cut(self) -> int | None:
        if len(self._rest) < 8:
            return None
        (length,) = struct.unpack_from(">i", self._rest, 4)
        if not 0 <= length <= _LONGEST_CUT:  # a negative one is of an extension that is not offered
            raise BadMessage("cut text")
        return 8 + length

    def _message(self, message: bytes) -> bytes:
        if message[0] == _SET_ENCODINGS:
            return _known_encodings(message)
        if message[0] not in _INPUT:
            return message
        if not self._may_input():
            return b""
        if message[0] == _CUT_TEXT:
            return message
        self._input.append(_input(message))
        return b""

    @staticmethod
    def _version(message: bytes) -> bytes:
        if message not in _VERSIONS:
            raise BadMessage("version")
        return message

    @staticmethod
    def _security(message: bytes) -> bytes:
        if message != _NO_PASSWORD:
            raise BadMessage("security type")
        return message

    @staticmethod
    def _init(message: bytes) -> bytes:
        """Others may view too, whatever this one wants."""
        return _SHARED


def _input(message: bytes) -> Input:
    if message[0] == _KEY:
        down, keysym = struct.unpack_from(">BxxI", message, 1)
        return KeyInput(keysym, bool(down))
    buttons, x, y = struct.unpack_from(">BHH", message, 1)
    return PointerInput(Point(x, y), buttons)


def _known_encodings(message: bytes) -> bytes:
    wanted = struct.unpack(f">{(len(message) - 4) // 4}i", message[4:])
    known = [each for each in wanted if each in _ENCODINGS]
    return struct.pack(f">BxH{len(known)}i", _SET_ENCODINGS, len(known), *known)
