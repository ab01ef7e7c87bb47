"""The Python client of a Cartrita server.

`CartritaApiClient` blocks, `AsyncCartritaApiClient` does not; both have one method for each
operation. What they need is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cartrita_client.construction import module
from cartrita_client.errors import (
    CartritaApiError,
    CartritaError,
    NotCartrita,
    SessionClosed,
    StreamStalled,
    TimedOut,
    TransportError,
    Unreachable,
    UnreadableFile,
    UnusableAddress,
    WaitingForApproval,
)
from cartrita_client.settings import VERSION

if TYPE_CHECKING:
    from cartrita_client.async_chat_streams import AsyncChatStream
    from cartrita_client.async_client import AsyncCartritaApiClient
    from cartrita_client.async_downloads import AsyncDownload
    from cartrita_client.async_live import AsyncLiveRun, AsyncLiveSession
    from cartrita_client.async_voice import AsyncVoiceSession
    from cartrita_client.chat_streams import ChatStream
    from cartrita_client.client import CartritaApiClient
    from cartrita_client.downloads import Download
    from cartrita_client.events import ChatEvent, UnknownEvent
    from cartrita_client.generated import errors as kinds
    from cartrita_client.generated import models
    from cartrita_client.live import LiveRun, LiveSession
    from cartrita_client.voice import VoiceSession
    from cartrita_client.voice_events import Refused, RunEvent, SpeechAudio, VoiceEvent

__all__ = [
    "VERSION",
    "AsyncCartritaApiClient",
    "AsyncChatStream",
    "AsyncDownload",
    "AsyncLiveRun",
    "AsyncLiveSession",
    "AsyncVoiceSession",
    "CartritaApiClient",
    "CartritaApiError",
    "CartritaError",
    "ChatEvent",
    "ChatStream",
    "Download",
    "LiveRun",
    "LiveSession",
    "NotCartrita",
    "Refused",
    "RunEvent",
    "SessionClosed",
    "SpeechAudio",
    "StreamStalled",
    "TimedOut",
    "TransportError",
    "UnknownEvent",
    "Unreachable",
    "UnreadableFile",
    "UnusableAddress",
    "VoiceEvent",
    "VoiceSession",
    "WaitingForApproval",
    "kinds",
    "models",
]
_PLACES = {
    "AsyncCartritaApiClient": "async_client",
    "AsyncChatStream": "async_chat_streams",
    "AsyncDownload": "async_downloads",
    "AsyncLiveRun": "async_live",
    "AsyncLiveSession": "async_live",
    "AsyncVoiceSession": "async_voice",
    "CartritaApiClient": "client",
    "ChatEvent": "events",
    "ChatStream": "chat_streams",
    "Download": "downloads",
    "LiveRun": "live",
    "LiveSession": "live",
    "Refused": "voice_events",
    "RunEvent": "voice_events",
    "SpeechAudio": "voice_events",
    "UnknownEvent": "events",
    "VoiceEvent": "voice_events",
    "VoiceSession": "voice",
}
_MODULES = {"kinds": "generated.errors", "models": "generated.models"}


def __getattr__(name: str) -> Any:
    """A public name, from the module that has it (PEP 562)."""
    if name in _MODULES:
        found: Any = module(_MODULES[name])
    elif name in _PLACES:
        found = getattr(module(_PLACES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found
