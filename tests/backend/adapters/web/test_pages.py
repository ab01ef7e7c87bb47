"""Pages are fetched over sockets: their types, sizes, times and redirects."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import pytest
from tests.backend.adapters.http.names import Names
from tests.backend.adapters.http.servers import serving
from tests.harness.scenario import until

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.public_addresses import AddressRule
from cartrita.adapters.web.pages import PageLimits, PageReader
from cartrita.domain.errors import (
    CartritaError,
    Forbidden,
    InvalidInput,
    UnsupportedMedia,
    UpstreamCut,
    UpstreamRejected,
    UpstreamUnreachable,
)


class Site:
    """A web site: what it has by path, and the heads of the requests that it got."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.heads: list[str] = []
        self.url = ""

    def put(self, path: str, body: bytes = b"", *, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"content-type": "text/html", **named, "content-length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        self.pages[path] = f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        path = head.split()[1]
        if path == "/silent":
            await asyncio.Event().wait()
        writer.write(self.pages[path])
        await writer.drain()


@asynccontextmanager
async def site() -> AsyncGenerator[Site]:
    one = Site()
    async with serving(one.answer) as url:
        one.url = url.removesuffix("/v1")
        yield one


@asynccontextmanager
async def reading(*hosts: str, **limits: float) -> AsyncGenerator[PageReader]:
    rule = AddressRule(hosts or ("127.0.0.1/32",))
    async with HttpClient("Cartrita", check=rule) as http:
        reader = PageReader(http, PageLimits(**limits))  # pyright: ignore[reportArgumentType]
        try:
            yield reader
        finally:
            reader.close()


async def error_of(reader: PageReader, url: str) -> CartritaError:
    with pytest.raises(CartritaError) as caught:
        await reader.fetch(url)
    return caught.value


async def test_a_page() -> None:
    async with site() as one, reading() as reader:
        one.put("/a?b=c", b"<title>Moss</title><h1>Moss</h1><p>It grows.</p>")
        page = await reader.fetch(f"{one.url}/a?b=c#d")
    assert (page.title, page.text) == ("Moss", "# Moss\n\nIt grows.")
    assert page.url == f"{one.url}/a?b=c"
    assert not page.truncated
    (head,) = one.heads
    sent = {line.partition(":")[0].lower() for line in head.splitlines()[1:] if line}
    assert sent == {"host", "accept", "accept-encoding", "user-agent"}


async def test_one_owners_silent_pages_keep_no_other_from_reading() -> None:
    async with site() as one, reading() as reader, asyncio.TaskGroup() as group:
        one.put("/", b"<p>Moss")
        stuck = [group.create_task(reader.fetch(f"{one.url}/silent", "ann")) for _ in range(20)]
        await until(lambda: len(one.heads) == 4)
        assert (await reader.fetch(one.url, "bob")).text == "Moss"
        for each in stuck:
            each.cancel()


async def test_texts_are_read_as_they_are() -> None:
    async with site() as one, reading() as reader:
        one.put("/x.json", b' {"a": "<p>"}\n', content_type="application/json")
        page = await reader.fetch(f"{one.url}/x.json")
    assert (page.title, page.text) == (f"{one.url}/x.json", '{"a": "<p>"}')


async def test_a_compressed_page() -> None:
    async with site() as one, reading() as reader:
        one.put("/", gzip.compress(b"<p>Moss"), content_encoding="gzip")
        assert (await reader.fetch(one.url)).text == "Moss"


async def test_of_a_long_page_the_beginning_is_read() -> None:
    async with site() as one, reading(bytes=1000) as reader:
        one.put("/", b"<p>" + b"moss " * 1_000_000)
        page = await reader.fetch(one.url)
    assert page.truncated
    assert 900 < len(page.text) <= 1000


@pytest.mark.parametrize(
    ("status", "words"), [(404, "no such page"), (410, "no such page"), (403, "does not show")]
)
async def test_a_page_that_is_not_there(status: int, words: str) -> None:
    async with site() as one, reading() as reader:
        one.put("/", status=status)
        error = await error_of(reader, one.url)
    assert isinstance(error, UpstreamRejected)
    assert words in error.message


@pytest.mark.parametrize("kind", ["application/pdf", "image/png", "application/zip"])
async def test_what_is_no_page(kind: str) -> None:
    async with site() as one, reading() as reader:
        one.put("/", b"%PDF", content_type=kind)
        error = await error_of(reader, one.url)
    assert isinstance(error, UnsupportedMedia)
    assert kind in error.message


async def test_redirects_are_followed() -> None:
    async with site() as one, site() as other, reading() as reader:
        one.put("/", status=302, location="/next")
        one.put("/next", status=301, location=f"{other.url}/there")
        other.put("/there", b"<p>Moss")
        page = await reader.fetch(one.url)
    assert (page.text, page.url) == ("Moss", f"{other.url}/there")


async def test_redirects_without_end() -> None:
    async with site() as one, reading() as reader:
        one.put("/", status=302, location="/")
        error = await error_of(reader, one.url)
    assert isinstance(error, InvalidInput)
    assert len(one.heads) == 6


async def test_a_redirect_that_says_not_where() -> None:
    async with site() as one, reading() as reader:
        one.put("/", status=302)
        assert isinstance(await error_of(reader, one.url), UpstreamRejected)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://u:p@a.test/", "http://127.1/"])
async def test_a_redirect_to_what_is_no_page(location: str) -> None:
    async with site() as one, reading() as reader:
        one.put("/", status=302, location=location)
        assert isinstance(await error_of(reader, one.url), InvalidInput)


async def test_a_redirect_inwards_is_refused(names: Names) -> None:
    async with site() as one, site() as inner, reading("page.test") as reader:
        outer = one.url.replace("127.0.0.1", "page.test")
        for location in (inner.url, inner.url.replace("127.0.0.1", "inner.test")):
            one.put("/", status=302, location=location)
            error = await error_of(reader, outer)
            assert isinstance(error, Forbidden)
            assert error.code == "address_not_public"
    assert inner.heads == []


async def test_a_page_that_does_not_come() -> None:
    async with site() as one, reading(seconds=0.1) as reader:
        error = await error_of(reader, f"{one.url}/silent")
    assert isinstance(error, UpstreamCut | UpstreamUnreachable)


async def test_a_name_that_is_not_known(names: Names) -> None:
    names.addresses["nowhere.test"] = ()
    async with reading() as reader:
        error = await error_of(reader, "http://nowhere.test/")
    assert isinstance(error, UpstreamUnreachable)
    assert "nowhere.test cannot be reached: its name is not known" in error.message


async def test_many_are_read_at_once() -> None:
    async with site() as one, reading() as reader:
        one.put("/", b"<p>Moss")
        pages = await asyncio.gather(*(reader.fetch(one.url) for _ in range(40)))
    assert {page.text for page in pages} == {"Moss"}


def headers_of(head: str) -> Mapping[str, str]:
    pairs = (line.partition(": ") for line in head.splitlines()[1:] if line)
    return {name.lower(): value for name, _, value in pairs}


async def test_the_host_is_named_as_it_was_asked_for(names: Names) -> None:
    async with site() as one, reading("page.test") as reader:
        one.put("/", b"<p>Moss")
        port = one.url.rpartition(":")[2]
        await reader.fetch(f"http://PAGE.test:{port}/")
    assert headers_of(one.heads[0])["host"] == f"page.test:{port}"
