"""Fixtures of the journeys: a provider, a shared server, servers of a test's own."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.harness.deepgram.launch import Deepgram, deepgram
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.scenario import Scenario
from tests.harness.search_services.server import SearchServices, search_services
from tests.harness.server import CALM_LEASE_S, Server

PROVIDER_KEY = "sk-of-the-fake-provider"
Serve = Callable[..., Scenario]


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    """The model provider of all journeys; scripts are in the messages, so tests can share it."""
    with fake_provider(seed=7, key=PROVIDER_KEY) as running:
        yield running


@pytest.fixture(scope="session")
def services() -> Iterator[SearchServices]:
    """The search engines and the GitHub of all journeys."""
    with search_services() as running:
        yield running


@pytest.fixture(scope="session")
def deepgram_server() -> Iterator[Deepgram]:
    """The Deepgram of all journeys; a test that tells it something resets it."""
    with deepgram() as running:
        yield running


@pytest.fixture(scope="session")
def quiet_server(provider: FakeProvider) -> Iterator[Server]:
    """Two workers; never killed."""
    settings = {
        "ANTHROPIC_BASE_URL": provider.root_url,
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
    }
    with Server(
        provider_url=provider.base_url, workers=2, lease_s=CALM_LEASE_S, settings=settings
    ) as server:
        yield server


@pytest.fixture
def scenario(quiet_server: Server, provider: FakeProvider) -> Scenario:
    """A scenario on the shared server, which is never killed."""
    return Scenario(quiet_server, provider)


@pytest.fixture(scope="session")
def older_server(provider: FakeProvider) -> Iterator[Server]:
    """One that serves older frontends; never killed."""
    settings = {"CARTRITA_COMPAT_FRONTEND": "1", "CARTRITA_CORS_ORIGINS": "http://localhost:3000"}
    with Server(provider_url=provider.base_url, lease_s=CALM_LEASE_S, settings=settings) as server:
        yield server


@pytest.fixture
def older(older_server: Server, provider: FakeProvider) -> Scenario:
    """A scenario on the server that serves older frontends."""
    return Scenario(older_server, provider)


@pytest.fixture(scope="session")
def desk_server(provider: FakeProvider) -> Iterator[Server]:
    """One with desktops; never killed."""
    settings = {
        "CARTRITA_DESKTOP_ENABLED": "1",
        "CARTRITA_DESKTOP_SESSIONS_PER_OWNER": "16",
        "CARTRITA_DESKTOP_SESSIONS_MAX": "16",
        "CARTRITA_DESKTOP_LOOKS_MAX": "4",
        "CARTRITA_DESKTOP_HOLD_MAX_S": "300",
        "CARTRITA_WEBSOCKET_PING_TIMEOUT_S": "600",
        "CARTRITA_DESKTOP_SWEEP_S": "0.1",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
async def desk(desk_server: Server, provider: FakeProvider) -> AsyncIterator[Scenario]:
    """A scenario on the server with desktops, of which none is left after the test."""
    scenario = Scenario(desk_server, provider)
    yield scenario
    _, page = await scenario.call("GET", "/api/desktops")
    for each in page["items"]:
        await scenario.call("DELETE", f"/api/desktops/{each['id']}")


@pytest.fixture(scope="module")
def killable_server(provider: FakeProvider) -> Iterator[Server]:
    """One worker, which the tests of one file may kill."""
    with Server(provider_url=provider.base_url) as server:
        yield server


@pytest.fixture
def killable(killable_server: Server, provider: FakeProvider) -> Scenario:
    """A scenario on a server that other tests of the file may kill as well."""
    return Scenario(killable_server, provider)


@pytest.fixture(scope="module")
def shared(provider: FakeProvider) -> Iterator[Serve]:
    """Servers that the tests of one file share: one for all who ask for the same; never killed."""
    with ExitStack() as stack:
        running: dict[str, Server] = {}

        def find(**options: Any) -> Scenario:
            asked = repr(options)
            if asked not in running:
                server = Server(provider_url=provider.base_url, **options)
                running[asked] = stack.enter_context(server)
            return Scenario(running[asked], provider)

        yield find


@pytest.fixture
def serve(provider: FakeProvider) -> Iterator[Serve]:
    """Starts servers of this test's own; returns each one's scenario."""
    with ExitStack() as stack:

        def start(**options: Any) -> Scenario:
            server = Server(provider_url=provider.base_url, **options)
            return Scenario(stack.enter_context(server), provider)

        yield start
