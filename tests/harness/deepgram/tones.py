"""Words as tones: how the stand-in speaks, and by which it knows again what was said."""

import math
from array import array
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

WORD_S: Final = 0.12
GAP_S: Final = 0.04
"""How long a word lasts, and the gap after it."""
LONGEST_WORD_S: Final = 0.2
"""A sound that lasts longer is no word's tone, at any speed."""
_LOWEST: Final = 300.0
_STEP: Final = 14.0
MOST_WORDS: Final = 143
"""More would not be told apart at 8000 samples a second."""
_LOUDNESS: Final = 8000
_IRREGULAR: Final = 0.25
"""The deviation of the lengths of half waves, of which a tone has less and a voice more."""


class Words:
    """The words that have a tone, each in the order in which it was first said."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def numbers(self, text: str) -> list[int]:
        """The numbers of the words of a text; those that are new get the next ones."""
        return [self._number(word) for word in text.split()]

    def at(self, frequency: float) -> str | None:
        """The word that has this tone."""
        number = round((frequency - _LOWEST) / _STEP)
        near = abs(frequency - _LOWEST - number * _STEP) < _STEP * 0.4
        return self._words[number] if near and 0 <= number < len(self._words) else None

    def _number(self, word: str) -> int:
        if word not in self._words:
            if len(self._words) == MOST_WORDS:
                raise ValueError(
                    f"No more than {MOST_WORDS} words have a tone; reset forgets them."
                )
            self._words.append(word)
        return self._words.index(word)


def tone(number: int, rate: int, seconds: float = WORD_S) -> "array[int]":
    """The tone of one word."""
    turn = 2 * math.pi * (_LOWEST + _STEP * number) / rate
    return array("h", (round(_LOUDNESS * math.sin(turn * at)) for at in range(int(rate * seconds))))


def spoken(
    numbers: Iterable[int], rate: int, *, channels: int = 1, speed: float = 1.0
) -> Iterable[bytes]:
    """The samples of one word after the other, each with the gap after it."""
    gap = array("h", bytes(2 * int(rate * GAP_S / speed)))
    for number in numbers:
        word = tone(number, rate, WORD_S / speed) + gap
        yield (word if channels == 1 else _repeated(word, channels)).tobytes()


def silence(seconds: float, rate: int, channels: int = 1) -> bytes:
    """Samples in which nothing is heard."""
    return bytes(2 * channels * int(rate * seconds))


def frequency_of(samples: "array[int]", rate: int) -> float | None:
    """The frequency of a sound that is one tone."""
    crossings = [
        at + before / (before - after)
        for at, (before, after) in enumerate(pairwise(samples))
        if (before < 0) != (after < 0)
    ]
    halves = [later - earlier for earlier, later in pairwise(crossings)]
    if len(halves) < 8:
        return None
    mean = sum(halves) / len(halves)
    deviation = math.sqrt(sum((one - mean) ** 2 for one in halves) / len(halves))
    return rate / (2 * mean) if deviation < _IRREGULAR * mean else None


def _repeated(samples: "array[int]", channels: int) -> "array[int]":
    return array("h", (one for one in samples for _ in range(channels)))
