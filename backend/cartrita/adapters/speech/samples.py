"""Samples of any kind as signed ones of 16 bits, in one channel, as many a second as are wanted."""

import sys
from array import array
from collections.abc import Callable, Mapping
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Final

from cartrita.domain.speech import PcmFormat

S16: Final = "s16"
_LOUDEST: Final = 32767


def _of_a_law(octet: int) -> int:
    """ITU-T G.711: every second bit is inverted; 3 bits of exponent, 4 of mantissa."""
    octet ^= 0x55
    exponent, mantissa = (octet & 0x70) >> 4, octet & 0x0F
    value = (mantissa << 4) + 8 if not exponent else ((mantissa << 4) + 0x108) << (exponent - 1)
    return value if octet & 0x80 else -value


def _of_mu_law(octet: int) -> int:
    """ITU-T G.711: all bits are inverted; the bias is 132."""
    octet ^= 0xFF
    value = ((((octet & 0x0F) << 3) + 132) << ((octet & 0x70) >> 4)) - 132
    return -value if octet & 0x80 else value


def _table(value: Callable[[int], int]) -> Callable[[bytes], "array[int]"]:
    values = [value(octet) for octet in range(256)]
    return lambda data: array("h", map(values.__getitem__, data))


def _of_wide(width: int) -> Callable[[bytes], "array[int]"]:
    """The upper two bytes of each sample."""

    def read(data: bytes) -> "array[int]":
        upper = bytearray(len(data) // width * 2)
        upper[::2], upper[1::2] = data[width - 2 :: width], data[width - 1 :: width]
        return pcm_array(bytes(upper))

    return read


def _of_floats(code: str) -> Callable[[bytes], "array[int]"]:
    def read(data: bytes) -> "array[int]":
        values = array(code, data)
        if sys.byteorder == "big":
            values.byteswap()
        return array("h", map(_of_float, values))

    return read


def _of_float(value: float) -> int:
    if value != value:
        return 0
    return int(max(-1.0, min(1.0, value)) * _LOUDEST)


def pcm_array(data: bytes) -> "array[int]":
    """Samples of 16 bits, as numbers; what is left of a cut one is dropped."""
    values = array("h", data[: len(data) & ~1])
    if sys.byteorder == "big":
        values.byteswap()
    return values


def pcm_bytes(values: "array[int]") -> bytes:
    """The bytes of samples."""
    if sys.byteorder == "big":
        values = array("h", values)
        values.byteswap()
    return values.tobytes()


_READERS: Final[Mapping[str, Callable[[bytes], "array[int]"]]] = MappingProxyType(
    {
        S16: pcm_array,
        "s8": _table(lambda octet: (octet - 128) << 8),
        "s24": _of_wide(3),
        "s32": _of_wide(4),
        "f32": _of_floats("f"),
        "f64": _of_floats("d"),
        "a8": _table(_of_a_law),
        "u8": _table(_of_mu_law),
    }
)
"""By the encoding that `wav` tells."""


def samples_reader(encoding: str) -> Callable[[bytes], "array[int]"]:
    """What reads whole samples of this encoding as numbers of 16 bits."""
    return _READERS[encoding]


class MonoSamples:
    """Turns pieces of sound into pieces with `rate` samples a second, in one channel.

    A higher rate is taken down by the mean of what falls on one sample, a lower one up along a
    line: enough for speech.
    """

    def __init__(self, audio: PcmFormat, rate: int, encoding: str = S16) -> None:
        self._audio = audio
        self._rate = rate
        self._read = _READERS[encoding]
        self._frame = int(encoding[1:]) // 8 * audio.channels
        self._cut = b""
        self._left = array("h")
        self._position = 0  # of the next sample in those that are left, times `rate`

    def feed(self, data: bytes) -> bytes:
        """The samples that are whole with this piece."""
        data = self._cut + data
        whole = len(data) - len(data) % self._frame
        self._cut = data[whole:]
        mixed = self._mixed(self._read(data[:whole]))
        if self._rate == self._audio.sample_rate:
            return pcm_bytes(mixed)
        self._left += mixed
        return pcm_bytes(self._resampled())

    def _mixed(self, values: "array[int]") -> "array[int]":
        channels = self._audio.channels
        if channels == 1:
            return values
        each = (values[number::channels] for number in range(channels))
        return array("h", (sum(frame) // channels for frame in zip(*each, strict=True)))

    def _resampled(self) -> "array[int]":
        step, rate, at = self._audio.sample_rate, self._rate, self._position
        values = self._left
        reach = step if step > rate else rate
        end = (len(values) - 1) * rate - reach
        positions = range(at, end, step)
        made = self._means(positions) if step > rate else self._lines(positions)
        self._position = at + len(positions) * step
        passed = self._position // rate
        self._left = values[passed:]
        self._position -= passed * rate
        return made

    def _means(self, positions: range) -> "array[int]":
        """The mean from each position to the next, of a line through the sums until there."""
        values, rate, step = self._left, self._rate, self._audio.sample_rate
        sums = list(accumulate(values, initial=0))

        def until(position: int) -> int:
            whole, part = divmod(position, rate)
            return sums[whole] * rate + values[whole] * part

        ends = [until(position) for position in positions]
        if ends:
            ends.append(until(positions[-1] + step))
        return array("h", ((after - before) // step for before, after in pairwise(ends)))

    def _lines(self, positions: range) -> "array[int]":
        values, rate = self._left, self._rate
        made = array("h")
        for position in positions:
            whole, part = divmod(position, rate)
            made.append((values[whole] * (rate - part) + values[whole + 1] * part) // rate)
        return made
