"""What transcribes and what speaks: one line for each adapter, the preferred first."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from cartrita.adapters.http.client import HttpClient
from cartrita.domain.ports.speech import SpeechSynthesizer, Transcriber
from cartrita.settings import Settings


class SpeechParts(NamedTuple):
    """What adapters of speech are made of."""

    settings: Settings
    http: HttpClient


_TRANSCRIBERS: Final[Mapping[str, Callable[[SpeechParts], Iterable[Transcriber]]]] = {}
_SYNTHESIZERS: Final[Mapping[str, Callable[[SpeechParts], Iterable[SpeechSynthesizer]]]] = {}
"""By adapter: those that it has here, also without a key, for callers who bring one."""


class SpeechServices(NamedTuple):
    """What there is, in the order of preference."""

    transcribers: tuple[Transcriber, ...]
    synthesizers: tuple[SpeechSynthesizer, ...]


def create_speech_services(settings: Settings, http: HttpClient) -> SpeechServices:
    """The services at the addresses of the settings, and the engines of this machine."""
    parts = SpeechParts(settings, http)
    return SpeechServices(
        tuple(one for create in _TRANSCRIBERS.values() for one in create(parts)),
        tuple(one for create in _SYNTHESIZERS.values() for one in create(parts)),
    )
