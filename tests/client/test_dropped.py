"""Streams and downloads that their reader drops are closed, and nothing is told about it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.harness.server import KEY, Server

from cartrita_client import AsyncCartritaApiClient

Open = Callable[[AsyncCartritaApiClient], AsyncIterator[Any]]


def events(client: AsyncCartritaApiClient) -> AsyncIterator[Any]:
    return client.stream_chat(message="In four parts.")


def words(client: AsyncCartritaApiClient) -> AsyncIterator[Any]:
    return client.stream_chat(message="In four parts.").text()


def sound(client: AsyncCartritaApiClient) -> AsyncIterator[Any]:
    return client.speak(text="What grows on stones? " * 40, format="wav")


@pytest.mark.parametrize("opened", [events, words, sound])
@pytest.mark.parametrize("asks_again", [True, False])
def test_what_is_dropped_is_closed(
    opened: Open, asks_again: bool, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async def drop() -> None:
        async with AsyncCartritaApiClient(server.base, KEY) as client:
            pieces = opened(client)
            await anext(pieces)
            del pieces
            gc.collect()
            if asks_again:
                await client.get_me()

    asyncio.run(drop())
    assert [each.getMessage() for each in caplog.records if each.name == "asyncio"] == []
