"""Speech: recordings, what is said in them, and what is spoken of a text."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Self, TypeAlias

import msgspec
from msgspec.structs import replace

LONGEST_SPEECH: Final = 32_000
"""In characters: so much text is spoken at once at most."""


SPEECH_ONLY: Final = frozenset({"deepgram"})
"""Providers that hear and speak, and serve no models that answer."""


class AudioFormat(StrEnum):
    """How speech is encoded; `pcm` is signed 16-bit little-endian without a header."""

    MP3 = "mp3"
    WAV = "wav"
    OPUS = "opus"
    PCM = "pcm"
    FLAC = "flac"
    AAC = "aac"

    @property
    def media_type(self) -> str:
        """What its bytes are sent as; Opus is in an Ogg container."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES: Final = {
    AudioFormat.MP3: "audio/mpeg",
    AudioFormat.WAV: "audio/wav",
    AudioFormat.OPUS: "audio/ogg",
    AudioFormat.PCM: "audio/pcm",
    AudioFormat.FLAC: "audio/flac",
    AudioFormat.AAC: "audio/aac",
}


class PcmFormat(msgspec.Struct, frozen=True):
    """Signed 16-bit little-endian samples, so many a second in each of `channels`."""

    sample_rate: int
    channels: int = 1

    def seconds(self, octets: int) -> float:
        """How long so many bytes of it last."""
        return octets / (2 * self.channels * self.sample_rate)


class SpokenWord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One word and when it was said, in seconds from the beginning; `confidence` is 0 to 1."""

    text: str
    start: float
    end: float
    confidence: float | None = None

    def later(self, seconds: float) -> Self:
        """The same, in audio that began so much earlier."""
        start, end = (round(at + seconds, 3) for at in (self.start, self.end))
        return replace(self, start=start, end=end)


class SpokenSegment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch of speech, as a subtitle shows it."""

    text: str
    start: float
    end: float


class SpeechModel(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A model that transcribes or speaks, as it is offered here.

    `needs` says what it lacks, where it cannot be used: what to install or to set. One that is
    `live` transcribes while somebody speaks, or speaks while a text is written. `label` says in a
    few words what to expect of it. Without `languages` it is asked and decides itself. With
    `own_model` it is of no use without a model that the operator chooses.
    """

    name: str
    needs: str | None = None
    live: bool = False
    label: str = ""
    languages: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    formats: tuple[AudioFormat, ...] = ()
    own_model: bool = False


def least_need(models: Sequence[SpeechModel]) -> str | None:
    """What to install or to set so that one of these can be used: of one that is whole by itself.

    None if none lacks anything.
    """
    lacking = [one for one in models if one.needs]
    return min(lacking, key=lambda one: one.own_model).needs if lacking else None


class Transcript(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was said in `duration` seconds; without speech its text is empty.

    `confidence` is 0 to 1 and None where the transcriber tells none, `language` is a BCP 47 tag.
    """

    text: str
    duration: float
    provider: str
    model: str
    language: str | None = None
    confidence: float | None = None
    words: tuple[SpokenWord, ...] = ()
    segments: tuple[SpokenSegment, ...] = ()


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recording as it was sent, and what was found out of it; `duration` is in seconds.

    It is None where nothing here could tell, and a transcriber has to. One that is `silent` is
    known to hold nothing that is as loud as speech: nobody needs to be asked what is said in it.
    """

    data: bytes
    media_type: str
    duration: float | None = None
    silent: bool = False


class TranscriptionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to transcribe; None leaves it to the transcriber.

    `prompt` are words that are likely to be said, `temperature` is how freely it may guess. What is
    to be `translated` is written down in English, whatever language is spoken; nobody listens so.
    """

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    translated: bool = False


class SpeechStarted(msgspec.Struct, frozen=True):
    """Somebody begins to speak, `at` so many seconds."""

    at: float

    def later(self, seconds: float) -> Self:
        """The same, in audio that began so much earlier."""
        return replace(self, at=self.at + seconds)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard from `start` on, for `duration` seconds.

    An interim one is replaced by the next; what is `final` does not change any more.
    `ends_utterance` is told with the last of what was said before a pause, and `asked` with the
    last of what was said before `Listening.end_utterance`.
    """

    text: str
    start: float
    duration: float
    final: bool
    ends_utterance: bool = False
    asked: bool = False
    confidence: float | None = None
    language: str | None = None
    words: tuple[SpokenWord, ...] = ()

    def later(self, seconds: float) -> Self:
        """The same, in audio that began so much earlier."""
        words = tuple(word.later(seconds) for word in self.words)
        return replace(self, start=self.start + seconds, words=words)


class UtteranceEnded(msgspec.Struct, frozen=True):
    """Nothing was said since the last word, which ended `at` so many seconds: a pause.

    One that is `asked` answers `Listening.end_utterance`, where no last words did.
    """

    at: float
    asked: bool = False

    def later(self, seconds: float) -> Self:
        """The same, in audio that began so much earlier."""
        return replace(self, at=self.at + seconds)


ListeningEvent: TypeAlias = SpeechStarted | Heard | UtteranceEnded


class SpeechRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A text to be spoken; None leaves it to the synthesizer. `speed` 1 is its usual one.

    `instructions` say how, to synthesizers that are models. `owner_id` is whose share of what
    encodes here it takes, which is said where it is known who asks.
    """

    text: str
    owner_id: str | None = None
    model: str | None = None
    voice: str | None = None
    format: AudioFormat | None = None
    speed: float = 1.0
    instructions: str | None = None


class SpokenText(msgspec.Struct, frozen=True):
    """All audio of the texts before is there: so many have been spoken since the beginning."""

    texts: int
