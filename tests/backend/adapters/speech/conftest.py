"""What transcribes and speaks with the stand-ins of OpenAI's audio API and of Deepgram."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import deepgram_server as deepgram_server

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.plain_calls import PlainCalls
from cartrita.adapters.speech.deepgram_service import DeepgramService
from cartrita.kit.secret import Secret

Calls = Callable[..., PlainCalls]
AtDeepgram = Callable[..., DeepgramService]


@pytest.fixture
def calls(fake: FakeProvider, http: HttpClient) -> Calls:
    """The stand-in under the name of OpenAI, at its address or at another of it."""

    def made(base_url: str = fake.base_url) -> PlainCalls:
        connection = ProviderConnection(
            name="openai",
            base_url=base_url,
            transport=http,
            credential=Bearer(Secret(fake.key)),
            deadlines=Deadlines(connect=20),
        )
        return PlainCalls(connection, has_key=True)

    return made


@pytest.fixture
def standin(deepgram_server: Deepgram) -> Deepgram:
    """The stand-in of Deepgram, to which nobody has said anything yet."""
    deepgram_server.reset()
    return deepgram_server


@pytest.fixture
def at_deepgram(standin: Deepgram, http: HttpClient) -> AtDeepgram:
    """The service at the stand-in, with its key and these bounds."""

    def made(**bounds: Any) -> DeepgramService:
        told: dict[str, Any] = {"base_url": standin.base_url, "key": Secret(standin.key)}
        return DeepgramService(http=http, **{**told, **bounds})

    return made
