"""What a request means in Deepgram's words: query parameters of models, languages and voices.

Source: developers.deepgram.com (models and languages, keyterm, speech's media output settings).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from cartrita.adapters.speech.deepgram_service import DeepgramService, Query
from cartrita.adapters.speech.deepgram_voices import BY_NAME, FAMILY
from cartrita.domain.errors import NotOffered
from cartrita.domain.speech import AudioFormat, PcmFormat, SpeechRequest, TranscriptionOptions

SAMPLE_RATE: Final = 24_000
"""Of speech, in samples a second: what its voices are made at."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VOICE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
_VOICES: Final = "aura-"
"""What the names of all voices begin with so far."""
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}|multi")
_SPEEDS: Final = (0.7, 1.5)
_KEYTERMS: Final = 40
_KEYTERM_CHARACTERS: Final = 800
"""It takes 500 tokens of them: so much is less in any language."""
_SEPARATORS: Final = re.compile(r"[,;.:!?\n]+")
_USUAL_UTTERANCE_END_MS: Final = 1000
"""The least that it takes."""
_ENCODINGS: Final[Mapping[AudioFormat, Query]] = {
    AudioFormat.MP3: (("encoding", "mp3"),),
    AudioFormat.OPUS: (("encoding", "opus"), ("container", "ogg")),
    AudioFormat.FLAC: (("encoding", "flac"),),
    AudioFormat.AAC: (("encoding", "aac"),),
    AudioFormat.WAV: (
        ("encoding", "linear16"),
        ("container", "wav"),
        ("sample_rate", str(SAMPLE_RATE)),
    ),
    AudioFormat.PCM: (
        ("encoding", "linear16"),
        ("container", "none"),
        ("sample_rate", str(SAMPLE_RATE)),
    ),
}


class HearingOptions(msgspec.Struct, frozen=True):
    """The model and the language of a transcription, as they are asked for."""

    model: str
    language: str | None
    keyterms: tuple[str, ...] = ()

    @property
    def query(self) -> Query:
        """What recordings and live audio have in common."""
        return (
            ("model", self.model),
            ("smart_format", "true"),
            ("punctuate", "true"),
            *(("keyterm", one) for one in self.keyterms),
        )


def hearing_options(service: DeepgramService, options: TranscriptionOptions) -> HearingOptions:
    """Raises NotOffered for names that are none."""
    model = _checked("model", options.model or service.model, _NAME)
    language = options.language
    if language is not None:
        _checked("language", language, _LANGUAGE)
    terms = tuple(_keyterms(options.prompt or "")) if _is_newest(model) else ()
    return HearingOptions(model, language, terms)


def recording_query(options: HearingOptions) -> Query:
    """Of POST /v1/listen: without a language it finds out which one it is."""
    language = options.language
    told = ("detect_language", "true") if language is None else ("language", language)
    return (*options.query, ("utterances", "true"), told)


def live_query(service: DeepgramService, options: HearingOptions, audio: PcmFormat) -> Query:
    """Of the WebSocket /v1/listen, which knows several languages at once, but finds out none."""
    language = options.language or ("multi" if _is_newest(options.model) else None)
    return (
        *options.query,
        *((("language", language),) if language else ()),
        ("encoding", "linear16"),
        ("sample_rate", str(audio.sample_rate)),
        ("channels", str(audio.channels)),
        ("interim_results", "true"),
        ("endpointing", str(service.pause_ms)),
        ("utterance_end_ms", str(max(service.pause_ms, _USUAL_UTTERANCE_END_MS))),
        ("vad_events", "true"),
    )


def voice_query(service: DeepgramService, request: SpeechRequest) -> Query:
    """The voice, and its speed where it is not the usual one. Raises NotOffered."""
    least, most = _SPEEDS
    if not least <= request.speed <= most:
        raise NotOffered.of("speed", f"Deepgram's voices speak at {least} to {most} times.")
    speed = (("speed", f"{request.speed:g}"),) if request.speed != 1 else ()
    return (("model", _voice(service, request)), *speed)


def _voice(service: DeepgramService, request: SpeechRequest) -> str:
    """The model that speaks, which at Deepgram is a voice: `thalia` stands for `aura-2-thalia-en`.

    Raises NotOffered.
    """
    model = None if request.model is None else _checked("model", request.model.lower(), _NAME)
    if request.voice is None:
        return service.voice if model in (None, FAMILY) else model
    voice = request.voice.lower()
    return BY_NAME.get(voice) or _checked("voice", voice, _VOICE)


def may_be_voice(name: str) -> bool:
    """Whether it is the short name of a voice, or has the shape of a whole one."""
    voice = name.lower()
    return voice in BY_NAME or (voice.startswith(_VOICES) and bool(_VOICE.fullmatch(voice)))


def encoding_query(audio: AudioFormat) -> Query:
    """How POST /v1/speak encodes a speech."""
    return _ENCODINGS[audio]


def rate_of(audio: AudioFormat) -> int | None:
    """The sample rate of a format that does not tell it itself."""
    return SAMPLE_RATE if audio is AudioFormat.PCM else None


def _is_newest(model: str) -> bool:
    return model.startswith("nova-3")


def _checked(field: str, name: str, shape: re.Pattern[str]) -> str:
    if not shape.fullmatch(name):
        raise NotOffered.of(field, f"Deepgram has no {field} of such a name.")
    return name


def _keyterms(prompt: str) -> Iterator[str]:
    """The first phrases of a prompt."""
    left = _KEYTERM_CHARACTERS
    for phrase in _SEPARATORS.split(prompt)[:_KEYTERMS]:
        words = " ".join(phrase.split())
        left -= len(words)
        if left < 0:
            return
        if words:
            yield words
