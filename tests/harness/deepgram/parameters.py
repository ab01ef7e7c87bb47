"""The query parameters that Deepgram knows, and the values that it takes."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from tests.harness.deepgram.refusals import bad_request

Query: TypeAlias = Sequence[tuple[str, str]]
_Check: TypeAlias = Callable[[str], bool]

VOICES: Final = (
    *(f"aura-2-{name}-en" for name in ("thalia", "andromeda", "apollo", "arcas", "helena", "zeus")),
    *("aura-2-celeste-es", "aura-2-viktoria-de", "aura-asteria-en", "aura-luna-en"),
)
MODELS: Final = ("nova-3", "nova-3-general", "nova-3-medical", "nova-2", "nova-2-general", "base")
LANGUAGES: Final = re.compile(r"multi|[a-z]{2}(-[A-Z]{2}|-[A-Z][a-z]{3}|-419)?")


def _one_of(*values: str) -> _Check:
    return values.__contains__


def _number(least: float, most: float) -> _Check:
    def check(text: str) -> bool:
        return bool(re.fullmatch(r"\d+(\.\d+)?", text)) and least <= float(text) <= most

    return check


def _text(text: str) -> bool:
    return bool(text.strip())


_FLAG: Final = _one_of("true", "false")
_HEARING: Final[Mapping[str, _Check]] = {
    "model": _one_of(*MODELS),
    "language": lambda text: bool(LANGUAGES.fullmatch(text)),
    "version": _one_of("latest"),
    "keyterm": _text,
    "keywords": _text,
    "tag": _text,
    "extra": _text,
    "replace": _text,
    "search": _text,
    "redact": _text,
    "encoding": _one_of("linear16", "linear32", "flac", "mulaw", "alaw", "opus", "ogg-opus"),
    "sample_rate": _number(8000, 48000),
    "channels": _number(1, 8),
    **dict.fromkeys(
        (
            *("smart_format", "punctuate", "numerals", "profanity_filter", "filler_words"),
            *("diarize", "dictation", "multichannel", "mip_opt_out", "detect_entities"),
        ),
        _FLAG,
    ),
}
RECORDED: Final[Mapping[str, _Check]] = {
    **_HEARING,
    **dict.fromkeys(
        ("utterances", "paragraphs", "detect_language", "measurements", "sentiment", "topics"),
        _FLAG,
    ),
    "utt_split": _number(0.1, 10),
}
LIVE: Final[Mapping[str, _Check]] = {
    **_HEARING,
    "interim_results": _FLAG,
    "vad_events": _FLAG,
    "endpointing": lambda text: text == "false" or _number(0, 60_000)(text),
    "utterance_end_ms": _number(1000, 5000),
}
_SPEAKING: Final[Mapping[str, _Check]] = {
    "model": _one_of(*VOICES),
    "mip_opt_out": _FLAG,
    "tag": _text,
    "speed": _number(0.7, 1.5),
    "sample_rate": _number(8000, 48000),
}
SPOKEN: Final[Mapping[str, _Check]] = {
    **_SPEAKING,
    "encoding": _one_of("linear16", "mulaw", "alaw", "mp3", "opus", "flac", "aac"),
    "container": _one_of("none", "wav", "ogg"),
    "bit_rate": _number(4000, 650_000),
}
SPOKEN_LIVE: Final[Mapping[str, _Check]] = {
    **_SPEAKING,
    "encoding": _one_of("linear16", "mulaw", "alaw"),
}
_NO_SUCH: Final = "No such model/language/tier combination found."
_REPEATED: Final = frozenset(("keyterm", "keywords", "tag", "extra", "replace", "search", "redact"))


def checked(query: Query, known: Mapping[str, _Check]) -> dict[str, str]:
    """The parameters that come once. Raises Refused for one that Deepgram does not take."""
    found: dict[str, str] = {}
    for name, value in query:
        check = known.get(name)
        if check is None:
            raise bad_request(f"Unknown query parameter {name}.")
        if not check(value) and name in ("model", "language"):
            raise bad_request(_NO_SUCH)
        if not check(value):
            raise bad_request(f"Invalid value of the query parameter {name}: {value}.")
        if name in found and name not in _REPEATED:
            raise bad_request(f"The query parameter {name} comes twice.")
        found[name] = value
    model = found.get("model", "")
    if "keyterm" in found and not model.startswith("nova-3"):
        raise bad_request("keyterm is taken by Nova-3 only.")
    if found.get("language") == "multi" and not model.startswith(("nova-2", "nova-3")):
        raise bad_request(_NO_SUCH)
    return found
