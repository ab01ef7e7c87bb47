"""A recording of somebody who speaks, pauses, and speaks again, made of no real voice."""

import math
import random
from array import array
from typing import Final

from tests.harness.deepgram.launch import as_wave

_PITCH_HZ: Final = 140
_LOUDNESS: Final = 9_000
_OVERTONES: Final = range(1, 25)


def utterances(*timed: tuple[float, float], rate: int = 16_000, rest_s: float = 0.5) -> bytes:
    """A wav with a sound like a voice's in each span of seconds, and silence around them."""
    chance = random.Random(7)
    samples = array("h", bytes(2 * int(rate * (timed[-1][1] + rest_s))))
    for since, until in timed:
        turn = 0.0
        for number in range(int(rate * since), int(rate * until)):
            at = number / rate - since
            glide = 1 + 0.2 * math.sin(3 * at) + 0.02 * chance.random()
            turn += 2 * math.pi * _PITCH_HZ * glide / rate
            syllable = 0.6 + 0.4 * math.sin(2 * math.pi * 4 * at)
            tone = sum(math.sin(turn * each) / each for each in _OVERTONES)
            samples[number] = int(_LOUDNESS * syllable * tone / 2)
    return as_wave(samples.tobytes(), rate=rate)
