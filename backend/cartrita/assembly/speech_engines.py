"""What transcribes and what speaks for callers, by calls that are limited and metered."""

from typing import NamedTuple

import structlog

from cartrita.application.voice.engines import SYNTHESIZERS, TRANSCRIBERS, Engines
from cartrita.assembly.speech import SpeechServices
from cartrita.domain.ports.speech import RecordingReader, SpeechSynthesizer, Transcriber
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.settings import Settings

log = structlog.get_logger(__name__)


class SpeechEngines(NamedTuple):
    """Both, the calls by which they are called, and what reads recordings for them."""

    transcribers: Engines[Transcriber]
    synthesizers: Engines[SpeechSynthesizer]
    calls: ServiceCalls
    recordings: RecordingReader


def create_speech_engines(
    settings: Settings, services: SpeechServices, calls: ServiceCalls
) -> SpeechEngines:
    """The engines of these services, in the order of the settings.

    What these name, and this machine has not, is logged.
    """
    voice = settings.voice
    transcribers = Engines(services.transcribers, calls, TRANSCRIBERS, voice.transcribers)
    synthesizers = Engines(services.synthesizers, calls, SYNTHESIZERS, voice.synthesizers)
    for engines in (transcribers, synthesizers):
        for name in engines.missing:
            log.warning("speech_engine_missing", engine=name)
    return SpeechEngines(transcribers, synthesizers, calls, services.recordings)
