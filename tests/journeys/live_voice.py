"""Fixtures of live conversations: a Deepgram of each file's own, a server that uses it, a scenario.

Words have tones there, of which there are not enough for all journeys together.
"""

from collections.abc import Iterator

import pytest
from tests.harness.deepgram.launch import Deepgram, deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.scenario import Scenario
from tests.harness.server import Server
from tests.harness.voice_sockets import live_settings

MODEL = "openai/fake"


@pytest.fixture(scope="module")
def deepgram_server() -> Iterator[Deepgram]:
    with deepgram() as running:
        yield running


@pytest.fixture(scope="module")
def live_server(provider: FakeProvider, deepgram_server: Deepgram) -> Iterator[Server]:
    """One worker, which speaks and hears by that Deepgram."""
    settings = live_settings(deepgram_server)
    with Server(provider_url=provider.base_url, settings=settings) as running:
        yield running


@pytest.fixture
def live(live_server: Server, provider: FakeProvider, deepgram_server: Deepgram) -> Scenario:
    """A scenario on that server, which is never killed."""
    deepgram_server.reset()
    return Scenario(live_server, provider)
