"""A server whose model plays a file, and clients of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.client.scenes import SCENES
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.fixtures import deepgram_server as deepgram_server
from tests.harness.fixtures import provider as provider
from tests.harness.fixtures import services as services
from tests.harness.search_services.server import SearchServices
from tests.harness.server import KEY, Server

from cartrita_client import AsyncCartritaApiClient, CartritaApiClient


@pytest.fixture(scope="session")
def server(
    provider: FakeProvider,
    services: SearchServices,
    deepgram_server: Deepgram,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """It plays the scenes, hears and speaks, and has providers whose keys can be exchanged."""
    script = tmp_path_factory.mktemp("scenes") / "scenes.yaml"
    script.write_text(SCENES)
    settings = {
        "CARTRITA_OFFLINE_SCRIPT": str(script),
        "CARTRITA_DEFAULT_MODEL": "offline/script",
        "CARTRITA_RUN_LOG_HEARTBEAT_S": "1",
        "HUGGINGFACE_BASE_URL": provider.base_url,
        "HUGGINGFACE_API_KEY": PROVIDER_KEY,
        **services.settings,
        **deepgram_server.settings,
    }
    with Server(provider_url=provider.base_url, settings=settings) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[CartritaApiClient]:
    """A client that blocks."""
    with CartritaApiClient(server.base, KEY) as made:
        yield made


@pytest.fixture
async def async_client(server: Server) -> AsyncIterator[AsyncCartritaApiClient]:
    """One that does not."""
    async with AsyncCartritaApiClient(server.base, KEY) as made:
        yield made


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    """A file of some hundred kilobytes."""
    path = tmp_path / "notes.txt"
    path.write_text("The heliotrope stands beside the blue pump.\n" * 8000)
    return path
