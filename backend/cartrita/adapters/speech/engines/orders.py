"""What the process of an engine is told, frame by frame, and what it answers, line by line."""

import struct
from typing import Final, Protocol, TypeAlias

import msgspec

from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.domain.speech import SpokenWord

SAMPLE_RATE: Final = 16_000
"""Of what all engines listen to, in one channel."""
FRAME_HEAD: Final = struct.Struct("<cI")
"""The kind of a frame, and the bytes of sound that follow."""
LONGEST_FRAME: Final = 1 << 20
ADD: Final = b"a"
INTERIM: Final = b"i"
FINAL: Final = b"f"
DROP: Final = b"d"
"""More of the utterance; what is it so far; it has ended, what is it; it has ended and is none."""


class EngineOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Which engine it is, with which model, and what it is to know beforehand.

    `audio` are samples a second and channels of the sound, which is made what engines listen to.
    One that is `live` goes along with it, to have interim texts and the final one soon. What
    is to be `translated` is written down in English.
    """

    engine: str
    sample_rate: int
    channels: int
    bounds: ProcessBounds
    live: bool = False
    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    translated: bool = False
    threads: int = 1


class TextLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="text"):
    """What is said in the utterance; the times of words are since its beginning."""

    text: str
    confidence: float | None = None
    language: str | None = None
    words: tuple[SpokenWord, ...] = ()


class EngineFailure(msgspec.Struct, frozen=True, tag="failed"):
    """Why the engine cannot be used, for a log: it may name files of this machine."""

    detail: str


EngineLine: TypeAlias = TextLine | EngineFailure


class UtteranceEngine(Protocol):
    """Transcribes one utterance after the other, of samples at `SAMPLE_RATE` in one channel."""

    def add(self, pcm: bytes) -> None:
        """More of the utterance."""
        ...

    def interim(self) -> str:
        """What is said so far, as far as is known."""
        ...

    def final(self) -> TextLine:
        """What was said in the utterance, which has ended."""
        ...

    def drop(self) -> None:
        """The utterance has ended, and what it was is not asked."""
        ...
