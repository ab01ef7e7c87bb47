"""What the provider adapters require of an HTTP client: one method that sends a request."""

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Literal, Protocol

import msgspec

from cartrita.kit.secret import Secret

MAX_BYTES = 32 << 20
"""The usual bound of a response body."""

_THINKING = re.compile(r"(^|/)(o\d|gpt-5)|\b(think|reason|r1|qwq|gpt-oss)", re.I)


class Deadlines(msgspec.Struct, frozen=True, kw_only=True):
    """Timeouts in seconds: to connect, from then to the response headers, between chunks, in all.

    For reasoning models, `thinking` replaces `headers` and `idle` where it is longer: minutes pass
    before their first token.
    """

    connect: float = 5.0
    headers: float = 30.0
    idle: float = 30.0
    thinking: float = 120.0
    total: float = 900.0

    def for_model(self, model: str) -> "Deadlines":
        """The deadlines of a call to this model."""
        if not _thinks(model):
            return self
        return msgspec.structs.replace(
            self,
            headers=max(self.headers, self.thinking),
            idle=max(self.idle, self.thinking),
        )


@lru_cache(maxsize=1024)
def _thinks(model: str) -> bool:
    return _THINKING.search(model) is not None


LISTING = Deadlines(connect=2.0, headers=5.0, idle=5.0, total=10.0)
"""Deadlines of a list of models, which should be quicker than an answer."""


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request. Errors name `provider`; at most `max_bytes` of the response body are read.

    With `once` the URL holds what was searched for, or the like, and is not remembered.
    """

    provider: str
    method: Literal["GET", "POST", "DELETE"]
    url: str
    headers: Mapping[str, str | Secret]
    body: bytes = b""
    deadlines: Deadlines = Deadlines()
    max_bytes: int = MAX_BYTES
    once: bool = False


class HttpResponse(Protocol):
    """A response whose body is still arriving; `headers` have lower-case names.

    Reading raises UpstreamCut if the connection breaks, stalls or takes too long, and
    UpstreamMalformed beyond the size allowed.
    """

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """The next chunk of the body; empty at the end."""
        ...


class Transport(Protocol):
    """Sends requests."""

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpResponse]:
        """Send, and wait for the headers. Leaving the context closes an unfinished response.

        Raises UpstreamUnreachable or UpstreamMalformed if no response arrives.
        """
        ...
