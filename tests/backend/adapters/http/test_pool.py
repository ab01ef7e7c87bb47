"""How connections are made, kept and let go."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.backend.adapters.http.names import Names
from tests.backend.adapters.http.servers import answer, saying, serving

from cartrita.adapters.http import pool
from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.name_lookups import NameLookups
from cartrita.adapters.http.targets import Origin, find_target
from cartrita.adapters.http.transport import Deadlines, HttpRequest
from cartrita.domain.errors import Forbidden, UpstreamUnreachable

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Of localhost, signed by itself, with its key; it is good for nothing else."""


async def fetched(http: HttpClient, url: str) -> bytes:
    request = HttpRequest(provider="fake", method="GET", url=url, headers={})
    async with http.open(request) as response:
        return await response.read()


async def keeping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers each request on its connection."""
    while True:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"hi"))
        await writer.drain()


async def test_a_name_is_looked_up_once_for_many(http: HttpClient, names: Names) -> None:
    async with serving(saying(answer(b"hi"))) as url, asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(fetched(http, url.replace("127.0.0.1", "localhost")))
    assert names.asked == ["localhost"]


async def test_a_name_that_is_not_known(http: HttpClient, names: Names) -> None:
    names.addresses["nowhere.test"] = ()
    with pytest.raises(UpstreamUnreachable, match="its name is not known"):
        await fetched(http, "http://nowhere.test/v1")


async def test_the_address_that_answers_is_taken(http: HttpClient, names: Names) -> None:
    names.addresses["two.test"] = ("127.0.0.2", "127.0.0.1")
    async with serving(saying(answer(b"hi"))) as url:
        assert await fetched(http, url.replace("127.0.0.1", "two.test")) == b"hi"


async def test_a_silent_name_server_keeps_no_other_provider_away(
    http: HttpClient, names: Names
) -> None:
    names.addresses["other.test"] = ("127.0.0.1",)
    limits = Deadlines(connect=0.01)
    async with serving(saying(answer(b"hi"))) as url, names.silent():
        for number in range(names.MOST - 1):
            request = HttpRequest(
                provider="fake",
                method="GET",
                url=f"http://silent{number}.test/",
                headers={},
                deadlines=limits,
            )
            for _ in range(2):
                with pytest.raises(UpstreamUnreachable, match="no connection within"):
                    await http.open(request).__aenter__()
        assert await fetched(http, url) == b"hi"
        assert await fetched(http, url.replace("127.0.0.1", "other.test")) == b"hi"


async def test_nobody_listens(http: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UpstreamUnreachable, match="refused the connection"):
        await fetched(http, f"http://127.0.0.1:{port}/")


async def test_idle_connections_are_closed(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await keeping(reader, writer)
        finally:
            ended.set()

    monkeypatch.setattr(pool, "_KEEP_IDLE_SECONDS", 0.1)
    async with serving(handle) as url, asyncio.timeout(20):
        assert await fetched(http, url) == b"hi"
        await ended.wait()
        assert await fetched(http, url) == b"hi"


async def test_a_connection_that_was_used_lately_is_kept(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await keeping(reader, writer)

    async with serving(handle) as url:
        await fetched(http, url)
        pool = http._pool
        assert pool is not None
        pool._sweep()
        await fetched(http, url)
    assert connections == 1


async def test_a_server_with_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await keeping(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
        async with HttpClient() as http:
            with pytest.raises(UpstreamUnreachable, match="check its certificate"):
                await fetched(http, url)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        async with HttpClient() as http:
            for _ in range(2):
                assert await fetched(http, url) == b"hi"
            with pytest.raises(UpstreamUnreachable, match="check its certificate"):
                await fetched(http, url.replace("localhost", "127.0.0.1"))


async def test_servers_that_were_called_long_ago_leave_nothing_behind(
    http: HttpClient, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(keeping) as url:
        for number in range(5):
            await fetched(http, url.replace("127.0.0.1", f"host{number}.test"))
        assert http._pool is not None
        assert len(http._pool._idle) == 5
        monkeypatch.setattr(pool, "_KEEP_IDLE_SECONDS", 0.0)
        http._pool._sweep()
        assert http._pool._idle == {}


async def test_an_address_is_checked_each_time_a_connection_is_made(names: Names) -> None:
    seen: list[tuple[str, list[str]]] = []

    def check(origin: Origin, addresses: Sequence[str]) -> None:
        seen.append((origin.host, [*addresses]))
        if "127.0.0.1" not in addresses:
            raise Forbidden("Not there.")

    async with HttpClient(check=check) as http, serving(saying(answer(b"hi"))) as url:
        named = url.replace("127.0.0.1", "host.test")
        assert await fetched(http, named) == b"hi"
        names.addresses["host.test"] = ("127.0.0.2",)
        assert http._pool is not None
        http._pool._lookups = NameLookups()
        with pytest.raises(Forbidden, match="Not there"):
            await fetched(http, named)
    assert seen == [("host.test", ["127.0.0.1"]), ("host.test", ["127.0.0.2"])]


async def test_a_connection_with_two_owners_is_closed(http: HttpClient) -> None:
    async with serving(keeping) as url:
        pool, origin = http._pool, find_target(url).origin
        assert pool is not None
        for _ in range(2):
            assert await fetched(http, url) == b"hi"
            connection = pool.idle(origin)
            assert connection is not None
            pool.give_back(origin, connection)
            pool.give_back(origin, connection)
            assert not connection.usable
            assert pool.idle(origin) is None

        connection = await pool.connect(origin)
        connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
        pool.give_back(origin, connection)
        assert not connection.usable
        assert pool.idle(origin) is None


async def test_what_is_given_back_after_the_end_is_closed(http: HttpClient) -> None:
    async with serving(keeping) as url:
        pool, origin = http._pool, find_target(url).origin
        assert pool is not None
        connection = await pool.connect(origin)
        pool.close()
        pool.give_back(origin, connection)
        assert not connection.usable
