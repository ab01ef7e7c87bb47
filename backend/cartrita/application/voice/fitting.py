"""What is asked of each engine that speaks: its own model, in a voice and a format that it has."""

from collections.abc import Container, Sequence

from msgspec.structs import replace

from cartrita.application.voice.engines import Engine
from cartrita.domain.errors import NotOffered
from cartrita.domain.ports.speech import SpeechSynthesizer
from cartrita.domain.speech import AudioFormat, SpeechModel, SpeechRequest


def fitted(
    engine: Engine[SpeechSynthesizer],
    request: SpeechRequest,
    others: Sequence[SpeechSynthesizer] = (),
) -> SpeechRequest:
    """The request as this engine can serve it. Raises NotOffered.

    It speaks in its usual voice instead of one that only `others` have.
    """
    asked = replace(_voiced(engine, request, others), model=engine.model or request.model)
    offered = engine.offered
    if offered is None:
        return asked
    return replace(asked, format=_format(engine.label, offered, request.format))


def require_fitting(
    engines: Sequence[Engine[SpeechSynthesizer]],
    request: SpeechRequest,
    others: Sequence[SpeechSynthesizer] = (),
) -> None:
    """Raises NotOffered where none of them has the voice, or the format, of a request."""
    voice = request.voice
    if voice is not None and not _is_known(voice, engines, others):
        names = ", ".join(engine.label for engine in engines)
        raise NotOffered.of("voice", f"{names} has none of this name; see GET /api/voice")
    refusals: list[NotOffered] = []
    for engine in engines:
        try:
            fitted(engine, request, others)
        except NotOffered as refusal:
            refusals.append(refusal)
    if len(refusals) == len(engines):
        raise refusals[0]


def _is_known(
    voice: str,
    engines: Sequence[Engine[SpeechSynthesizer]],
    others: Sequence[SpeechSynthesizer],
) -> bool:
    if any(voice in _voices(one) for one in others):
        return True
    return any(voice in _told(one) or one.service.may_know(voice) for one in engines)


def _told(engine: Engine[SpeechSynthesizer]) -> Container[str]:
    """The voices that an engine tells of itself."""
    return _voices(engine.service) if engine.offered is None else engine.offered.voices


def _voiced(
    engine: Engine[SpeechSynthesizer], request: SpeechRequest, others: Sequence[SpeechSynthesizer]
) -> SpeechRequest:
    own = _voices(engine.service)
    if request.voice is None or not own or request.voice in own:
        return request
    known = any(request.voice in _voices(one) for one in others)
    return replace(request, voice=None) if known else request


def _voices(service: SpeechSynthesizer) -> frozenset[str]:
    return frozenset(voice for one in service.models for voice in one.voices)


def _format(label: str, offered: SpeechModel, wanted: AudioFormat | None) -> AudioFormat | None:
    """What is asked for, or mp3, or else wav. Raises NotOffered."""
    formats = offered.formats
    if wanted is None:
        return AudioFormat.MP3 if not formats or AudioFormat.MP3 in formats else AudioFormat.WAV
    if formats and wanted not in formats:
        raise NotOffered.of("format", f"{label} speaks in {', '.join(formats)} only")
    return wanted
