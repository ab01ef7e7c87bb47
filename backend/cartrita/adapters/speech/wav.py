"""WAV files: what their headers say of the samples, and headers for samples of ours."""

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

from cartrita.domain.recordings import (
    MOST_CHANNELS,
    RATES,
    empty_recording,
    unreadable_recording,
    unsupported_recording,
)
from cartrita.domain.speech import PcmFormat

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_UNKNOWN_LENGTHS: Final = frozenset({0, 0x7FFFF000, 0x7FFFFFDB, 0x7FFFFFFF, 0xFFFFFFDB, 0xFFFFFFFF})
"""What programs write that send a file before they know how long it gets."""
_WIDTHS: Final = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64), _A_LAW: (8,), _MU_LAW: (8,)}
_NAMES: Final = {_PCM: "s", _FLOAT: "f", _A_LAW: "a", _MU_LAW: "u"}
_FORMAT: Final = struct.Struct("<HHIIHH")
_MOST_CHUNKS: Final = 1000
"""Files have a dozen: whoever sends millions of empty ones wants to keep us busy."""


class WavSamples(msgspec.Struct, frozen=True):
    """Where the samples are, and how they are written.

    `encoding` is `s`, `f`, `a` or `u` (signed, but for 8 bits; float; A-law; mu-law) and the bits.
    """

    audio: PcmFormat
    encoding: str
    offset: int
    size: int

    @property
    def frame_bytes(self) -> int:
        """The bytes of one sample in each of the channels."""
        return int(self.encoding[1:]) // 8 * self.audio.channels

    @property
    def duration(self) -> float:
        """In seconds."""
        return self.size / self.frame_bytes / self.audio.sample_rate


def wav_samples(data: bytes) -> WavSamples:
    """What a file that begins as WAV says of itself. Raises InvalidInput."""
    form: tuple[PcmFormat, str] | None = None
    for name, offset, size in _chunks(data):
        if name == b"fmt ":
            form = _form(data[offset : offset + size])
        elif name == b"data":
            if form is None:
                raise unreadable_recording("Its samples begin before it says what they are.")
            return _samples(data, form, offset, size)
    raise unreadable_recording("It has the first bytes of a WAV file, and no samples.")


def wav_header(audio: PcmFormat, octets: int | None = None) -> bytes:
    """The beginning of a file of so many bytes of samples; None if that is not known yet."""
    frame = 2 * audio.channels
    size = 0xFFFFFFFF if octets is None else octets
    body = _FORMAT.pack(
        _PCM, audio.channels, audio.sample_rate, audio.sample_rate * frame, frame, 16
    )
    whole = min(size + 4 + 8 + len(body) + 8, 0xFFFFFFFF)
    return struct.pack("<4sI4s4sI", b"RIFF", whole, b"WAVE", b"fmt ", len(body)) + (
        body + struct.pack("<4sI", b"data", size)
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, at + 8, size
        at += 8 + size + size % 2


def _form(chunk: bytes) -> tuple[PcmFormat, str]:
    if len(chunk) < _FORMAT.size:
        raise unreadable_recording("It does not say what its samples are.")
    tag, channels, rate, _, _, bits = _FORMAT.unpack_from(chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = int.from_bytes(chunk[24:26], "little")
    if not 1 <= channels <= MOST_CHANNELS:
        raise unsupported_recording(
            f"The recording has {channels} channels: send one with 1 to {MOST_CHANNELS}."
        )
    if rate not in RATES:
        raise unsupported_recording(
            f"The recording has {rate} samples a second: send one with {RATES[0]} to {RATES[-1]}."
        )
    if bits not in _WIDTHS.get(tag, ()):
        raise unsupported_recording(
            f"The recording's samples are of a kind that is not read (format {tag}, {bits} bits): "
            "send them as PCM of 16 bits."
        )
    return PcmFormat(rate, channels), f"{_NAMES[tag]}{bits}"


def _samples(data: bytes, form: tuple[PcmFormat, str], offset: int, size: int) -> WavSamples:
    audio, encoding = form
    there = len(data) - offset
    if size in _UNKNOWN_LENGTHS:
        size = there
    if size > there:
        raise unreadable_recording(
            f"It is cut off: {size:,} bytes of samples are announced, and {there:,} are there."
        )
    found = WavSamples(audio, encoding, offset, size)
    whole = size - size % found.frame_bytes
    if not whole:
        raise empty_recording()
    return WavSamples(audio, encoding, offset, whole)
