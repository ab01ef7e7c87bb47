"""Bounds on headers, on a real uvicorn."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from cartrita.cli.server.http_protocol import http_protocol
from cartrita.surfaces.request_limits import BODY_ARRIVED

WATCHDOG_S = 20.0


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    arrived = b"yes" if scope["state"].get(BODY_ARRIVED) else b"no"
    length = 0
    while (message := await receive())["type"] == "http.request":
        length += len(message["body"])
        if not message["more_body"]:
            break
    names = b",".join(name for name, _ in scope["headers"])
    headers = [(b"arrived", arrived), (b"names", names), (b"got", b"%d" % length)]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body"})


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def _served(
    header_timeout_s: float, write_timeout_s: float = WATCHDOG_S, app: ASGIApp = _app
) -> AsyncGenerator[int]:
    config = uvicorn.Config(
        app,
        port=0,
        ws="none",
        http=http_protocol(header_timeout_s, write_timeout_s),
        lifespan="off",
        log_config=None,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve())
        await server.up.wait()
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        await serving


async def _answer(port: int, *pieces: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(WATCHDOG_S):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo", b"GE"])
async def test_headers_that_never_end_close_the_connection(sent: bytes) -> None:
    async with _served(0.2) as port:
        assert await _answer(port, sent) == b""


async def test_headers_that_trickle_on_a_kept_connection_close_it() -> None:
    async with _served(0.2) as port:
        whole = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        answer = await _answer(port, whole, b"GET / HTTP/1.1\r\nHo")
        assert answer.startswith(b"HTTP/1.1 204")
        assert answer.count(b"HTTP/1.1") == 1


async def test_headers_without_end_in_size_are_refused() -> None:
    """The connection ends long before all of it was sent; what was unread may reset it."""
    async with _served(WATCHDOG_S) as port:
        pieces = [b"GET / HTTP/1.1\r\nX: ", *[b"a" * 10_000] * 1_000, b"\r\n\r\n"]
        try:
            answer = await _answer(port, *pieces)
        except ConnectionError:
            return
        assert answer.startswith(b"HTTP/1.1 400")


async def test_requests_far_ahead_of_their_answers_close_the_connection() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    async with _served(WATCHDOG_S) as port:
        assert (await _answer(port, request * 99 + last)).count(b"HTTP/1.1 204") == 100
        try:
            answer = await _answer(port, request * 2_000 + last)
        except ConnectionError:  # by what was not read any more
            return
        assert answer.count(b"HTTP/1.1 204") < 2_000


async def test_a_large_body_in_the_same_piece_is_no_header() -> None:
    async with _served(10) as port:
        body = b"a" * 200_000
        head = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n"
        assert (await _answer(port, head + body)).startswith(b"HTTP/1.1 204")


async def test_whether_the_whole_body_is_there_is_told() -> None:
    length = b"Content-Length: 4\r\nExpect: 100-continue"
    head = b"POST / HTTP/1.1\r\nConnection: close\r\n" + length + b"\r\n\r\n"
    async with _served(10) as port:
        assert b"arrived: yes" in await _answer(port, head + b"body")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        async with asyncio.timeout(WATCHDOG_S):
            await reader.readuntil(b"100 Continue\r\n\r\n")  # it asks for the body
            writer.write(b"body")
            assert b"arrived: no" in await reader.read()
        writer.close()


async def test_what_comes_after_a_chunked_body_is_no_header() -> None:
    head = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b'1;a="b c"\r\nx\r\n0\r\nX-API-Key: secret\r\n\r\n'
    async with _served(10) as port:
        for pieces in ([head + body], [head, body[:20], body[20:]]):
            answer = await _answer(port, *pieces)
            assert answer.startswith(b"HTTP/1.1 204")
            assert b"names: connection,transfer-encoding\r\n" in answer


@pytest.mark.parametrize("begun", [b"0\r\nX: ", b"0\r\n", b"1;name="])
async def test_what_stands_between_chunks_is_bounded(begun: bytes) -> None:
    """Of a line that never ends, and of lines without end."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
    endless = b"X: y\r\n" * 1_500 if begun == b"0\r\n" else b"x" * 10_000
    async with _served(WATCHDOG_S) as port:
        try:
            answer = await _answer(port, head, begun, *[endless] * 1_000)
        except ConnectionError:  # by what was not read any more
            return
        assert answer.startswith(b"HTTP/1.1 400")


