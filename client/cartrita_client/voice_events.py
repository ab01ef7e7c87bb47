"""What happens in a live conversation, as its reader is told it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from cartrita_client.errors import CartritaApiError, NotCartrita
from cartrita_client.events import ChatEvent
from cartrita_client.generated import models

_FRAMES = {
    "listening": models.ListeningFrame,
    "speech_started": models.SpeechStartedFrame,
    "transcript": models.TranscriptFrame,
    "turn": models.TurnFrame,
    "speech_start": models.SpeechStartFrame,
    "speech_end": models.SpeechEndFrame,
    "speech_done": models.SpeechDoneFrame,
    "speech_stopped": models.SpeechStoppedFrame,
    "stopped": models.StoppedFrame,
}
VoiceFrame: TypeAlias = (
    models.ListeningFrame
    | models.SpeechStartedFrame
    | models.TranscriptFrame
    | models.TurnFrame
    | models.SpeechStartFrame
    | models.SpeechEndFrame
    | models.SpeechDoneFrame
    | models.SpeechStoppedFrame
    | models.StoppedFrame
)


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    """Sound of the sentence that the last `speech_start` named."""

    run_id: str
    sentence: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of the run that answers."""

    run_id: str
    event: ChatEvent


@dataclass(frozen=True, slots=True)
class Refused:
    """The server could not do something: of that run, if one is named."""

    error: CartritaApiError
    run_id: str | None


VoiceEvent: TypeAlias = VoiceFrame | SpeechAudio | RunEvent | Refused


def read_voice_frame(frame: dict[str, Any]) -> VoiceFrame | None:
    """What a frame tells; None for one of a newer server. Raises NotCartrita."""
    name = str(frame.get("type"))
    if name not in _FRAMES:
        return None
    try:
        found: VoiceFrame = _adapter(name).validate_python(frame)
    except ValidationError:  # it shows what was said
        raise NotCartrita(f"The frame {name} is not what this client knows.") from None
    return found


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_FRAMES[name])
