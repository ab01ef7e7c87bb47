"""WebSockets to services: opened without redirects or a proxy, and closed with what they owned."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
)

from cartrita.adapters.http.connecting import BAD_CERTIFICATE, unreachable, within
from cartrita.adapters.http.pool import HttpPool
from cartrita.adapters.http.targets import HttpTarget, revealed, target_of
from cartrita.adapters.http.transport import Deadlines
from cartrita.domain.errors import UpstreamMalformed
from cartrita.kit.secret import Secret

_GOODBYE_SECONDS: Final = 1.0
"""How long the other side may take to answer a close frame."""


class SocketRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A WebSocket to open, at an address of http or https; see `HttpRequest`.

    Of the deadlines those to connect and for the headers count; a message has `max_bytes` at most.
    """

    provider: str
    url: str
    headers: Mapping[str, str | Secret]
    deadlines: Deadlines = Deadlines()
    max_bytes: int = 4 << 20


class HandshakeRefused(Exception):
    """The server answered with a response instead of opening the WebSocket."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


class SocketClosed(Exception):
    """The WebSocket has ended: `code` is that of the server's close frame, None without one.

    With `by_us` it was closed because of what the server sent, or because it answered no ping.
    """

    def __init__(self, code: int | None, reason: str, *, by_us: bool) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.by_us = by_us


class WebSocket:
    """An open WebSocket: messages are texts or bytes. Both methods raise SocketClosed."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: str | bytes) -> None:
        """Send a message; waits while the server takes none."""
        try:
            await self._connection.send(message)
        except ConnectionClosed as closed:
            raise _ended(closed) from None

    async def receive(self) -> str | bytes:
        """The next message; may be cancelled without losing one."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise _ended(closed) from None


class _Silent(logging.Logger):
    """Writes nothing: the library would log the headers of the handshake, and with them a key."""

    def __init__(self) -> None:
        super().__init__("websockets", logging.CRITICAL + 1)


class _Connect(connect):
    """Follows no redirect: the address of a service is the configured one."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def opened_socket(
    request: SocketRequest, pool: HttpPool, user_agent: str
) -> AsyncGenerator[WebSocket]:
    """An open WebSocket. Raises UpstreamError and HandshakeRefused."""
    connection = await _connection(request, pool, user_agent)
    try:
        yield WebSocket(connection)
    finally:
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await connection.close()
        except TimeoutError:  # the server reads nothing: the close frame waits behind the rest
            connection.transport.abort()


async def _connection(request: SocketRequest, pool: HttpPool, user_agent: str) -> ClientConnection:
    provider, deadlines = request.provider, request.deadlines
    try:
        target = target_of(request.url)
        headers = revealed(request.headers)
    except ValueError:
        raise unreachable(provider, "its base URL or its key is malformed") from None
    connected = await within(deadlines.connect, provider, pool.socket(target.origin))
    encrypted = target.origin.encrypted
    try:
        return await _Connect(
            _address(target),
            additional_headers=headers,
            user_agent_header=user_agent,
            compression=None,
            proxy=None,
            open_timeout=deadlines.headers,
            close_timeout=_GOODBYE_SECONDS,
            max_size=request.max_bytes,
            logger=_Silent(),
            sock=connected,
            ssl=pool.encryption if encrypted else None,
            server_hostname=target.origin.host if encrypted else None,
        )
    except InvalidStatus as refused:
        response = refused.response
        raised = {name.lower(): value for name, value in response.headers.raw_items()}
        raise HandshakeRefused(response.status_code, raised, bytes(response.body or b"")) from None
    except TimeoutError:
        limit = deadlines.headers
        raise unreachable(provider, f"it did not begin to answer within {limit:g} s") from None
    except ssl.SSLError:
        raise unreachable(provider, BAD_CERTIFICATE) from None
    except (InvalidHandshake, OSError, EOFError) as error:
        if isinstance(error, InvalidHandshake) and not _broke(error):
            raise UpstreamMalformed(
                f"{provider} does not open a WebSocket as it should.", provider=provider
            ) from None
        raise unreachable(provider, "the connection broke before it answered") from None
    except asyncio.CancelledError:
        connected.close()
        raise


def _address(target: HttpTarget) -> str:
    origin = target.origin
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{'wss' if origin.encrypted else 'ws'}://{host}:{origin.port}{target.path}"


def _broke(error: InvalidHandshake) -> bool:
    """Whether nothing came at all."""
    return isinstance(error, InvalidMessage) and isinstance(error.__cause__, EOFError | OSError)


def _ended(closed: ConnectionClosed) -> SocketClosed:
    received, sent = closed.rcvd, closed.sent
    if received is not None:
        return SocketClosed(received.code, received.reason, by_us=False)
    if sent is not None:
        return SocketClosed(None, sent.reason, by_us=True)
    return SocketClosed(None, "", by_us=False)
