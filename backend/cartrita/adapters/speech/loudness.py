"""How loud sound is, in stretches as short as a sound of speech."""

from array import array
from math import log10
from operator import mul
from typing import Final

from cartrita.domain.speech import PcmFormat

FRAME_S: Final = 0.02
QUIETEST_SPEECH_DB: Final = -50.0
"""Against the loudest that there can be. Digital speech is some 30 dB louder."""
_SILENCE_DB: Final = -100.0
_LOUDEST_POWER: Final = 32768.0**2


def frame_bytes(audio: PcmFormat) -> int:
    """The bytes of one stretch."""
    return int(audio.sample_rate * FRAME_S) * 2 * audio.channels


def loudness_db(samples: "array[int]") -> float:
    """Of these samples, without what in them does not change; 0 is the loudest there can be."""
    count = len(samples)
    if not count:
        return _SILENCE_DB
    mean = sum(samples) / count
    power = sum(map(mul, samples, samples)) / count - mean * mean
    return 10 * log10(power / _LOUDEST_POWER) if power >= 1 else _SILENCE_DB
