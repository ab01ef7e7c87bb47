"""No address of a page leads into the server's own network, in whatever spelling or by whose name.

Whatever is refused, a listener there hears nothing. Any port may be called here, so that nothing
but the rule on addresses keeps it from hearing.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from tests.backend.adapters.http.names import Names
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario

from cartrita.adapters.http import public_addresses
from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.name_lookups import NameLookups
from cartrita.adapters.http.public_addresses import AddressRule
from cartrita.adapters.web.pages import PageReader
from cartrita.domain.errors import CartritaError, Forbidden, InvalidInput

SPELLINGS = [
    "http://127.0.0.1:{}/",
    "http://127.1:{}/",
    "http://127.0.1:{}/",
    "http://2130706433:{}/",
    "http://0x7f000001:{}/",
    "http://0x7f.0x0.0x0.0x1:{}/",
    "http://0177.0.0.1:{}/",
    "http://017700000001:{}/",
    "http://0:{}/",
    "http://0.0.0.0:{}/",
    "http://127.0.0.1.:{}/",
    "http://127。0。0。1:{}/",
    "http://１２７.0.0.1:{}/",
    "http://①②⑦.0.0.1:{}/",
    "http://%31%32%37.0.0.1:{}/",
    "http://[::1]:{}/",
    "http://[::]:{}/",
    "http://[::127.0.0.1]:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{}/",
    "http://[64:ff9b::127.0.0.1]:{}/",
    "http://[64:ff9b:1::7f00:1]:{}/",
    "http://[2002:7f00:1::]:{}/",
    "http://[fe80::1%25lo]:{}/",
    "http://localhost:{}/",
    "http://LOCALHOST:{}/",
    "http://localhost.:{}/",
    "http://inner.test:{}/",
    "http://user@127.0.0.1:{}/",
    "http://public.test@127.0.0.1:{}/",
    "http://public.test:80@127.0.0.1:{}/",
    "http://public.test\\@127.0.0.1:{}/",
    "http://127.0.0.1:{}\\@public.test/",
    "http://127.0.0.1:{}#@public.test/",
    "http://127.0.0.1:{}?@public.test/",
    "http:\\\\127.0.0.1:{}/",
    "http:/127.0.0.1:{}/",
    "http:127.0.0.1:{}/",
    "//127.0.0.1:{}/",
    "\thttp://127.0.0.1:{}/",
    "http://127.0.0.1\t:{}/",
    "http://127.0.0.1:{}/\r\nX-Injected: 1",
    "https://127.0.0.1:{}/",
    "ftp://127.0.0.1:{}/",
    "gopher://127.0.0.1:{}/_GET",
    "dict://127.0.0.1:{}/info",
]


class Listener:
    """Hears whoever connects to this machine, by both versions of IP."""

    def __init__(self) -> None:
        self.heard = 0
        self.port = 0

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += 1
        writer.close()


@asynccontextmanager
async def listening() -> AsyncGenerator[Listener]:
    listener = Listener()
    async with AsyncExitStack() as stack:
        for host in ("127.0.0.1", "::1"):
            try:
                server = await asyncio.start_server(listener.hear, host, listener.port)
            except OSError:
                assert host == "::1"  # there is no IPv6 here
                continue
            await stack.enter_async_context(server)
            listener.port = server.sockets[0].getsockname()[1]
        yield listener


@asynccontextmanager
async def reading(*hosts: str) -> AsyncGenerator[PageReader]:
    async with HttpClient(check=AddressRule(hosts, ports=None)) as http:
        reader = PageReader(http)
        try:
            yield reader
        finally:
            reader.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Every name stands for this machine."""
    known = Names()
    monkeypatch.setattr(socket, "getaddrinfo", known)
    return known


async def refusal(reader: PageReader, url: str) -> CartritaError:
    with pytest.raises(CartritaError) as caught:
        await reader.fetch(url)
    return caught.value


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_spelling_of_this_machine(names: Names, spelling: str) -> None:
    async with listening() as listener, reading() as reader:
        error = await refusal(reader, spelling.replace("{}", str(listener.port)))
    assert isinstance(error, InvalidInput | Forbidden)
    assert listener.heard == 0


@pytest.mark.parametrize(
    "spelling",
    [
        "http://127.0.0.1:{}/",
        "http://localhost:{}/",
        "http://inner.test:{}/",
        "http://127。0。0。1:{}/",
    ],
)
async def test_a_listener_hears_where_every_address_counts_as_public(
    names: Names, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    """Without the rule the other tests here would fail."""
    assert spelling in SPELLINGS

    def yes(_: str) -> bool:
        return True

    monkeypatch.setattr(public_addresses, "is_public", yes)
    async with listening() as listener, reading() as reader:
        await refusal(reader, spelling.replace("{}", str(listener.port)))
        assert listener.heard > 0


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_redirect_to_a_spelling_of_this_machine(names: Names, spelling: str) -> None:
    location = ""

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(redirect, "127.0.0.1", 0)
    async with server, listening() as listener, reading("outer.test") as reader:
        spelled = spelling.replace("{}", str(listener.port))
        location = spelled.partition("\r")[0]
        port = server.sockets[0].getsockname()[1]
        error = await refusal(reader, f"http://outer.test:{port}/")
    assert isinstance(error, CartritaError)
    assert listener.heard == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("127.0.0.2", "127.0.0.1"),
        ("169.254.169.254",),
        ("10.0.0.1", "192.168.0.1"),
    ],
)
async def test_a_name_with_an_inner_address(names: Names, addresses: tuple[str, ...]) -> None:
    names.addresses["evil.test"] = addresses
    async with listening() as listener, reading("127.0.0.2/32") as reader:
        error = await refusal(reader, f"http://evil.test:{listener.port}/")
    assert isinstance(error, Forbidden)
    assert error.code == "address_not_public"
    assert listener.heard == 0


async def test_a_name_that_changes_after_it_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its first address may be called; from the second look-up on it has that of this machine."""
    resolve, asked = socket.getaddrinfo, 0

    def rebinding(host: str, port: int, **options: int) -> list[Any]:
        nonlocal asked
        if options.get("flags"):
            return resolve(host, port, **options)
        asked += 1
        return resolve("127.0.0.2" if asked == 1 else "127.0.0.1", port, **options)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nMoss")
        await writer.drain()
        writer.close()

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    async with (
        listening() as listener,
        HttpClient(check=AddressRule(("127.0.0.2/32",), ports=None)) as http,
        await asyncio.start_server(answer, "127.0.0.2", listener.port),
    ):
        reader = PageReader(http)
        url = f"http://rebind.test:{listener.port}/"
        assert (await reader.fetch(url)).text == "Moss"
        assert asked == 1
        assert http._pool is not None
        http._pool._lookups = NameLookups()  # as after ten seconds
        assert isinstance(await refusal(reader, url), Forbidden)
        reader.close()
    assert asked == 2
    assert listener.heard == 0


async def test_addresses_that_a_model_says_are_not_called(scenario: Scenario) -> None:
    async with listening() as listener:
        url = f"http://127.0.0.1:{listener.port}"
        said = f"![an image]({url}/a.png) [a link]({url}/b) <img src='{url}/c'> {url}/d"
        answer = await scenario.chat(Script(text=said))
        assert answer["response"] == said
    assert listener.heard == 0
