"""Calls that are no chats: any body, at the provider's address, with its key and deadlines."""

import pytest
from tests.backend.adapters.http.servers import answer, saying, serving
from tests.harness.fake_provider.launch import FakeProvider

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.plain_calls import PlainCalls
from cartrita.domain.errors import UpstreamAuth, UpstreamMalformed, UpstreamRejected
from cartrita.kit.secret import Secret


def calls(http: HttpClient, base_url: str, key: str) -> PlainCalls:
    connection = ProviderConnection(
        name="fake", base_url=base_url, transport=http, credential=Bearer(Secret(key))
    )
    return PlainCalls(connection, has_key=True, needs_key=True)


async def test_a_body_is_sent_as_it_is(fake: FakeProvider, http: HttpClient) -> None:
    plain = calls(http, fake.base_url, fake.key)
    body = b'{"model":"tts-1","input":"Hi.","voice":"alloy"}'
    async with plain.post("/audio/speech", body, "application/json", patience=60) as response:
        assert response.headers["content-type"] == "audio/mpeg"
        assert await response.read()
    [asked] = fake.requests()
    assert (asked.path, asked.body) == ("/v1/audio/speech", body.decode())


async def test_a_refusal_is_an_error_of_the_provider(fake: FakeProvider, http: HttpClient) -> None:
    plain = calls(http, fake.base_url, fake.key)
    with pytest.raises(UpstreamRejected):
        await plain.post("/audio/speech", b"{}", "application/json", patience=60).__aenter__()


async def test_another_key(fake: FakeProvider, http: HttpClient) -> None:
    plain = calls(http, fake.base_url, "sk-wrong")
    with pytest.raises(UpstreamAuth):
        await plain.model_names()
    other = plain.with_key(Secret(fake.key))
    assert "fake" in await other.model_names()
    assert (other.name, other.has_key, other.needs_key) == ("fake", True, True)


async def test_a_list_that_is_none(http: HttpClient) -> None:
    async with serving(saying(answer(b"[1]"))) as base_url:
        with pytest.raises(UpstreamMalformed):
            await calls(http, base_url, "k").model_names()
