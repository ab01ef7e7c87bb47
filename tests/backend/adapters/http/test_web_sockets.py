"""WebSockets are opened where they should be, encrypted or not, and closed in any case."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.http.web_sockets import HandshakeRefused, SocketClosed, SocketRequest
from cartrita.domain.errors import UpstreamMalformed, UpstreamUnreachable
from cartrita.kit.secret import Secret

CERTIFICATE = Path(__file__).with_name("localhost.pem")
DEADLINES = Deadlines(connect=20, headers=20)


def asked(url: str, **more: Any) -> SocketRequest:
    return SocketRequest(provider="fake", url=url, headers={}, deadlines=DEADLINES, **more)


async def echoing(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def serving(handle: Any = echoing, **options: Any) -> AsyncGenerator[str]:
    """The address of a server of WebSockets, as one of HTTP."""
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        (listening,) = server.sockets
        scheme = "https" if "ssl" in options else "http"
        yield f"{scheme}://localhost:{listening.getsockname()[1]}/live?x=1"


async def test_messages(http: HttpClient) -> None:
    seen: list[Request | None] = []

    async def handle(connection: ServerConnection) -> None:
        seen.append(connection.request)
        await echoing(connection)

    async with serving(handle) as url:
        request = SocketRequest(
            provider="fake", url=url, headers={"X-Key": Secret("moss")}, deadlines=DEADLINES
        )
        async with http.open_socket(request) as socket:
            for message in ("moss", b"\0moss", ""):
                await socket.send(message)
                assert await socket.receive() == message
    (heard,) = seen
    assert heard is not None
    assert heard.path == "/live?x=1"
    assert heard.headers["X-Key"] == "moss"
    assert heard.headers["User-Agent"] == "cartrita"
    assert "Sec-WebSocket-Extensions" not in heard.headers


async def test_a_server_with_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    async with serving(ssl=context) as url:
        async with HttpClient() as http:
            with pytest.raises(UpstreamUnreachable, match="check its certificate"):
                await http.open_socket(asked(url)).__aenter__()
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        async with HttpClient() as http:
            async with http.open_socket(asked(url)) as socket:
                await socket.send("moss")
                assert await socket.receive() == "moss"
            with pytest.raises(UpstreamUnreachable, match="check its certificate"):
                await http.open_socket(asked(url.replace("localhost", "127.0.0.1"))).__aenter__()


async def test_the_end_that_the_server_gives(http: HttpClient) -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.close(4001, "moss")

    async with serving(handle) as url, http.open_socket(asked(url)) as socket:
        for _ in range(2):
            with pytest.raises(SocketClosed) as closed:
                await socket.receive()
            assert (closed.value.code, closed.value.reason) == (4001, "moss")
            assert not closed.value.by_us
        with pytest.raises(SocketClosed):
            await socket.send("moss")


async def test_a_message_that_is_too_large(http: HttpClient) -> None:
    async with serving() as url, http.open_socket(asked(url, max_bytes=100)) as socket:
        await socket.send("m" * 101)
        with pytest.raises(SocketClosed) as closed:
            await socket.receive()
        assert closed.value.by_us


@pytest.mark.parametrize("status", [200, 302, 403, 500])
async def test_a_response_instead(http: HttpClient, status: int) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(status, "No moss.")
        response.headers["Location"] = "/elsewhere"
        response.headers["DG-Error"] = "moss"
        return response

    async with serving(process_request=refuse) as url:
        with pytest.raises(HandshakeRefused) as refused:
            await http.open_socket(asked(url)).__aenter__()
    assert (refused.value.status, refused.value.body) == (status, b"No moss.")
    assert refused.value.headers["dg-error"] == "moss"


async def test_what_no_address_is(http: HttpClient) -> None:
    for url in ("ws://localhost/x", "http://user:moss@localhost/x", "moss", "http://"):
        with pytest.raises(UpstreamUnreachable, match="malformed") as raised:
            await http.open_socket(asked(url)).__aenter__()
        assert "moss@" not in raised.value.message


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", UpstreamUnreachable),
        (b"HTTP/1.1 101", UpstreamUnreachable),
        (b"moss\r\n\r\n", UpstreamMalformed),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", UpstreamMalformed),
        (b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", UpstreamMalformed),
    ],
)
async def test_a_handshake_that_is_none(
    http: HttpClient, answer: bytes, kind: type[Exception]
) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(kind):
            await http.open_socket(asked(url)).__aenter__()


async def test_whoever_leaves_waits_for_no_server(http: HttpClient) -> None:
    """The server reads nothing: neither the message nor the goodbye."""
    held = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await held.wait()

    async with serving(handle, close_timeout=0.1) as url:
        async with http.open_socket(asked(url)) as socket:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await socket.send(bytes(32 << 20))
        held.set()
