"""Model servers on this machine are found, and nothing else is taken for one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.backend.adapters.http.servers import answer, saying, serving
from tests.harness.fake_provider.launch import FakeProvider, fake_provider

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.discovery import UsualAddress, discover

LONG = 20.0


@asynccontextmanager
async def answering(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> AsyncGenerator[int]:
    """A server with one answer; yields its port."""
    async with serving(saying(answer(body, *headers, status=status))) as url:
        yield port_of(url)


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


async def found(http: HttpClient, *ports: int, own_port: int | None = None) -> list[str]:
    places = [UsualAddress(f"at{port}", port) for port in ports]
    servers = await discover(http, places, own_port=own_port, timeout=LONG)
    return [server.name for server in servers]


async def test_a_model_server_is_found_with_its_address(http: HttpClient) -> None:
    with fake_provider(key="", models=["llama"]) as fake:
        (server,) = await discover(http, [UsualAddress("ollama", fake.port)], timeout=LONG)
        assert server.name == "ollama"
        assert server.base_url == fake.base_url
        assert await found(http, fake.port, own_port=fake.port) == []


async def test_one_that_has_no_model_yet_is_found_too(http: HttpClient) -> None:
    async with answering(b'{"object":"list","data":null}') as port:
        assert await found(http, port) == [f"at{port}"]


async def test_another_of_us_is_not_taken_for_a_model_server(http: HttpClient) -> None:
    listing = b'{"object":"list","data":[{"id":"cartrita"}]}'
    async with answering(listing, b"Server: cartrita") as ours, answering(listing) as other:
        assert await found(http, ours, other) == [f"at{other}"]


async def test_other_servers_are_passed_over(fake: FakeProvider, http: HttpClient) -> None:
    async with (
        answering(b"<html>") as page,
        answering(b'{"detail":"Not Found"}', status=b"404 Not Found") as missing,
        answering(b'{"status":"ok"}') as other,
        answering(b'{"data":[{"id":"x"}]}' + b" " * (5 << 20)) as endless,
        answering(b"", b"Location: /v1", status=b"302 Found") as redirect,
    ):
        ports = (page, missing, other, endless, redirect, 1, fake.port)  # the last wants a key
        assert await found(http, *ports) == []


async def test_one_that_does_not_answer_holds_nobody_up(http: HttpClient) -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as url:
        assert await discover(http, [UsualAddress("x", port_of(url))] * 20, timeout=0.2) == []
