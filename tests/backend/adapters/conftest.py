"""One fake provider for the adapters, and the client that calls it."""

import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.backend.adapters.http.names import Names
from tests.harness.fake_provider.launch import FakeProvider, fake_provider

from cartrita.adapters.http.client import HttpClient


@pytest.fixture(scope="session")
def running() -> Iterator[FakeProvider]:
    with fake_provider(models=["fake-small", "fake-large"]) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    known = Names()
    monkeypatch.setattr(socket, "getaddrinfo", known)
    return known


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client
