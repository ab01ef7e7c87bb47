"""One fake upstream for the folder, and the client that calls it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider

from cartrita.adapters.http.client import HttpClient


@pytest.fixture(scope="session")
def running() -> Iterator[FakeProvider]:
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client
