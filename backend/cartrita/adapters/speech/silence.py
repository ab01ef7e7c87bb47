"""Finds out quickly whether there is anything as loud as speech in a recording.

Quiet samples are told by their bytes, which is a matter of milliseconds for a large file: only
stretches with louder ones are weighed, up to the first that is loud.
"""

import sys
from array import array
from collections.abc import Callable, Mapping
from operator import mul
from types import MappingProxyType
from typing import Final, Literal

from cartrita.adapters.speech.loudness import FRAME_S, QUIETEST_SPEECH_DB
from cartrita.adapters.speech.samples import S16, samples_reader
from cartrita.domain.speech import PcmFormat

_QUIET: Final = 10 ** (QUIETEST_SPEECH_DB / 20)
"""The amplitude of the loudest that is quiet, of 1.0: no stretch of less can be louder than it."""
_QUIET_S16: Final = int(32768 * _QUIET)
_MOST_WEIGHED: Final = 1 << 22
"""In samples, about a quarter of a second of work: a recording with more is not silent."""


def _lower(octet: int) -> int:
    return 0 if octet <= _QUIET_S16 else 1 if octet >= 256 - _QUIET_S16 else 2


_LOWER: Final = bytes(map(_lower, range(256)))
_UPPER: Final = bytes((0, *[3] * 254, 1))
"""A sample of 16 bits is quiet where both of its bytes are mapped to the same: 0, or 1 below 0."""


def _quiet_pcm(width: int) -> Callable[[bytes], bool]:
    def is_quiet(data: bytes) -> bool:
        lower, upper = data[width - 2 :: width], data[width - 1 :: width]
        return lower.translate(_LOWER) == upper.translate(_UPPER)

    return is_quiet


def _quiet_octets(encoding: str) -> Callable[[bytes], bool]:
    values = samples_reader(encoding)(bytes(range(256)))
    quiet = bytes(octet for octet, value in enumerate(values) if abs(value) <= _QUIET_S16)
    return lambda data: not data.translate(None, quiet)


def _floats(code: Literal["f", "d"]) -> Callable[[bytes], "array[float]"]:
    def read(data: bytes) -> "array[float]":
        values = array(code, data)
        if sys.byteorder == "big":
            values.byteswap()
        return values

    return read


def _quiet_floats(code: Literal["f", "d"]) -> Callable[[bytes], bool]:
    read = _floats(code)

    def is_quiet(data: bytes) -> bool:
        values = read(data)
        return max(values) <= _QUIET and min(values) >= -_QUIET

    return is_quiet


_TELLS: Final[Mapping[str, Callable[[bytes], bool]]] = MappingProxyType(
    {
        S16: _quiet_pcm(2),
        "s24": _quiet_pcm(3),
        "s32": _quiet_pcm(4),
        "f32": _quiet_floats("f"),
        "f64": _quiet_floats("d"),
        **{encoding: _quiet_octets(encoding) for encoding in ("s8", "a8", "u8")},
    }
)
_FLOATS: Final = MappingProxyType({"f32": _floats("f"), "f64": _floats("d")})


class SoundSearch:
    """Looks through the pieces of a recording; `found` is whether any sound was loud enough."""

    def __init__(self, audio: PcmFormat, encoding: str = S16) -> None:
        self.found = False
        floats = _FLOATS.get(encoding)
        self._is_quiet = _TELLS[encoding]
        self._read = floats or samples_reader(encoding)
        self._quietest_power = (_QUIET * (1 if floats else 32768)) ** 2
        self._channels = audio.channels
        frame = int(encoding[1:]) // 8 * audio.channels
        self._stretch = int(audio.sample_rate * FRAME_S) * frame
        self._cut = b""
        self._weighed = 0

    def look(self, piece: bytes) -> None:
        """Look through the next piece, unless sound was found already."""
        if self.found:
            return
        data = self._cut + piece
        whole = len(data) - len(data) % self._stretch
        self._cut = data[whole:]
        if whole and not self._is_quiet(data[:whole]):
            size = self._stretch
            self.found = any(self._is_loud(data[at : at + size]) for at in range(0, whole, size))

    def _is_loud(self, stretch: bytes) -> bool:
        if self._is_quiet(stretch):
            return False
        values = self._read(stretch)
        self._weighed += len(values)
        if self._weighed > _MOST_WEIGHED:
            return True
        each = (values[number :: self._channels] for number in range(self._channels))
        return any(not _power(one) <= self._quietest_power for one in each)


def _power(samples: "array[int] | array[float]") -> float:
    """Of what changes in them; it is no number where one of them is none."""
    count = len(samples)
    mean = sum(samples) / count
    return sum(map(mul, samples, samples)) / count - mean * mean
