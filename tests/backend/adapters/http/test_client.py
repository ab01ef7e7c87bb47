"""The client's own promises: pooled, without cookies, and sized as it was told."""

import asyncio
import socket
from contextlib import ExitStack

import pytest
from tests.backend.adapters.http.servers import saying, serving
from tests.harness.fake_provider.launch import FakeProvider

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines, HttpRequest, HttpResponse
from cartrita.domain.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamMalformed,
    UpstreamUnreachable,
)
from cartrita.kit.secret import Secret


def call(url: str, **fields: object) -> HttpRequest:
    given = {"provider": "fake", "method": "GET", "url": url, "headers": {}} | fields
    return HttpRequest(**given)  # pyright: ignore[reportArgumentType]


async def fetched(http: HttpClient, call: HttpRequest) -> bytes:
    async with http.open(call) as answer:
        return await read_to_the_end(answer)


async def read_to_the_end(answer: HttpResponse) -> bytes:
    body = b""
    while piece := await answer.read():
        body += piece
    return body


async def read_slowly(answer: HttpResponse) -> None:
    for _ in range(50):
        await answer.read()
        for _ in range(20):
            await asyncio.sleep(0)


async def refused(http: HttpClient, call: HttpRequest) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await fetched(http, call)
    return caught.value


async def test_an_answer_with_its_headers(http: HttpClient) -> None:
    said = b"HTTP/1.1 418 I'm\r\nX-A: b\r\nContent-Length: 2\r\n\r\nhi"
    async with serving(saying(said)) as url, http.open(call(url)) as answer:
        assert answer.status == 418
        assert answer.headers["x-a"] == "b"
        assert await answer.read() == b"hi"
        assert await answer.read() == b""


async def test_secrets_are_revealed_on_the_wire_only(fake: FakeProvider, http: HttpClient) -> None:
    secret = call(f"{fake.base_url}/models", headers={"Authorization": Secret("Bearer sk-faked")})
    assert "sk-faked" not in repr(secret)
    assert b"fake-small" in await fetched(http, secret)


async def test_a_cookie_is_not_kept(http: HttpClient) -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(handler) as url:
        await fetched(http, call(url))
        await fetched(http, call(url))
    assert len(seen) == 2
    assert b"cookie" not in b"".join(seen).lower()


async def test_a_body_of_megabytes_is_sent(http: HttpClient) -> None:
    received = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        await reader.readuntil(b"\r\n\r\n")
        received = len(await reader.readexactly(3 << 20))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(handler) as url:
        await fetched(http, call(url, method="POST", body=b"x" * (3 << 20)))
    assert received == 3 << 20


async def test_what_is_no_http(http: HttpClient) -> None:
    async with serving(saying(b"SSH-2.0-OpenSSH\r\n\r\n")) as url:
        error = await refused(http, call(url))
    assert type(error) is UpstreamMalformed


async def test_a_server_that_hangs_up(http: HttpClient) -> None:
    async with serving(saying(b"")) as url:
        error = await refused(http, call(url))
    assert type(error) is UpstreamUnreachable
    assert "broke" in error.message


async def test_a_server_without_encryption(http: HttpClient) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()

    async with serving(plain) as url:
        error = await refused(http, call(url.replace("http:", "https:")))
    assert type(error) is UpstreamUnreachable
    assert "encrypted" in error.message


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1/", "nonsense"])
async def test_an_address_that_is_none(http: HttpClient, url: str) -> None:
    error = await refused(http, call(url))
    assert type(error) is UpstreamUnreachable
    assert "malformed" in error.message


async def test_a_header_that_is_none(http: HttpClient) -> None:
    key = {"Authorization": Secret("Bearer a\r\nX-Evil: b")}
    async with serving(saying(b"")) as url:
        error = await refused(http, call(url, headers=key))
    assert "malformed" in error.message
    assert "Evil" not in error.message


async def test_too_large_a_body(http: HttpClient) -> None:
    async with serving(saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000)) as url:
        error = await refused(http, call(url, max_bytes=999))
        assert type(error) is UpstreamMalformed
        assert len(await fetched(http, call(url, max_bytes=1000))) == 1000


async def test_a_body_that_is_shorter_than_promised(http: HttpClient) -> None:
    async with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")) as url:
        assert type(await refused(http, call(url))) is UpstreamCut


