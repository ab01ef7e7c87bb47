"""Sounds: what recordings are known by and how long they last, and tones that stand for speech."""

import math
import struct

RATE = 24_000
WORD_S = 0.25
"""How long one token of a text is spoken."""
_TONE_HZ = 220
_SIGNATURES = (
    (0, b"ID3"),
    (0, b"\xff\xfb"),
    (0, b"\xff\xf3"),
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"\x1a\x45\xdf\xa3"),
    (4, b"ftyp"),
)
_SILENT_FRAME = b"\xff\xfb\x90\x64" + bytes(413)
"""26 ms of MPEG-1 layer 3 at 44,100 Hz and 128 kbit/s."""
_HEADS = {"opus": b"OggS\0\2", "flac": b"fLaC\0", "aac": b"\xff\xf1\x50\x80", "wav": b""}
ENDLESS = 0xFFFFFFFF
"""The size in the header of what is sent while it is made."""


def seconds(data: bytes) -> float | None:
    """How long a recording lasts, by its header or its size; None if it is no sound."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _of_wav(data)
    if any(data.startswith(signature, at) for at, signature in _SIGNATURES):
        return len(data) / 16_000
    return None


def wav(pcm: bytes, rate: int = RATE, size: int | None = None) -> bytes:
    """A recording of one channel."""
    length = len(pcm) if size is None else size
    riff = min(length + 36, ENDLESS)
    shape = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + shape
    return head + b"data" + struct.pack("<I", length) + pcm


def tone(length: float, rate: int = RATE) -> bytes:
    """PCM of a soft tone."""
    count = int(length * rate)
    step = 2 * math.pi * _TONE_HZ / rate
    return struct.pack(f"<{count}h", *(int(3_000 * math.sin(step * at)) for at in range(count)))


def spoken(tokens: list[str], audio: str, speed: float) -> list[bytes]:
    """The bytes of each token, the head of the format before the first."""
    length = WORD_S / speed
    if audio == "mp3":
        return [_SILENT_FRAME * math.ceil(length / 0.026) for _ in tokens]
    pcm = tone(length)
    if audio in ("pcm", "wav"):
        head = wav(b"", size=ENDLESS) if audio == "wav" else b""
        return [head * (not at) + pcm for at, _ in enumerate(tokens)]
    # Nobody can listen to these: they are as long as such a sound would be, and begin like one.
    return [_HEADS[audio] * (not at) + bytes(int(8_000 * length)) for at, _ in enumerate(tokens)]


def _of_wav(data: bytes) -> float | None:
    at = 12
    rate = 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt " and size >= 16:
            rate = int.from_bytes(data[at + 16 : at + 20], "little")
        if name == b"data":
            return min(size, len(data) - at - 8) / rate if rate else None
        at += 8 + size + size % 2
    return None
