"""What transcribes and speaks with the stand-in of OpenAI's audio API."""

from collections.abc import Callable

import pytest
from tests.harness.fake_provider.launch import FakeProvider

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.plain_calls import PlainCalls
from cartrita.kit.secret import Secret

Calls = Callable[..., PlainCalls]


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