async def test_headers_that_trickle(http: HttpClient) -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(trickle) as url:
        error = await refused(http, call(url, deadlines=Deadlines(connect=0.2, headers=0.1)))
    assert type(error) is UpstreamUnreachable
    assert "0.1 s" in error.message


async def test_a_connection_that_is_never_accepted(http: HttpClient) -> None:
    # Nobody accepts, and the queue is full: the kernel leaves further connections unanswered.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as stack:
        address = server.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}/"
        error = await refused(http, call(url, deadlines=Deadlines(connect=0.2, headers=20)))
    assert type(error) is UpstreamUnreachable
    assert "accepted no connection within 0.2 s" in error.message


async def test_it_is_used_inside_its_context_only() -> None:
    with pytest.raises(RuntimeError):
        await fetched(HttpClient(), call("http://127.0.0.1:1/"))


def test_which_models_think() -> None:
    deadlines = Deadlines(headers=1, idle=2, thinking=3)
    for model in ("o3", "o4-mini", "gpt-5.4", "openai/gpt-oss-120b", "deepseek-r1", "qwq:32b"):
        assert deadlines.for_model(model).idle == 3
        assert deadlines.for_model(model).headers == 3
    for model in ("gpt-4o", "llama3.1:8b", "olmo", "fake"):
        assert deadlines.for_model(model) is deadlines
    assert Deadlines(idle=500).for_model("o3").idle == 500


async def test_only_a_silence_while_somebody_reads_is_one(http: HttpClient) -> None:
    """Pieces come more often than the limit, in all for longer than it; the reader rests too."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(8):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.15)

    limits = Deadlines(connect=20, headers=20, idle=1.0, total=60)
    async with serving(drip) as url, http.open(call(url, deadlines=limits)) as answer:
        body = await answer.read()
        await asyncio.sleep(1.1)
        while piece := await answer.read():
            body += piece
    assert body == b"x" * 8


async def test_a_silence_is_noticed_after_pieces_that_came(http: HttpClient) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nx")
        await asyncio.sleep(0.1)
        writer.write(b"y")
        await reader.read()

    limits = Deadlines(connect=20, headers=20, idle=0.6, total=60)
    async with serving(stall) as url, http.open(call(url, deadlines=limits)) as answer:
        assert await answer.read() + await answer.read() == b"xy"
        with pytest.raises(UpstreamCut, match="sent nothing"):
            await answer.read()


async def test_a_reader_that_is_slower_than_its_provider_has_its_limit_too(
    http: HttpClient,
) -> None:
    """There is always something to read, so that nobody waits for the provider."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()

    limits = Deadlines(connect=20, headers=20, idle=20, total=0.3)
    async with serving(endless) as url, http.open(call(url, deadlines=limits)) as response:
        assert await response.read()
        await asyncio.sleep(0.3)
        with pytest.raises(UpstreamCut, match=r"did not end its answer within 0.3 s"):
            await read_slowly(response)


async def test_a_provider_is_hung_up_on_in_time_though_nobody_reads(http: HttpClient) -> None:
    closed = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            closed.set()

    limits = Deadlines(connect=20, headers=0.2, idle=20, total=0.6)
    async with serving(endless) as url, http.open(call(url, deadlines=limits)) as response:
        assert await response.read()
        async with asyncio.timeout(20):
            await closed.wait()
        with pytest.raises(UpstreamCut, match=r"did not end its answer within 0.6 s"):
            await read_slowly(response)


async def test_an_answer_that_arrived_in_time_may_be_read_later(http: HttpClient) -> None:
    limits = Deadlines(connect=20, headers=20, idle=20, total=0.3)
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    async with serving(saying(said)) as url, http.open(call(url, deadlines=limits)) as response:
        await asyncio.sleep(0.4)
        assert await response.read() == b"hi"
        assert await response.read() == b""


async def test_nothing_is_read_after_its_context(http: HttpClient) -> None:
    """The connection may carry the answer to another request by then."""
    async with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as url:
        async with http.open(call(url)) as response:
            pass
        with pytest.raises(UpstreamCut):
            await response.read()


async def test_a_reader_that_waits_while_its_context_is_left(http: HttpClient) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    async with serving(saying(said)) as url:
        async with http.open(call(url)) as response:
            reading = asyncio.create_task(response.read())
            await asyncio.sleep(0)
        with pytest.raises(UpstreamCut):
            await reading
