"""Fixtures of the security suites: a server of two workers, and owners with things of their own."""

from collections.abc import Iterator

import pytest
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.fixtures import deepgram_server as deepgram_server
from tests.harness.fixtures import desk as desk
from tests.harness.fixtures import desk_server as desk_server
from tests.harness.fixtures import killable as killable
from tests.harness.fixtures import killable_server as killable_server
from tests.harness.fixtures import older as older
from tests.harness.fixtures import older_server as older_server
from tests.harness.fixtures import provider as provider
from tests.harness.fixtures import scenario as scenario
from tests.harness.fixtures import serve as serve
from tests.harness.fixtures import services as services
from tests.harness.fixtures import shared as shared
from tests.harness.scenario import Scenario
from tests.harness.search_services.server import SearchServices
from tests.harness.server import CALM_LEASE_S, Server
from tests.security.owners import Owners, new_owners


@pytest.fixture(scope="session")
def quiet_server(
    provider: FakeProvider, services: SearchServices, deepgram_server: Deepgram
) -> Iterator[Server]:
    """Two workers with every provider that a route has for itself; never killed.

    Deepgram is asked about whatever may be a key of its own.
    """
    settings = {
        "ANTHROPIC_BASE_URL": provider.root_url,
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
        "HUGGINGFACE_BASE_URL": provider.base_url,
        "HUGGINGFACE_API_KEY": PROVIDER_KEY,
        "CARTRITA_WEBSOCKET_FRAMES_PER_S": "100000",
        "CARTRITA_VOICE_FRAMES_PER_S": "100000",
        "DEEPGRAM_BASE_URL": deepgram_server.base_url,
        **services.settings,
    }
    with Server(
        provider_url=provider.base_url, workers=2, lease_s=CALM_LEASE_S, settings=settings
    ) as server:
        yield server


@pytest.fixture(scope="module")
async def owners(quiet_server: Server, provider: FakeProvider) -> Owners:
    """Owners with things of their own, and whoever else may ask."""
    return await new_owners(Scenario(quiet_server, provider))
