"""Turns: what somebody says until a pause, gathered of what a transcriber hears."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from cartrita.domain.messages import Spoken
from cartrita.domain.speech import (
    Heard,
    ListeningEvent,
    SpeechStarted,
    SpokenWord,
    UtteranceEnded,
)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What was said in one turn; without speech its text is empty. Times are in seconds.

    It began `start` after the listening did, from where its words count. `provider` and `model`
    wrote it down.
    """

    number: int
    text: str
    start: float = 0.0
    duration: float = 0.0
    words: tuple[SpokenWord, ...] = ()
    language: str | None = None
    confidence: float | None = None
    provider: str = ""
    model: str = ""

    @property
    def spoken(self) -> Spoken:
        """How it was said, for the message that it becomes; nothing of the sound is kept.

        There its words count from its own beginning.
        """
        return Spoken(
            duration=self.duration,
            provider=self.provider,
            model=self.model,
            language=self.language,
            confidence=self.confidence,
            words=tuple(self._moved(word) for word in self.words),
        )

    def _moved(self, word: SpokenWord) -> SpokenWord:
        start, end = (round(max(0.0, at - self.start), 3) for at in (word.start, word.end))
        return replace(word, start=start, end=end)


class TurnGathering:
    """Gathers final texts until the turn is taken; turns with words are numbered from 1.

    `longest` is in characters: with more of them a turn is `full`, and what makes it so begins the
    next one.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._finals: list[Heard] = []
        self.number = 1

    @property
    def begun(self) -> bool:
        """Whether anything was said."""
        return bool(self._finals)

    @property
    def full(self) -> bool:
        """Whether the turn has to end here."""
        return len(_text(self._finals)) > self._longest

    def add(self, heard: Heard) -> None:
        """Something was heard; what is not final does not count yet."""
        if heard.final and heard.text.strip():
            self._finals.append(heard)

    def take(self) -> Turn:
        """The turn, which ends here; the next one begins."""
        if not self._finals:
            return Turn(number=self.number, text="")
        whole = len(self._finals)
        end = whole - 1 if self.full and whole > 1 else whole
        finals, self._finals = self._finals[:end], self._finals[end:]
        number, self.number = self.number, self.number + 1
        known = [one.confidence for one in finals if one.confidence is not None]
        return Turn(
            number=number,
            start=finals[0].start,
            text=_text(finals)[: self._longest],
            duration=round(finals[-1].start + finals[-1].duration - finals[0].start, 3),
            words=tuple(word for one in finals for word in one.words),
            language=next((one.language for one in finals if one.language), None),
            confidence=round(sum(known) / len(known), 4) if known else None,
        )


class SpeechInHand:
    """Whether somebody has spoken whose final words have not come; times are those of the audio.

    What was said until `written_to` has its final words.
    """

    def __init__(self) -> None:
        self._spoken_at = -1.0
        self.written_to = 0.0

    def __bool__(self) -> bool:
        return self._spoken_at >= self.written_to

    def take(self, event: ListeningEvent) -> None:
        """Something was heard."""
        match event:
            case SpeechStarted(at):
                self._spoken_at = max(self._spoken_at, at)
            case UtteranceEnded(at):
                self.written_to = max(self.written_to, at)
            case Heard(final=True):
                self.written_to = max(self.written_to, event.start + event.duration)
            case Heard():
                self._spoken_at = max(self._spoken_at, event.start)


def _text(finals: Sequence[Heard]) -> str:
    return " ".join(one.text.strip() for one in finals)
