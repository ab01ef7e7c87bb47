"""What transcribes and what speaks for callers, by calls that are limited and metered."""

from typing import NamedTuple

from cartrita.application.voice.engines import SYNTHESIZERS, TRANSCRIBERS, Engines
from cartrita.assembly.speech import SpeechServices
from cartrita.domain.ports.speech import RecordingReader, SpeechSynthesizer, Transcriber
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.settings import Settings


class SpeechEngines(NamedTuple):
    """Both, the calls by which they are called, and what reads recordings for them."""

    transcribers: Engines[Transcriber]
    synthesizers: Engines[SpeechSynthesizer]
    calls: ServiceCalls
    recordings: RecordingReader


def create_speech_engines(
    settings: Settings, services: SpeechServices, calls: ServiceCalls
) -> SpeechEngines:
    """The engines of these services, in the order of the settings."""
    voice = settings.voice
    return SpeechEngines(
        Engines(services.transcribers, calls, TRANSCRIBERS, voice.transcribers),
        Engines(services.synthesizers, calls, SYNTHESIZERS, voice.synthesizers),
        calls,
        services.recordings,
    )
