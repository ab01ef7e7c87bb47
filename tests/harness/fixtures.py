"""Fixtures of the journeys: a provider, a quiet server that stories share, servers to be killed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.server import Server
from tests.harness.story import Story

PROVIDER_KEY = "sk-of-the-fake-provider"
Serve = Callable[..., Story]


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    """The model provider of all journeys; scripts go into the messages, so none disturbs others."""
    with fake_provider(seed=7, key=PROVIDER_KEY) as running:
        yield running


@pytest.fixture(scope="session")
def quiet_server(provider: FakeProvider) -> Iterator[Server]:
    """Two workers that nobody kills."""
    with Server(provider_url=provider.base_url, workers=2) as server:
        yield server


@pytest.fixture
def story(quiet_server: Server, provider: FakeProvider) -> Story:
    """A story on the server that nobody kills."""
    return Story(quiet_server, provider)


@pytest.fixture(scope="module")
def killable_server(provider: FakeProvider) -> Iterator[Server]:
    """One worker, to be killed by the stories of one file, one after the other."""
    with Server(provider_url=provider.base_url) as server:
        yield server


@pytest.fixture
def killable(killable_server: Server, provider: FakeProvider) -> Story:
    """A story on the server that others may kill, too, before and after it."""
    return Story(killable_server, provider)


@pytest.fixture
def serve(provider: FakeProvider) -> Iterator[Serve]:
    """Starts servers of this test's own, to be killed, drained or cut off; each with its story."""
    with ExitStack() as stack:

        def start(**options: Any) -> Story:
            server = Server(provider_url=provider.base_url, **options)
            return Story(stack.enter_context(server), provider)

        yield start
