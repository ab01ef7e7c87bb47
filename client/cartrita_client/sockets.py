"""What both kinds of live session share: how a WebSocket is opened, and what a refusal means."""

from __future__ import annotations

from collections.abc import Sequence
from ssl import CERT_NONE, SSLContext, create_default_context
from typing import Any, Protocol, TypeAlias

from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidProxy, InvalidStatus

from cartrita_client.answers import elsewhere, failure
from cartrita_client.errors import CartritaApiError, CartritaError, NotCartrita, Unreachable
from cartrita_client.exchanges import unmade
from cartrita_client.generated.table import STREAM_CHAT
from cartrita_client.settings import VERSION, Settings

CHAT, VOICE = "/ws/chat", "/ws/voice"
Frame: TypeAlias = str | bytes
"""Texts are JSON, and bytes are sound."""
_LARGEST = 64 * 1024 * 1024
"""In bytes: a snapshot holds a whole answer."""


class ConnectionState(Protocol):
    """What a session knows: it says what is to be sent, and takes what comes."""

    @property
    def wanted(self) -> bool:
        """Whether anything is still to come."""
        ...

    def greeting(self) -> Sequence[Frame]:
        """What is sent first over a new connection."""
        ...

    def due(self) -> Sequence[Frame]:
        """What was put off until now."""
        ...

    def next_due(self) -> float | None:
        """Seconds until something that was put off is due."""
        ...

    def take(self, content: Frame) -> None:
        """Take a frame of the server. Raises NotCartrita for what is none."""
        ...

    def closed(self, code: int | None) -> float:
        """After a connection ended: seconds to wait before the next. Raises if there is none."""
        ...

    def failed(self, problem: CartritaError | None, told: float | None = None) -> float:
        """After a connection could not be made: seconds to wait. Raises after too many."""
        ...

    def break_off(self, problem: CartritaError) -> None:
        """Nothing more can come: everybody who waits is told why."""
        ...


def connect_options(settings: Settings) -> dict[str, Any]:
    """How it is opened; the key goes in the first frame."""
    times = settings.timeouts
    secure = settings.address.root.startswith("https:")
    return {
        "additional_headers": {"X-Client-Version": f"python/{VERSION}", **settings.headers},
        "open_timeout": times.connect,
        "close_timeout": 1.0,
        "ping_interval": times.silence / 3,
        "ping_timeout": times.silence * 2 / 3,
        "max_size": _LARGEST,
        "compression": None,
        **({"proxy": None} if settings.address.is_loopback else {}),
        **({"ssl": _verification(settings)} if secure else {}),
    }


def _verification(settings: Settings) -> SSLContext:
    if isinstance(settings.verify, SSLContext):
        return settings.verify
    context = create_default_context()
    if not settings.verify:
        context.check_hostname, context.verify_mode = False, CERT_NONE
    return context


def auth_of(settings: Settings) -> dict[str, Any]:
    """The frame that says who calls."""
    provider, key = settings.keys.named_key_for(STREAM_CHAT)
    return {"type": "auth", "api_key": key, "provider": provider}


def refusal(settings: Settings, problem: Exception) -> CartritaError:
    """The error for a connection that could not be made. Raises one that will not pass."""
    root = settings.address.root
    if isinstance(problem, InvalidStatus):
        answer = problem.response
        headers = {name.lower(): value for name, value in answer.headers.raw_items()}
        if 300 <= answer.status_code < 400:
            raise elsewhere(root, headers)
        found = failure(answer.status_code, headers, bytes(answer.body or b""))
        if isinstance(found, CartritaApiError) and found.status in (429, 503):
            return found
        if not isinstance(found, Unreachable):
            raise found
        return found
    if isinstance(problem, InvalidMessage) and isinstance(problem.__cause__, EOFError):
        return Unreachable(f"The connection to {root} broke while it was opened.")
    if isinstance(problem, ImportError | InvalidProxy):
        raise unmade(settings, problem)
    if isinstance(problem, InvalidHandshake):
        raise NotCartrita(f"{root} opens no WebSocket: is base_url the address of a server?")
    return Unreachable(f"{root} cannot be reached: {str(problem)[:200] or type(problem).__name__}.")
