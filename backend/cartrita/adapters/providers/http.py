"""The one way out to model servers: a pooled HTTP client behind a single method.

It keeps no cookies, follows no redirect, takes no proxy or credential from the environment and
unpacks nothing, so that what was asked of a server goes to that server, and so that an answer is
never larger than what came over the wire.
"""

import asyncio
import io
import re
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Literal, Protocol, Self

import aiohttp
import msgspec

from cartrita.domain.errors import UpstreamCut, UpstreamMalformed, UpstreamUnreachable
from cartrita.kit.secret import Secret

MAX_BYTES = 32 << 20
_KEEP_IDLE_SECONDS = 30.0
_THINKING = re.compile(r"(^|/)(o\d|gpt-5)|\b(think|reason|r1|qwq|gpt-oss)", re.I)
_LARGE_BODY = 1 << 20  # aiohttp wants to be handed more than this in pieces


class Deadlines(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: to connect, from there to the answer's headers, between two pieces of it, in all.

    `thinking` takes the place of `headers` and `idle`, where it is longer, for models that think
    before they speak: whole minutes pass in which nothing arrives.
    """

    connect: float = 5.0
    headers: float = 30.0
    idle: float = 30.0
    thinking: float = 120.0
    total: float = 900.0

    def for_model(self, model: str) -> "Deadlines":
        """The deadlines of a call to this model."""
        if not _THINKING.search(model):
            return self
        return msgspec.structs.replace(
            self,
            headers=max(self.headers, self.thinking),
            idle=max(self.idle, self.thinking),
        )


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `provider` is whom errors name; the answer's body is read up to `max_bytes`."""

    provider: str
    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str | Secret]
    body: bytes = b""
    deadlines: Deadlines = Deadlines()
    max_bytes: int = MAX_BYTES


class Answer(Protocol):
    """A response whose body is still on its way; `headers` have lower-case names.

    Reading raises UpstreamCut when it breaks off, stalls or takes too long, and UpstreamMalformed
    beyond the size allowed.
    """

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """The next piece, as it comes from the wire; empty at the end."""
        ...


class Transport(Protocol):
    """Sends requests."""

    def open(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        """Send, and wait for the headers. Leaving the context closes the connection at once.

        Raises UpstreamUnreachable or UpstreamMalformed before there is an answer.
        """
        ...


class Http:
    """The transport over aiohttp; enter it once for the life of the server."""

    def __init__(self, user_agent: str = "cartrita") -> None:
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncGenerator[Answer]:
        """See `Transport.open`."""
        ends = asyncio.get_running_loop().time() + call.deadlines.total
        response = await self._send(call)
        try:
            yield _Answer(response, call, ends)
        finally:
            # A body that was read to its end has given its connection back; any other closes it.
            response.close()

    async def _send(self, call: Call) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("The HTTP client is used outside of its context.")
        limits = call.deadlines
        try:
            async with asyncio.timeout(min(limits.connect + limits.headers, limits.total)):
                return await self._session.request(
                    call.method,
                    call.url,
                    data=io.BytesIO(call.body) if len(call.body) > _LARGE_BODY else call.body,
                    headers=_revealed(call.headers),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect),
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _before_an_answer(call, error) from None


class _Answer:
    """A response of aiohttp."""

    def __init__(self, response: aiohttp.ClientResponse, call: Call, ends: float) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = {
            name.lower(): value for name, value in response.headers.items()
        }
        self._content = response.content
        self._call = call
        self._ends = ends
        self._left = call.max_bytes
        self._now = asyncio.get_running_loop().time

    async def read(self) -> bytes:
        """See `Answer.read`."""
        idle_until = self._now() + self._call.deadlines.idle
        try:
            async with asyncio.timeout_at(min(idle_until, self._ends)):
                piece = await self._content.readany()
        except TimeoutError:
            raise self._cut(
                f"sent nothing for {self._call.deadlines.idle:g} s"
                if idle_until <= self._ends
                else f"did not end its answer within {self._call.deadlines.total:g} s"
            ) from None
        except (aiohttp.ClientError, OSError):
            raise self._cut("broke off its answer") from None
        self._left -= len(piece)
        if self._left < 0:
            raise UpstreamMalformed(
                f"{self._call.provider} sent more than {self._call.max_bytes} bytes.",
                provider=self._call.provider,
                status=self.status,
            )
        return piece

    def _cut(self, what: str) -> UpstreamCut:
        provider = self._call.provider
        return UpstreamCut(f"{provider} {what}.", provider=provider, status=self.status)


def _revealed(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    return {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in headers.items()
    }


def _before_an_answer(call: Call, error: Exception) -> UpstreamUnreachable | UpstreamMalformed:
    """The error's own text stays out: it may repeat the address, and with it a credential."""
    provider, limits = call.provider, call.deadlines
    if isinstance(error, aiohttp.ClientResponseError):
        return UpstreamMalformed(f"{provider} does not speak HTTP.", provider=provider)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        why = "the encrypted connection failed; check its certificate"
    elif isinstance(error, ValueError | aiohttp.NonHttpUrlClientError):
        why = "its base URL or its key is malformed"
    elif isinstance(error, aiohttp.ConnectionTimeoutError):
        why = f"it accepted no connection within {limits.connect:g} s"
    elif isinstance(error, TimeoutError):
        why = f"it did not begin to answer within {limits.headers:g} s"
    elif isinstance(error, aiohttp.ClientConnectorDNSError):
        why = "its name is not known"
    elif isinstance(error, aiohttp.ClientConnectorError):
        why = "it refused the connection"
    else:
        why = "the connection broke before it answered"
    return UpstreamUnreachable(f"{provider} cannot be reached: {why}.", provider=provider)
