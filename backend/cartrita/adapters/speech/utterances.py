"""Finds in sound where somebody speaks: utterances, which end with a pause.

Only loudness is looked at, in stretches of 20 ms. Speech is louder than what is always there, and
its loudness changes: a hum or a hiss is none, however loud it is.
"""

from collections import deque
from typing import Final, TypeAlias

import msgspec

from cartrita.adapters.speech.loudness import (
    FRAME_S,
    QUIETEST_SPEECH_DB,
    frame_bytes,
    loudness_db,
)
from cartrita.adapters.speech.samples import pcm_array
from cartrita.domain.speech import PcmFormat

_QUIETEST_FLOOR_DB: Final = -70.0
_BEGINS_ABOVE_DB, _GOES_ON_ABOVE_DB = 9.0, 6.0
"""So much louder than the floor somebody begins to speak, and goes on to."""
_WINDOW, _FIRST_WINDOW = 100, 10
"""Stretches whose quietest tenth are the floor, and how many there must be."""
_LATEST, _LOUD_OF_LATEST = 6, 4
_MODULATED_DB: Final = 5.0
"""The quietest tenth of speech is at least so much below its loudest tenth: of a hiss it is 1."""


class UtteranceRules(msgspec.Struct, frozen=True, kw_only=True):
    """In seconds: the pause that ends an utterance, what is kept of the sound before it, and the
    longest one, which is cut.
    """

    pause: float = 0.6
    lead: float = 0.4
    longest: float = 25.0


class Began(msgspec.Struct, frozen=True):
    """Somebody speaks since `at` seconds; the sound that is told begins `start` seconds."""

    at: float
    start: float


class Said(msgspec.Struct, frozen=True):
    """More sound of the utterance."""

    pcm: bytes


class Ended(msgspec.Struct, frozen=True):
    """The last of it was said `at` seconds. If it was no `speech`, its sound did not change.

    One that is `asked` did not end with a pause, but because somebody said so.
    """

    at: float
    speech: bool
    asked: bool = False


UtteranceEvent: TypeAlias = Began | Said | Ended


class Utterances:
    """Is fed with sound, in pieces of any length, and tells of what is said in it."""

    def __init__(self, audio: PcmFormat, rules: UtteranceRules | None = None) -> None:
        self._rules = rules or UtteranceRules()
        self._frame = frame_bytes(audio)
        self._rest = b""
        self._count = 0
        self._window = deque[float](maxlen=_WINDOW)
        self._latest = deque[bool](maxlen=_LATEST)
        self._before = deque[bytes]()
        self._speech: list[float] | None = None
        self._quiet = 0

    @property
    def at(self) -> float:
        """So many seconds have been heard."""
        return self._count * FRAME_S

    def feed(self, pcm: bytes) -> list[UtteranceEvent]:
        """What is found with this piece."""
        self._rest += pcm
        events: list[UtteranceEvent] = []
        whole = len(self._rest) - len(self._rest) % self._frame
        for start in range(0, whole, self._frame):
            self._hear(self._rest[start : start + self._frame], events)
        self._rest = self._rest[whole:]
        return events

    def end(self) -> list[UtteranceEvent]:
        """End the utterance that goes on, if one does."""
        return [] if self._speech is None else [self._ended(self._speech)]

    def _hear(self, frame: bytes, events: list[UtteranceEvent]) -> None:
        self._count += 1
        loudness = loudness_db(pcm_array(frame))
        self._window.append(loudness)
        if self._speech is None:
            self._wait(frame, loudness, events)
        else:
            self._go_on(self._speech, frame, loudness, events)

    def _wait(self, frame: bytes, loudness: float, events: list[UtteranceEvent]) -> None:
        self._before.append(frame)
        # Until the floor is well known all is kept: somebody may have spoken from the beginning.
        while len(self._window) == _WINDOW and len(self._before) * FRAME_S > self._rules.lead:
            self._before.popleft()
        if len(self._window) < _FIRST_WINDOW:
            return
        self._latest.append(loudness > self._threshold(_BEGINS_ABOVE_DB))
        if sum(self._latest) < _LOUD_OF_LATEST:
            return
        before = len(self._before)
        start = self.at - before * FRAME_S
        events += [
            Began(self.at - min(before, _LATEST) * FRAME_S, start), Said(b"".join(self._before))
        ]  # fmt: skip
        self._speech = list(self._window)[-min(before, _LATEST) :]
        self._quiet = 0
        self._before.clear()
        self._latest.clear()

    def _go_on(
        self, speech: list[float], frame: bytes, loudness: float, events: list[UtteranceEvent]
    ) -> None:
        events.append(Said(frame))
        speech.append(loudness)
        loud = loudness > self._threshold(_GOES_ON_ABOVE_DB)
        self._quiet = 0 if loud else self._quiet + 1
        too_long = len(speech) * FRAME_S >= self._rules.longest
        if too_long or self._quiet * FRAME_S >= self._rules.pause:
            events.append(self._ended(speech))

    def _ended(self, speech: list[float]) -> Ended:
        self._speech = None
        said = sorted(speech[: len(speech) - self._quiet] or speech)
        tenth = len(said) // 10
        changed = said[-1 - tenth] - said[tenth] >= _MODULATED_DB
        return Ended(self.at - self._quiet * FRAME_S, changed)

    def _threshold(self, above: float) -> float:
        floor = sorted(self._window)[len(self._window) // 10]
        return max(QUIETEST_SPEECH_DB, max(floor, _QUIETEST_FLOOR_DB) + above)
