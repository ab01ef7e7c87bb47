"""What the surfaces are given: the use cases, and the plain values that shape every request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import metadata
from typing import TypeAlias

import msgspec
from starlette.requests import HTTPConnection

from cartrita.application.api_keys import ApiKeys
from cartrita.application.conversations import Conversations
from cartrita.application.messages import Messages
from cartrita.application.runs import Runs
from cartrita.application.search import Search
from cartrita.application.sessions import Sessions
from cartrita.domain.models import ModelInfo


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Known before anything is open.

    `keyless` is CARTRITA_AUTH=loopback. `cors_origins` are pages of others that may call with
    credentials, as `scheme://host:port`. Times are in seconds.
    """

    version: str = msgspec.field(default_factory=lambda: metadata.version("cartrita"))
    keyless: bool = False
    cors_origins: tuple[str, ...] = ()
    body_max_bytes: int = 2 << 20
    body_timeout_s: float = 20.0
    url_max_bytes: int = 16 << 10
    session_s: float = 43_200.0
    ticket_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases.

    `models` lists what can be asked for, the default first. `ready` says of each part of ours
    whether it works; it never raises.
    """

    runs: Runs
    conversations: Conversations
    messages: Messages
    search: Search
    keys: ApiKeys
    sessions: Sessions
    models: Callable[[], Awaitable[Sequence[ModelInfo]]]
    ready: Callable[[], Awaitable[Mapping[str, bool]]]


Opening: TypeAlias = Callable[[], AbstractAsyncContextManager[Services]]
"""Opens everything at start and closes it at the end, in reverse."""


def rules_of(connection: HTTPConnection) -> Rules:
    """The plain values that the application was made with."""
    return connection.app.state.rules


def services_of(connection: HTTPConnection) -> Services:
    """The use cases, as the application's lifespan opened them."""
    return connection.state.services
