"""What happens in a live conversation, as its client is told it."""

from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from cartrita.application.voice.live.turns import Turn
from cartrita.domain.errors import CartritaError
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Admitted
from cartrita.domain.speech import AudioFormat, Heard, PcmFormat


class SpeechEnd(StrEnum):
    """Why an answer is spoken no more."""

    BARGE_IN = "barge_in"
    ASKED = "asked"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BUDGET_EXHAUSTED = "budget_exhausted"


class ListeningBegan(msgspec.Struct, frozen=True, kw_only=True):
    """What is said is heard from now on; the names are those of what listens and what speaks."""

    turn: int
    audio: PcmFormat
    transcriber: str
    synthesizer: str | None
    format: AudioFormat | None


class SomebodySpeaks(msgspec.Struct, frozen=True):
    """Somebody begins to speak, `at` so many seconds."""

    at: float


class HeardInTurn(msgspec.Struct, frozen=True):
    """Something was heard, in the turn of this number."""

    turn: int
    heard: Heard


class TurnEnded(msgspec.Struct, frozen=True):
    """Somebody has spoken; `admitted` is the run that answers, if one does."""

    turn: Turn
    admitted: Admitted | None = None


class SentenceBegan(msgspec.Struct, frozen=True, kw_only=True):
    """Its audio follows, in this format, as this synthesizer makes it."""

    run_id: RunId
    sentence: int
    text: str
    format: AudioFormat
    sample_rate: int | None
    synthesizer: str


class SentenceEnded(msgspec.Struct, frozen=True):
    """All of its audio was told; `seconds` is None where that is not known."""

    run_id: RunId
    sentence: int
    seconds: float | None


class AnswerSpoken(msgspec.Struct, frozen=True):
    """All sentences of an answer were spoken, and heard by now."""

    run_id: RunId


class SpeechStopped(msgspec.Struct, frozen=True):
    """An answer is spoken no more from this sentence on."""

    run_id: RunId
    reason: SpeechEnd
    sentence: int


class ListeningEnded(msgspec.Struct, frozen=True):
    """All that was said was transcribed; `reason` is the error that ended it, if one did."""

    reason: CartritaError | None = None


class LiveFailure(msgspec.Struct, frozen=True):
    """Something was not done, and why: with a run, what concerns its speech."""

    error: CartritaError
    run_id: RunId | None = None


LiveEvent: TypeAlias = (
    ListeningBegan
    | SomebodySpeaks
    | HeardInTurn
    | TurnEnded
    | SentenceBegan
    | SentenceEnded
    | AnswerSpoken
    | SpeechStopped
    | ListeningEnded
    | LiveFailure
)


class LiveClient(Protocol):
    """Who takes part in a live conversation. `tell` and `play` wait while it takes nothing."""

    async def tell(self, event: LiveEvent) -> None:
        """Something has happened."""
        ...

    async def play(self, audio: bytes) -> None:
        """More audio of the sentence that was told last."""
        ...

    def require_room(self) -> None:
        """Raise RateLimited if it follows as many runs as it may."""
        ...

    def rest(self) -> None:
        """Nothing is spoken any more."""
        ...