async def test_what_is_no_http_is_told_in_our_envelope() -> None:
    async with _served(10) as port:
        head, _, body = (await _answer(port, b"BLAH\r\n\r\n")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400")
        assert msgspec.json.decode(body)["code"] == "malformed_request"


H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
WEBSOCKET = (
    b"Connection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
LAST = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("offer", [H2C, WEBSOCKET, WEBSOCKET + b"X: " + b"a" * 9_000 + b"\r\n"])
@pytest.mark.parametrize(
    ("line", "rest", "got"),
    [
        (b"POST", b"Content-Length: 4\r\n\r\nbody", b"4"),
        (b"POST", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", b"2"),
        (b"GET", b"Content-Length: 4\r\n\r\nbody", b"4"),
        (b"GET", b"\r\n", b"0"),
    ],
)
async def test_an_offer_of_another_protocol_is_ignored(
    offer: bytes, line: bytes, rest: bytes, got: bytes
) -> None:
    head = line + b" / HTTP/1.1\r\n" + offer
    async with _served(10) as port:
        whole = head + rest
        bytewise = [whole[:-300], *(bytes([byte]) for byte in whole[-300:]), LAST]
        for pieces in ([whole + LAST], [head, rest, LAST], bytewise):
            answer = await _answer(port, *pieces)
            assert answer.count(b"HTTP/1.1 204") == 2
            assert b"\r\ngot: " + got + b"\r\n" in answer
            assert b"names: connection,upgrade" not in answer


async def test_many_offers_on_one_connection() -> None:
    """All in one piece."""
    offering = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n" + H2C + b"\r\nhi"
    async with _served(10) as port:
        answer = await _answer(port, offering * 100 + LAST)
    assert answer.count(b"HTTP/1.1 204") == 101
    assert answer.count(b"\r\ngot: 2\r\n") == 100


@pytest.mark.parametrize(
    "sent",
    [
        b"CONNECT localhost:80 HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + H2C + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi",
    ],
)
async def test_an_offer_excuses_nothing(sent: bytes) -> None:
    async with _served(10) as port:
        assert (await _answer(port, sent)).startswith(b"HTTP/1.1 400")


async def test_headers_after_an_offer_are_bounded_too() -> None:
    async with _served(0.2) as port:
        whole = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n" + H2C + b"\r\nhi"
        answer = await _answer(port, whole, b"GET / HTTP/1.1\r\nHo")
        assert answer.count(b"HTTP/1.1 204") == 1


class _Endless:
    """Sends without an end; `left` is set when the client is gone."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._send(send))
            assert (await receive())["type"] == "http.disconnect"
            sending.cancel()
        self.left.set()

    async def _send(self, send: Send) -> None:
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            await asyncio.sleep(0)


async def _read_slowly(reader: asyncio.StreamReader) -> None:
    taken = 0
    while piece := await reader.read(1 << 18):
        taken += len(piece)
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("slow", [False, True])
async def test_a_client_that_takes_nothing_is_cut_off_and_a_slow_one_is_not(slow: bool) -> None:
    endless = _Endless()
    async with _served(WATCHDOG_S, 0.4, endless) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 12)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        reading = asyncio.create_task(_read_slowly(reader)) if slow else None
        async with asyncio.timeout(WATCHDOG_S):
            if reading is None:
                await endless.left.wait()
            else:
                await asyncio.wait((reading,), timeout=1.5)
                assert not endless.left.is_set()
                reading.cancel()
                await asyncio.wait((reading,))
        writer.transport.abort()
        async with asyncio.timeout(WATCHDOG_S):
            await endless.left.wait()
