"""Fixtures of the official clients: an upstream, a server before it, and each of the targets."""

from collections.abc import Iterator

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import provider as provider
from tests.harness.server import Server
from tests.sdks import npm_packages, targets
from tests.sdks.targets import DIRECT, UPSTREAMS, Target


@pytest.fixture(scope="session")
def server(provider: FakeProvider) -> Iterator[Server]:
    """Cartrita before the scripted upstream, in each of its dialects."""
    with targets.cartrita(provider) as running:
        yield running


@pytest.fixture(scope="session")
def node() -> str:
    """Node's command, once the packages of npm/ are there."""
    return npm_packages.installed()


@pytest.fixture(params=[DIRECT, *UPSTREAMS])
def target(request: pytest.FixtureRequest, provider: FakeProvider) -> Target:
    """Every test runs against the upstream itself, and through Cartrita in three directions."""
    if request.param == DIRECT:
        return targets.direct(request.module.DIALECT, provider)
    return targets.through(request.param, request.getfixturevalue("server"))
