"""What transcribes and what speaks: one line for each adapter, the preferred first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.plain_calls import PlainCalls
from cartrita.adapters.speech import deepgram
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.adapters.speech.engine_process import EMBEDDED
from cartrita.adapters.speech.openai_synthesizer import OpenAISynthesizer
from cartrita.adapters.speech.openai_transcriber import OpenAITranscriber
from cartrita.assembly.providers import OpenedProvider
from cartrita.assembly.speech_machine import SpeechMachine, speech_machine
from cartrita.domain.ports.services import Service
from cartrita.domain.ports.speech import (
    RecordingReader,
    SpeechEncoder,
    SpeechSynthesizer,
    Transcriber,
)
from cartrita.kit.secret import Secret
from cartrita.settings import Settings

_NO_KEY: Final = Secret("")


class SpeechParts(NamedTuple):
    """What adapters of speech are made of; `servers` are the model servers like OpenAI's.

    `machine` is what this one can do with sound.
    """

    settings: Settings
    http: HttpClient
    servers: Sequence[PlainCalls]
    machine: SpeechMachine


def _deepgram(parts: SpeechParts) -> DeepgramService:
    own, voice = parts.settings.deepgram, parts.settings.voice
    return DeepgramService(
        http=parts.http,
        base_url=own.base_url,
        key=own.api_key or _NO_KEY,
        model=own.model,
        voice=own.voice,
        timeout=voice.transcription_timeout_s,
        idle=own.idle_s,
        unheard=own.unheard_s,
        pause_ms=own.pause_ms,
    )


def _deepgram_synthesizers(parts: SpeechParts) -> Iterable[SpeechSynthesizer]:
    service = _deepgram(parts)
    idle = min(service.idle, parts.settings.voice.speech_timeout_s)
    return (deepgram.DeepgramSynthesizer(replace(service, idle=idle)),)


def _openai_transcribers(parts: SpeechParts) -> Iterable[Transcriber]:
    patience = parts.settings.voice.transcription_timeout_s
    return (OpenAITranscriber(server, patience=patience) for server in parts.servers)


def _openai_synthesizers(parts: SpeechParts) -> Iterable[SpeechSynthesizer]:
    patience = parts.settings.voice.speech_timeout_s
    return (OpenAISynthesizer(server, patience=patience) for server in parts.servers)


_TRANSCRIBERS: Final[Mapping[str, Callable[[SpeechParts], Iterable[Transcriber]]]] = {
    deepgram.NAME: lambda parts: (deepgram.DeepgramTranscriber(_deepgram(parts)),),
    "openai": _openai_transcribers,
    EMBEDDED: lambda parts: (parts.machine.transcriber,),
}
_SYNTHESIZERS: Final[Mapping[str, Callable[[SpeechParts], Iterable[SpeechSynthesizer]]]] = {
    deepgram.NAME: _deepgram_synthesizers,
    "openai": _openai_synthesizers,
    EMBEDDED: lambda parts: (parts.machine.synthesizer,),
}
"""By adapter: those that it has here, also without a key, for callers who bring one."""


class SpeechServices(NamedTuple):
    """What there is, in the order of preference.

    Keys for `keyed` are asked about there; those for model servers are keys of model providers.
    """

    transcribers: tuple[Transcriber, ...]
    synthesizers: tuple[SpeechSynthesizer, ...]
    keyed: tuple[Service, ...]
    recordings: RecordingReader
    encoder: SpeechEncoder


def create_speech_services(
    settings: Settings, http: HttpClient, providers: Iterable[OpenedProvider]
) -> SpeechServices:
    """The services at the addresses of the settings, and the engines of this machine.

    `providers` are all, those included that only callers with keys of their own can call.
    """
    servers = [one.calls for one in providers if one.calls is not None]
    machine = speech_machine(settings)
    parts = SpeechParts(settings, http, servers, machine)
    transcribers = tuple(one for create in _TRANSCRIBERS.values() for one in create(parts))
    return SpeechServices(
        transcribers,
        tuple(one for create in _SYNTHESIZERS.values() for one in create(parts)),
        tuple(one for one in transcribers if one.needs_key and not _is_server(one.name, servers)),
        machine.recordings,
        machine.encoder,
    )


def _is_server(name: str, servers: Iterable[PlainCalls]) -> bool:
    return any(server.name == name for server in servers)
