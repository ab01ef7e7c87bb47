"""What the stand-in hears: words and pauses, by the energy of the samples and their tones.

A word that has a tone is heard when its gap comes. Another sound, as of a person, is heard as the
next of the sentences that were given for such, a word for each 0.3 s of it.
"""

from array import array
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from tests.harness.deepgram.tones import LONGEST_WORD_S, Words, frequency_of

FRAME_S: Final = 0.01
_LOUD: Final = 600
_GAP_FRAMES: Final = 2
"""So long a silence ends a word."""
_SCRIPTED_WORD_S: Final = 0.3


class Word(msgspec.Struct, frozen=True):
    """A word as it is written with its punctuation, and when it was said."""

    text: str
    start: float
    end: float


class Ear:
    """Hears one stream of samples; `now` is how many seconds of it were heard."""

    def __init__(
        self, rate: int, channels: int, words: Words, next_sentence: Callable[[], str]
    ) -> None:
        self._rate = rate
        self._channels = channels
        self._words = words
        self._next_sentence = next_sentence
        self._frame = int(rate * FRAME_S)
        self._rest = b""
        self._sound: array[int] = array("h")
        self._silent_frames = 0
        self._frames = 0
        self._sentence: list[str] = []
        self._sentence_start = 0.0
        self._said = 0
        self.heard: list[Word] = []
        """Words since `take` was called."""
        self.sound_end: float | None = None
        """When the last sound ended; None before the first."""

    @property
    def now(self) -> float:
        return round(self._frames * FRAME_S, 6)

    @property
    def sounding(self) -> bool:
        """Whether there is a sound at this moment."""
        return bool(self._sound)

    def hear(self, data: bytes) -> Iterator[None]:
        """Hear more, 10 ms after 10 ms: what is known is looked at after each of them."""
        size = 2 * self._channels * self._frame
        data = self._rest + data
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        for at in range(0, whole, size):
            samples = array("h", data[at : at + size])
            self._hear_frame(samples[:: self._channels])
            yield

    def take(self, *, all_of_it: bool) -> list[Word]:
        """The words since the last time; with `all_of_it` also what has not come to its end."""
        if all_of_it:
            self._end_sound()
            self._end_sentence()
        words, self.heard = self.heard, []
        return words

    def _hear_frame(self, samples: "array[int]") -> None:
        self._frames += 1
        if max(samples) > _LOUD or min(samples) < -_LOUD:
            self._sound.extend(samples)
            self._silent_frames = 0
            self.sound_end = self.now
            self._hear_person()
            return
        self._silent_frames += 1
        if self._silent_frames == _GAP_FRAMES:
            self._end_sound()

    def _hear_person(self) -> None:
        """A sound that goes on is no tone of a word."""
        lasted = len(self._sound) / self._rate
        if lasted <= LONGEST_WORD_S and not self._sentence:
            return
        if not self._sentence:
            self._sentence, self._said = self._next_sentence().split(), 0
            self._sentence_start = self.now - lasted
        due = int((self.now - self._sentence_start) / _SCRIPTED_WORD_S)
        if self._said < min(due, len(self._sentence) - 1):
            start = self._sentence_start + self._said * _SCRIPTED_WORD_S
            self._add(self._sentence[self._said], start, start + _SCRIPTED_WORD_S)
            self._said += 1

    def _end_sound(self) -> None:
        sound, self._sound = self._sound, array("h")
        if not sound or self._sentence:
            return
        found = frequency_of(sound, self._rate)
        word = None if found is None else self._words.at(found)
        if word is not None and self.sound_end is not None:
            self._add(word, self.sound_end - len(sound) / self._rate, self.sound_end)

    def _end_sentence(self) -> None:
        """The pause is there: the words that are left were said up to it."""
        sentence, self._sentence = self._sentence, []
        start = self._sentence_start + self._said * _SCRIPTED_WORD_S
        left = sentence[self._said :]
        each = max((self.sound_end or start) - start, 0.0) / len(left) if left else 0.0
        for number, word in enumerate(left):
            self._add(word, start + number * each, start + (number + 1) * each)

    def _add(self, text: str, start: float, end: float) -> None:
        self.heard.append(Word(text, round(start, 3), round(end, 3)))
