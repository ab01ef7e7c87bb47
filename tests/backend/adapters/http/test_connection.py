"""What a connection makes of responses, and when it carries another exchange."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from tests.backend.adapters.http.servers import answer, saying, serving

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.connection import HttpConnection
from cartrita.adapters.http.transport import HttpRequest, HttpResponse
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed, UpstreamUnreachable

OK = b"HTTP/1.1 200 OK\r\n"


def call(url: str, body: bytes = b"") -> HttpRequest:
    method = "POST" if body else "GET"
    return HttpRequest(provider="fake", method=method, url=url, headers={}, body=body)


async def fetched(http: HttpClient, url: str, body: bytes = b"") -> bytes:
    async with http.open(call(url, body)) as response:
        pieces: list[bytes] = []
        while piece := await response.read():
            pieces.append(piece)
        return b"".join(pieces)


class Server:
    """Says the same on each connection for each request; counts connections and their ends."""

    def __init__(self, said: bytes) -> None:
        self.said = said
        self.connections = 0
        self.asked = asyncio.Event()
        self.ended = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.asked.set()
                writer.write(self.said)
                await writer.drain()
        finally:
            self.ended.set()


@asynccontextmanager
async def server_saying(said: bytes) -> AsyncGenerator[tuple[Server, str]]:
    server = Server(said)
    async with serving(server.handle) as url:
        yield server, url


@pytest.mark.parametrize(
    "said",
    [
        answer(b"hi"),
        answer(b""),
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Trailer: a\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + answer(b"hi"),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
async def test_a_connection_is_used_again(http: HttpClient, said: bytes) -> None:
    async with server_saying(said) as (server, url):
        for _ in range(3):
            await fetched(http, url)
    assert server.connections == 1


@pytest.mark.parametrize(
    "said",
    [
        answer(b"hi", b"Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        answer(b"hi") + answer(b"this was not asked for"),
    ],
)
async def test_a_connection_that_is_not_used_again(http: HttpClient, said: bytes) -> None:
    async with server_saying(said) as (server, url):
        assert [await fetched(http, url) for _ in range(3)] == [b"hi"] * 3
    assert server.connections == 3


async def test_what_comes_while_nobody_asks_ends_a_connection(http: HttpClient) -> None:
    idle, ended = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"hi"))
        await idle.wait()
        writer.write(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        await reader.read()
        ended.set()

    async with serving(handle) as url:
        assert await fetched(http, url) == b"hi"
        idle.set()
        async with asyncio.timeout(20):
            await ended.wait()
        assert await fetched(http, url) == b"hi"


async def test_only_what_merely_asks_is_asked_again(http: HttpClient) -> None:
    """Of connections that the server closed while they were idle, unseen until the next request."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"hi"))
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")

    async with serving(handle) as url:
        assert [await fetched(http, url) for _ in range(2)] == [b"hi"] * 2
        with pytest.raises(UpstreamUnreachable, match="broke before it answered"):
            await fetched(http, url, b"{}")


async def test_an_interim_response_says_nothing_of_the_final_one(http: HttpClient) -> None:
    said = b"HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n" + answer(b"hi", b"X-C: d")
    async with serving(saying(said)) as url, http.open(call(url)) as response:
        assert response.status == 200
        assert dict(response.headers) == {"x-c": "d", "content-length": "2"}


async def test_a_trailer_is_no_header(http: HttpClient) -> None:
    said = OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Trailer: a\r\n\r\n"
    async with serving(saying(said)) as url, http.open(call(url)) as response:
        assert await response.read() == b"hi"
        assert "x-trailer" not in response.headers


async def test_a_header_is_read_as_bytes(http: HttpClient) -> None:
    said = answer(b"", b"X-A: \xc3\xbc")
    async with serving(saying(said)) as url, http.open(call(url)) as response:
        assert response.headers["x-a"].encode("latin-1") == b"\xc3\xbc"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        OK + b"X: " + b"y" * (300 << 10),
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nhi",
        OK + b"Content-Length: many\r\n\r\n",
        OK + b"X: a\x01b\r\n\r\n",
    ],
)
async def test_a_head_that_is_none(http: HttpClient, said: bytes) -> None:
    async with serving(saying(said)) as url:
        with pytest.raises(UpstreamMalformed, match="does not speak HTTP"):
            await fetched(http, url)


@pytest.mark.parametrize("rest", [b"2\r\nhi\r\nno size\r\n", b"2\r\nhi\r\n9\r\nshort", b"2\r\nhi"])
async def test_what_arrived_before_the_break_is_read(http: HttpClient, rest: bytes) -> None:
    said = OK + b"Transfer-Encoding: chunked\r\n\r\n" + rest
    async with serving(saying(said)) as url, http.open(call(url)) as response:
        assert await response.read() in (b"hi", b"hishort")
        with pytest.raises(UpstreamCut, match="broke off"):
            await response.read()


