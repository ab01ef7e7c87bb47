"""Fixtures of the TypeScript client's tests: the built package, compiled programs, servers."""

from collections.abc import Iterator

import pytest
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.fixtures import deepgram_server as deepgram_server
from tests.harness.fixtures import desk as desk
from tests.harness.fixtures import desk_server as desk_server
from tests.harness.fixtures import provider as provider
from tests.harness.fixtures import scenario as scenario
from tests.harness.fixtures import serve as serve
from tests.harness.fixtures import services as services
from tests.harness.search_services.server import SearchServices
from tests.harness.server import Server
from tests.typescript import package
from tests.typescript.package import Programs


@pytest.fixture(scope="session")
def node() -> str:
    """Node's command, once the package is built."""
    return package.built()


@pytest.fixture(scope="session")
def programs(node: str, tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The programs, compiled."""
    return package.compiled(node, package.PROGRAMS, tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="session")
def quiet_server(
    provider: FakeProvider, services: SearchServices, deepgram_server: Deepgram
) -> Iterator[Server]:
    """Two workers with every provider that an operation has for itself; never killed."""
    settings = {
        "ANTHROPIC_BASE_URL": provider.root_url,
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
        "HUGGINGFACE_BASE_URL": provider.base_url,
        "HUGGINGFACE_API_KEY": PROVIDER_KEY,
        **services.settings,
        **deepgram_server.settings,
    }
    with Server(provider_url=provider.base_url, workers=2, settings=settings) as server:
        yield server
