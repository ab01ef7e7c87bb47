"""Servers of tools at an address: the SDK's transport over our own HTTP client.

So they are bound as providers are: only addresses that the rule lets pass, no proxy, no cookie, no
compression, no redirect to another origin, and a bounded body.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Literal, cast

import httpx2
from mcp.client._transport import TransportStreams
from mcp.client.streamable_http import streamable_http_client

from cartrita.adapters.http.transport import Deadlines, HttpRequest, HttpResponse, Transport
from cartrita.adapters.mcp.config import LARGEST_MESSAGE, ServerAddress
from cartrita.domain.errors import CartritaError
from cartrita.kit.secret import Secret

BROKEN: Final = -32099
"""The code of errors that are ours: no answer came."""
REFUSED: Final = -32098
"""The same where the server did not take the credential."""
_LISTENING_S: Final = 86_400.0
"""For the stream on which a server may say something at any time."""
_MOST_STREAMED: Final = 4 * LARGEST_MESSAGE
_PASSED_ON: Final = ("accept", "content-type", "last-event-id")
_OF_MCP: Final = "mcp-"


@asynccontextmanager
async def http_transport(
    server: str, address: ServerAddress, transport: Transport, seconds: float
) -> AsyncGenerator[TransportStreams]:
    """Streams to a server; what it sends may pause and last for so many seconds."""
    sender = _Sender(server, transport, address.headers, seconds)
    async with (
        httpx2.AsyncClient(transport=sender, trust_env=False, timeout=None) as client,
        streamable_http_client(
            address.url, http_client=client, max_sse_event_size=LARGEST_MESSAGE
        ) as streams,
    ):
        yield streams


class _Sender(httpx2.AsyncBaseTransport):
    """Sends the SDK's requests; what goes wrong is an answer that says so.

    An exception would end the connection, with all other calls.
    """

    def __init__(
        self, server: str, transport: Transport, headers: Mapping[str, Secret], seconds: float
    ) -> None:
        self._server = f"The server {server}"
        self._transport = transport
        self._headers = headers
        self._seconds = seconds

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = self._transport.open(self._order(request, await request.aread()))
        try:
            response = await exchange.__aenter__()
        except CartritaError as error:
            return _answer(request, BROKEN, error.message)
        if response.status in (401, 403):
            await exchange.__aexit__(None, None, None)
            told = f"{self._server} did not take the credential ({response.status})."
            return _answer(request, REFUSED, told)
        return httpx2.Response(
            response.status,
            headers=_plain(response.headers),
            stream=_Body(exchange, response),
            request=request,
        )

    def _order(self, request: httpx2.Request, body: bytes) -> HttpRequest:
        passed = {
            name: value
            for name, value in request.headers.items()
            if name in _PASSED_ON or name.startswith(_OF_MCP)
        }
        accept = passed.pop("accept", "*/*")
        listening = request.method == "GET"
        silence = _LISTENING_S if listening else self._seconds
        return HttpRequest(
            provider=self._server,
            method=cast("Literal['GET', 'POST', 'DELETE']", request.method),
            url=str(request.url),
            headers={"Accept": accept, **passed, **self._headers},
            body=body,
            deadlines=Deadlines(
                connect=min(self._seconds, 10.0),
                headers=self._seconds,
                idle=silence,
                total=_LISTENING_S if listening else self._seconds,
            ),
            max_bytes=_MOST_STREAMED if listening else LARGEST_MESSAGE,
        )


class _Body(httpx2.AsyncByteStream):
    """The body of a response, as it arrives."""

    def __init__(
        self, exchange: AbstractAsyncContextManager[HttpResponse], response: HttpResponse
    ) -> None:
        self._exchange = exchange
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while piece := await self._response.read():
                yield piece
        except CartritaError as error:
            raise httpx2.StreamError(error.message) from None

    async def aclose(self) -> None:
        await self._exchange.__aexit__(None, None, None)


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, of a body that is read as it came."""
    return {name: value for name, value in headers.items() if name != "content-encoding"}


def _answer(request: httpx2.Request, code: int, told: str) -> httpx2.Response:
    """An error as the SDK reads it in a response."""
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": told}}
    return httpx2.Response(502, json=error, request=request)
