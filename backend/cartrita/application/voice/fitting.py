"""What is asked of each engine that speaks: its own model, in a voice and a format that it has."""

from collections.abc import Sequence

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
