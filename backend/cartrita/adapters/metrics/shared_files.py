"""The last snapshots of all workers, in files in memory that they share: nothing is on a disk.

A map of a file, as prometheus_client shares its values, would end the worker that writes where the
disk is full.
"""

import os
import struct
import zlib
from collections.abc import Sequence
from typing import Final

_HEAD: Final = struct.Struct("<QQI")
"""Its number, its length, and its checksum."""
_HALF: Final = 1 << 26
"""Where the second half of a file begins; what is not written takes no room."""
_TRIES: Final = 3


class SharedFiles:
    """One file for each place of a worker, by their descriptors.

    A snapshot is written beside the one before it, and numbered: what is cut off by the end of its
    worker, or is read while it is written, is none.
    """

    def __init__(self, descriptors: Sequence[int]) -> None:
        self._descriptors = descriptors
        self._numbers: dict[int, int] = {}

    @property
    def places(self) -> range:
        return range(len(self._descriptors))

    def write(self, place: int, octets: bytes) -> None:
        """Replace what is in a place, which one worker alone does. Raises OSError."""
        if len(octets) > _HALF - _HEAD.size:
            raise OSError("the snapshot is too long")
        if place not in self._numbers:
            self._numbers[place] = self._latest(place)[0]
        number = self._numbers[place] = self._numbers[place] + 1
        head = _HEAD.pack(number, len(octets), zlib.crc32(octets))
        os.pwrite(self._descriptors[place], head + octets, number % 2 * _HALF)

    def read(self, place: int) -> bytes | None:
        """What was written last in a place; None if nothing was."""
        for _ in range(_TRIES):  # it may have been written twice meanwhile
            number, octets = self._latest(place)
            if number:
                return octets
        return None

    def _latest(self, place: int) -> tuple[int, bytes]:
        return max(self._half(place, 0), self._half(place, _HALF))

    def _half(self, place: int, start: int) -> tuple[int, bytes]:
        """The number and the content of one half; 0 where there is none, or none as a whole."""
        descriptor = self._descriptors[place]
        head = os.pread(descriptor, _HEAD.size, start)
        if len(head) < _HEAD.size:
            return 0, b""
        number, length, checksum = _HEAD.unpack(head)
        octets = os.pread(descriptor, min(length, _HALF), start + _HEAD.size)
        if len(octets) != length or zlib.crc32(octets) != checksum:
            return 0, b""
        return number, octets