async def test_a_server_that_closes_as_soon_as_it_is_asked_for(http: HttpClient) -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with serving(close) as url, asyncio.timeout(20):
        for _ in range(20):
            with pytest.raises(UpstreamUnreachable, match="broke before it answered"):
                await fetched(http, url, b"{}")


async def test_a_connection_that_was_lost_before_it_is_used() -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    loop = asyncio.get_running_loop()
    async with serving(close) as url, asyncio.timeout(20):
        port = int(url.split(":")[2].removesuffix("/v1"))
        _, connection = await loop.create_connection(HttpConnection, "127.0.0.1", port)
        if connection.usable:
            await connection.news()
        connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
        assert isinstance(connection.failure, ConnectionError)
        assert not connection.finish()


async def test_much_of_a_body_before_a_break_is_read_too(http: HttpClient) -> None:
    length = 600 << 10
    chunk = b"%x\r\n" % length + b"x" * length
    said = OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"\r\nno size\r\n"

    async def read_all(response: HttpResponse, pieces: list[bytes]) -> None:
        while piece := await response.read():
            pieces.append(piece)

    pieces: list[bytes] = []
    async with serving(saying(said)) as url, http.open(call(url)) as response:
        with pytest.raises(UpstreamCut, match="broke off"):
            await read_all(response, pieces)
    assert b"".join(pieces) == b"x" * length


async def test_a_body_that_ends_with_its_connection(http: HttpClient) -> None:
    async with serving(saying(OK + b"\r\nall of it")) as url:
        assert await fetched(http, url) == b"all of it"


async def test_leaving_early_closes_at_once(http: HttpClient) -> None:
    said = OK + b"Content-Length: 99\r\n\r\nhi"
    async with server_saying(said) as (server, url), asyncio.timeout(20):
        async with http.open(call(url)) as response:
            assert await response.read() == b"hi"
        await server.ended.wait()


@pytest.mark.parametrize("said", [b"", OK + b"Content-Length: 99\r\n\r\n"])
async def test_a_cancelled_wait_closes_at_once(http: HttpClient, said: bytes) -> None:
    async with server_saying(said) as (server, url), asyncio.timeout(20):
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(fetched(http, url))
            await server.asked.wait()
            waiting.cancel()
        await server.ended.wait()


async def test_an_answer_before_the_request_was_read(http: HttpClient) -> None:
    """The rest of the request is not sent, nor is anything after it on that connection."""
    done = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"too large", status=b"413 Content Too Large"))
        await writer.drain()
        await done.wait()

    async with serving(handle) as url:
        for _ in range(2):
            async with http.open(call(url, b"x" * (32 << 20))) as response:
                assert response.status == 413
                assert await response.read() == b"too large"
        done.set()


async def test_a_fast_server_waits_for_a_slow_reader(http: HttpClient) -> None:
    length = 64 << 20
    sent = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Content-Length: %d\r\n\r\n" % length)
        for _ in range(64):
            writer.write(b"x" * (1 << 20))
            await writer.drain()
            sent += 1 << 20

    async with serving(handle) as url:
        limited = HttpRequest(provider="fake", method="GET", url=url, headers={}, max_bytes=length)
        async with http.open(limited) as response:
            received = len(await response.read())
            for _ in range(200):
                await asyncio.sleep(0)
            assert sent < length // 2
            while piece := await response.read():
                assert len(piece) < 1 << 20
                received += len(piece)
    assert received == length


async def test_a_connection_is_not_kept_while_nothing_is_read_from_it(http: HttpClient) -> None:
    """A body that is complete, and so large that reading was paused, was not taken."""
    large = answer(b"x" * (400 << 10))
    complete = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"hi") if b"/small" in head else large)
        await writer.drain()
        complete.set()
        await handle(reader, writer)

    async with serving(handle) as url, asyncio.timeout(20):
        async with http.open(call(url)):
            await complete.wait()
            for _ in range(200):
                await asyncio.sleep(0)
        assert await fetched(http, f"{url}/small") == b"hi"


@pytest.mark.parametrize("start", [b"0\r\nX: ", b"2;x="])
async def test_what_brings_no_body_for_ever_ends_an_answer(http: HttpClient, start: bytes) -> None:
    """Trailers and extensions of chunks, of which llhttp would keep all that has come."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n" + start)
        while True:
            writer.write(b"a" * (16 << 10))
            await writer.drain()

    async with serving(handle) as url, asyncio.timeout(20), http.open(call(url)) as response:
        assert await response.read() == b"hi"
        with pytest.raises(UpstreamCut):
            await response.read()


async def test_a_long_answer_in_small_pieces_is_no_overhead(http: HttpClient) -> None:
    """Its heads of chunks, extensions and trailers are more than may come without a body."""
    extended = b"1;" + b"x" * (30 << 10) + b"\r\ny\r\n"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(10):
            writer.write(extended)
            await writer.drain()
        writer.write(b"0\r\nX: " + b"a" * (20 << 10) + b"\r\n\r\n")

    async with serving(handle) as url:
        assert await fetched(http, url) == b"y" * 10
