"""The transport over aiohttp: an HTTP client with pooled connections.

It keeps no cookies, follows no redirects, and takes no proxy or credential from the environment, so
that a request reaches the configured server only. It does not decompress, so that a response is
never larger than what came over the wire.
"""

import asyncio
import io
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

import aiohttp

from cartrita.adapters.providers.transport import HttpRequest, HttpResponse
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed, UpstreamUnreachable
from cartrita.kit.secret import Secret

_KEEP_IDLE_SECONDS = 30.0
_LARGE_BODY = 1 << 20  # aiohttp warns about larger bodies that are not a stream


class HttpClient:
    """The transport over aiohttp; enter it once for the lifetime of the server."""

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

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpResponse]:
        """See `Transport.open`."""
        return _Opening(request, self._send)

    async def _send(self, request: HttpRequest) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("The HTTP client is used outside of its context.")
        limits = request.deadlines
        try:
            async with asyncio.timeout(min(limits.connect + limits.headers, limits.total)):
                return await self._session.request(
                    request.method,
                    request.url,
                    data=io.BytesIO(request.body)
                    if len(request.body) > _LARGE_BODY
                    else request.body,
                    headers=_reveal(request.headers),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect),
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _connection_error(request, error) from None


class _Opening:
    """The context of a response."""

    __slots__ = ("_request", "_response", "_send")

    def __init__(
        self,
        request: HttpRequest,
        send: Callable[[HttpRequest], Awaitable[aiohttp.ClientResponse]],
    ) -> None:
        self._request = request
        self._send = send

    async def __aenter__(self) -> HttpResponse:
        deadline = asyncio.get_running_loop().time() + self._request.deadlines.total
        response = await self._send(self._request)
        self._response = _AiohttpResponse(response, self._request, deadline)
        return self._response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._response.close()


class _AiohttpResponse:
    """An aiohttp response with the deadlines and the size limit of its request.

    One timer watches all reads: when it fires it looks whether a read has waited for too long. A
    timeout around each read would cost 4 us per piece, more than the read itself.
    """

    def __init__(
        self, response: aiohttp.ClientResponse, request: HttpRequest, deadline: float
    ) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = {
            name.lower(): value for name, value in response.headers.items()
        }
        self._response = response
        self._content = response.content
        self._request = request
        self._deadline = deadline
        self._idle = request.deadlines.idle
        self._remaining_bytes = request.max_bytes
        self._loop = asyncio.get_running_loop()
        self._waiting_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def read(self) -> bytes:
        """See `HttpResponse.read`."""
        now = self._waiting_since = self._loop.time()
        if self._timer is None:
            self._watch(now)
        try:
            piece = await self._content.readany()
        except TimeoutError:
            raise self._cut(
                f"sent nothing for {self._idle:g} s"
                if self._loop.time() < self._deadline
                else f"did not end its answer within {self._request.deadlines.total:g} s"
            ) from None
        except (aiohttp.ClientError, OSError):
            raise self._cut("broke off its answer") from None
        finally:
            self._waiting_since = None
        self._remaining_bytes -= len(piece)
        if self._remaining_bytes < 0:
            raise UpstreamMalformed(
                f"{self._request.provider} sent more than {self._request.max_bytes} bytes.",
                provider=self._request.provider,
                status=self.status,
            )
        return piece

    def close(self) -> None:
        """Return the connection to the pool if the body was read to its end, else close it."""
        if self._timer is not None:
            self._timer.cancel()
        self._response.close()

    def _watch(self, waiting_since: float) -> None:
        """Look again when a read that began then would have waited for too long."""
        due = min(waiting_since + self._idle, self._deadline)
        self._timer = self._loop.call_at(due, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._waiting_since is None:  # the next read sets the timer again
            return
        if self._loop.time() >= min(self._waiting_since + self._idle, self._deadline):
            self._content.set_exception(TimeoutError())
        else:
            self._watch(self._waiting_since)

    def _cut(self, what: str) -> UpstreamCut:
        provider = self._request.provider
        return UpstreamCut(f"{provider} {what}.", provider=provider, status=self.status)


def _reveal(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    return {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in headers.items()
    }


def _connection_error(
    request: HttpRequest, error: Exception
) -> UpstreamUnreachable | UpstreamMalformed:
    """The error's own text is left out: it may repeat the address, and with it a credential."""
    provider, limits = request.provider, request.deadlines
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
