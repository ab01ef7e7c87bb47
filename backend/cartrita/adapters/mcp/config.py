"""What is known of a server of tools before it is asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from cartrita.kit.secret import Secret

LARGEST_MESSAGE: Final = 4 << 20
"""Bytes of one message, and of the body of one response."""


class ServerProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A program that is started; `environment` is all that it has."""

    command: tuple[str, ...]
    environment: Mapping[str, Secret] = {}
    folder: Path | None = None


class ServerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A server at an address; each request gets the headers."""

    url: str
    headers: Mapping[str, Secret] = {}


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A server, and how long it may take: to connect, between lists of its tools, for a call.

    `wait_s` is how long runs wait for it to connect the first time.
    """

    name: str
    place: ServerProgram | ServerAddress
    connect_timeout_s: float = 20.0
    wait_s: float = 5.0
    refresh_s: float = 60.0
    call_timeout_s: float = 60.0
