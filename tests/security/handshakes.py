"""Handshakes of WebSockets, written octet by octet, so that nothing is added to them."""

import asyncio
from collections.abc import Mapping, Sequence

from tests.harness.raw_http import HOST
from tests.security.owners import Asking

_OFFER = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)
_WATCHDOG_S = 30.0


async def handshake(
    port: int, lines: Sequence[str], headers: Mapping[str, str], target: str = "/ws/chat"
) -> tuple[int, bytes]:
    """The status and what follows of the answer to these lines and headers; 101 is left at once."""
    named = [f"{name}: {value}" for name, value in headers.items()]
    asked = "\r\n".join([f"GET {target} HTTP/1.1", *lines, *_OFFER, *named, "", ""])
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(asked.encode("latin-1"))
        async with asyncio.timeout(_WATCHDOG_S):
            status = int((await reader.readline()).split()[1])
            return status, b"" if status == 101 else await reader.read()
    finally:
        writer.transport.abort()


def own_host(port: int) -> str:
    return f"{HOST}:{port}"


def credentials_of(asking: Asking) -> dict[str, str]:
    """Only those headers of somebody by which the server knows who asks."""
    names = {"X-API-Key", "Authorization", "Cookie"}
    return {name: value for name, value in asking.headers.items() if name in names}
