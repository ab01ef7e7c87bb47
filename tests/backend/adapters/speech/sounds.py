"""Sounds for tests: samples, and WAV files of them."""

import math
import random
import struct
from array import array

RATE = 16_000


def tone(seconds: float, *, rate: int = RATE, hertz: float = 440.0, level: float = 0.3) -> bytes:
    """A sine wave."""
    count = int(seconds * rate)
    return array(
        "h", (int(32767 * level * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count))
    ).tobytes()


def silence(seconds: float, *, rate: int = RATE) -> bytes:
    return bytes(2 * int(seconds * rate))


def noise(seconds: float, seed: int, *, level: float = 0.1) -> bytes:
    """White noise, the same for the same seed."""
    chance = random.Random(seed)
    return array(
        "h", (int(32767 * level * chance.uniform(-1, 1)) for _ in range(int(seconds * RATE)))
    ).tobytes()


def babble(seconds: float, seed: int = 1) -> bytes:
    """Sound that comes and goes as speech does: syllables of 150 ms, with 50 ms between them."""
    made = b""
    chance = random.Random(seed)
    while len(made) < 2 * RATE * seconds:
        made += tone(0.15, hertz=chance.uniform(100, 400)) + noise(0.05, seed, level=0.002)
    return made[: 2 * int(RATE * seconds)]


def wav(
    samples: bytes,
    *,
    rate: int = RATE,
    channels: int = 1,
    bits: int = 16,
    tag: int = 1,
    size: int | None = None,
    extra: bytes = b"",
    before: bytes = b"",
) -> bytes:
    """A WAV file that says these things of itself, true or not."""
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits) + extra
    data = struct.pack("<4sI", b"data", len(samples) if size is None else size) + samples
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(form)) + form + before + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
