"""What Deepgram writes of a recording and of live audio, as transcripts and their words."""

from typing import Final, TypeVar

import msgspec

from cartrita.adapters.speech.deepgram_errors import NAME, malformed
from cartrita.domain.speech import Heard, SpokenSegment, SpokenWord, Transcript
from cartrita.kit import json_answers
from cartrita.kit.text import storable_text

T = TypeVar("T")
_JSON: Final = "something that is no transcript"


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float
    confidence: float | None = None
    punctuated_word: str | None = None


class _Alternative(msgspec.Struct):
    transcript: str = ""
    confidence: float | None = None
    words: list[_Word] = []
    languages: list[str] = []


class _Channel(msgspec.Struct):
    alternatives: list[_Alternative] = []
    detected_language: str | None = None


class _Utterance(msgspec.Struct):
    start: float
    end: float
    transcript: str


class _Metadata(msgspec.Struct):
    duration: float


class _Results(msgspec.Struct):
    channels: list[_Channel]
    utterances: list[_Utterance] | None = None


class _Answer(msgspec.Struct):
    metadata: _Metadata
    results: _Results


class ListeningFrame(msgspec.Struct, kw_only=True):
    """A message of live audio, of any type; what it does not have is as if it were 0 or absent.

    `channel` is of results an object, of others a list of numbers.
    """

    type: str
    start: float = 0.0
    duration: float = 0.0
    is_final: bool | None = None
    speech_final: bool | None = None
    from_finalize: bool | None = None
    timestamp: float = 0.0
    last_word_end: float = 0.0
    description: str | None = None
    channel: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def ends_utterance(self) -> bool:
        """Whether nothing was said after it, or nothing more of it is wanted."""
        return bool(self.speech_final or self.from_finalize)


def transcript_of(body: bytes, model: str, language: str | None) -> Transcript:
    """The transcript of a recording. Raises UpstreamMalformed."""
    answer = _read(body, _Answer)
    channel = answer.results.channels[0] if answer.results.channels else _Channel()
    best = channel.alternatives[0] if channel.alternatives else _Alternative()
    text = storable_text(best.transcript).strip()
    return Transcript(
        text=text,
        duration=max(answer.metadata.duration, 0.0),
        provider=NAME,
        model=model,
        language=_language(channel.detected_language, best, language),
        confidence=_confidence(best) if text else None,
        words=_words(best),
        segments=tuple(
            SpokenSegment(storable_text(one.transcript), one.start, one.end)
            for one in answer.results.utterances or ()
        ),
    )


def frame_of(message: str) -> ListeningFrame:
    """A frame of live audio. Raises UpstreamMalformed."""
    return _read(message.encode("utf-8", "surrogatepass"), ListeningFrame)


def heard_in(frame: ListeningFrame, language: str | None) -> Heard:
    """What the `Results` are of. Raises UpstreamMalformed."""
    channel = _read(bytes(frame.channel), _Channel)
    best = channel.alternatives[0] if channel.alternatives else _Alternative()
    return Heard(
        text=storable_text(best.transcript).strip(),
        start=max(frame.start, 0.0),
        duration=max(frame.duration, 0.0),
        final=bool(frame.is_final),
        ends_utterance=bool(frame.is_final) and frame.ends_utterance,
        asked=bool(frame.is_final and frame.from_finalize),
        confidence=_confidence(best),
        language=_language(None, best, language),
        words=_words(best),
    )


def _read(body: bytes, kind: type[T]) -> T:
    try:
        json_answers.refuse_unreadable(body)
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError):  # msgspec's errors are such
        raise malformed(_JSON) from None


def _words(best: _Alternative) -> tuple[SpokenWord, ...]:
    return tuple(
        SpokenWord(
            storable_text(one.punctuated_word or one.word), one.start, one.end, one.confidence
        )
        for one in best.words
    )


def _confidence(best: _Alternative) -> float | None:
    return None if best.confidence is None else min(max(best.confidence, 0.0), 1.0)


def _language(detected: str | None, best: _Alternative, asked: str | None) -> str | None:
    found = detected or next(iter(best.languages), None) or asked
    return None if found is None or found == "multi" else storable_text(found)
