"""Frames that the server sends on `/ws/voice` beside the speech."""

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from cartrita.surfaces.native.websocket.server_frames import SHARED_ANSWERS

StopReason: TypeAlias = Literal["barge_in", "asked", "failed", "cancelled", "budget_exhausted"]


class HeardWord(msgspec.Struct, frozen=True):
    """A word and when it was said, in seconds since `start`; `confidence` is 0 to 1."""

    word: str
    start: float
    end: float
    confidence: float | UnsetType = UNSET


class ListeningFrame(msgspec.Struct, frozen=True, tag_field="type", tag="listening", kw_only=True):
    """The answer to `start`: what is said is heard from now on, as the turn of this number.

    `sample_rate` is that of the audio that is heard. The `synthesizer` is the preferred one: which
    speaks is told by each sentence. Without speech there is none.
    """

    turn: int
    transcriber: str
    synthesizer: str | UnsetType = UNSET
    speech_format: str | UnsetType = UNSET
    sample_rate: int


class SpeechStartedFrame(msgspec.Struct, frozen=True, tag_field="type", tag="speech_started"):
    """Somebody begins to speak, `at` so many seconds after `start`."""

    at: float


class TranscriptFrame(
    msgspec.Struct, frozen=True, tag_field="type", tag="transcript", kw_only=True
):
    """What was heard from `start` on, for `duration` seconds; one that is not `final` may change.

    The final ones of a turn follow each other, and an interim one follows those before it.
    """

    turn: int
    text: str
    start: float
    duration: float
    final: bool
    words: tuple[HeardWord, ...] | UnsetType = UNSET
    confidence: float | UnsetType = UNSET
    language: str | UnsetType = UNSET


class TurnFrame(msgspec.Struct, frozen=True, tag_field="type", tag="turn", kw_only=True):
    """Somebody has spoken to the end: what was said, and the run that answers it, if one does.

    After `end_turn` its text may be empty, since nothing was said; that is not answered.
    """

    turn: int
    text: str
    duration: float
    words: tuple[HeardWord, ...] = ()
    language: str | UnsetType = UNSET
    run_id: str | UnsetType = UNSET
    conversation_id: str | UnsetType = UNSET


class SpeechStartFrame(
    msgspec.Struct, frozen=True, tag_field="type", tag="speech_start", kw_only=True
):
    """The binary frames after it speak this sentence of the answer, which are numbered from 0."""

    run_id: str
    sentence: int
    text: str
    format: str
    sample_rate: int | UnsetType = UNSET
    synthesizer: str | UnsetType = UNSET


class SpeechEndFrame(msgspec.Struct, frozen=True, tag_field="type", tag="speech_end", kw_only=True):
    """All audio of a sentence is sent, which lasts so many `seconds` where that is known."""

    run_id: str
    sentence: int
    seconds: float | UnsetType = UNSET


class SpeechDoneFrame(msgspec.Struct, frozen=True, tag_field="type", tag="speech_done"):
    """The whole answer is spoken."""

    run_id: str


class SpeechStoppedFrame(msgspec.Struct, frozen=True, tag_field="type", tag="speech_stopped"):
    """An answer is spoken no more from this sentence on, and audio that waits is to be dropped.

    `reason` says whether somebody spoke, the client asked for it, it failed, the run did, or a
    budget is used up.
    """

    run_id: str
    reason: StopReason
    sentence: int


class StoppedFrame(msgspec.Struct, frozen=True, tag_field="type", tag="stopped"):
    """Nothing more is heard: the answer to `stop`, or behind an error that ends the listening.

    `reason` is the code of that error, as `budget_exhausted` or `silence`.
    """

    reason: str | UnsetType = UNSET


ANSWERS: Final = (
    ListeningFrame,
    SpeechStartedFrame,
    TranscriptFrame,
    TurnFrame,
    SpeechStartFrame,
    SpeechEndFrame,
    SpeechDoneFrame,
    SpeechStoppedFrame,
    StoppedFrame,
    *SHARED_ANSWERS,
)
