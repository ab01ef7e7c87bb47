"""Audio in encodings that the stand-in makes of no samples: silence, frame by frame."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

_MP3: Final = bytes.fromhex("fff360c4") + bytes(152)
"""A frame of 26 ms: MPEG-2 layer III, 48 kbit/s, 22050 Hz, mono."""
_AAC: Final = bytes.fromhex("fff15c4001bffc00c800802380")
"""A frame of 46 ms in ADTS: low complexity, 22050 Hz, mono."""
_OPUS: Final = bytes.fromhex("f8fffe")
"""A packet of 20 ms."""
_SERIAL: Final = (7).to_bytes(4, "little")


def _mp3(words: int) -> Iterator[bytes]:
    for _ in range(words):
        yield _MP3 * 6


def _aac(words: int) -> Iterator[bytes]:
    for _ in range(words):
        yield _AAC * 4


def _opus(words: int) -> Iterator[bytes]:
    head = b"OpusHead\x01\x01\x38\x01" + (48_000).to_bytes(4, "little") + bytes(3)
    yield _page(0, 0, [head], flags=2) + _page(1, 0, [b"OpusTags" + bytes(8)])
    packets = [_OPUS] * 8
    for number in range(words):
        flags = 4 if number == words - 1 else 0
        yield _page(number + 2, (number + 1) * 8 * 960, packets, flags=flags)


def _page(sequence: int, position: int, packets: list[bytes], *, flags: int = 0) -> bytes:
    """A page of Ogg (RFC 3533)."""
    page = b"OggS\0" + bytes((flags,)) + position.to_bytes(8, "little") + _SERIAL
    page += sequence.to_bytes(4, "little")
    rest = bytes((len(packets),)) + bytes(map(len, packets)) + b"".join(packets)
    return page + _checksum(page + bytes(4) + rest, 32, 0x04C11DB7).to_bytes(4, "little") + rest


def _flac(words: int) -> Iterator[bytes]:
    block = (4096).to_bytes(2, "big") * 2 + bytes(6)
    rate = (48_000 << 44 | 15 << 36).to_bytes(8, "big") + bytes(16)
    yield b"fLaC\x80" + (len(block) + len(rate)).to_bytes(3, "big") + block + rate
    for number in range(words):
        yield _flac_frame(2 * number) + _flac_frame(2 * number + 1)


def _flac_frame(number: int) -> bytes:
    """A frame of 85 ms (RFC 9639): one constant subframe."""
    head = b"\xff\xf8\xc0\x08" + chr(number).encode()
    head += _checksum(head, 8, 0x07).to_bytes(1, "big")
    frame = head + bytes(3)
    return frame + _checksum(frame, 16, 0x8005).to_bytes(2, "big")


def _checksum(data: bytes, bits: int, polynomial: int) -> int:
    most, value = 1 << bits, 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value <<= 1
            if value & most:
                value ^= most | polynomial
    return value


MAKERS: Final[Mapping[str, Callable[[int], Iterator[bytes]]]] = {
    "mp3": _mp3,
    "aac": _aac,
    "opus": _opus,
    "flac": _flac,
}
