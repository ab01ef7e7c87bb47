"""A row of the registry becomes a provider that can be called."""

import asyncio
import json

import pytest
from msgspec.structs import replace
from tests.backend.adapters.http.servers import answer, serving
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.request_log import Exchange

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.factory import ProviderOptions, create_provider
from cartrita.adapters.providers.oauth import OAuthClient, TokenSource
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.adapters.providers.registry import provider_spec
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import UpstreamUnreachable
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.ports.providers import RelayProvider
from cartrita.domain.requests import ModelRequest, Sampling
from cartrita.kit.secret import Secret


async def test_a_provider_uses_the_options_of_its_server(
    fake: FakeProvider, http: HttpClient
) -> None:
    request = ModelRequest(
        owner_id="o",
        model="fake",
        messages=(Message(Role.USER, (Text("Hi"),)),),
        sampling=Sampling(max_tokens=5),
    )
    for name, field in (("openai", "max_completion_tokens"), ("ollama", "max_tokens")):
        spec = provider_spec(name)
        options = ProviderOptions(base_url=fake.base_url, key=Secret(fake.key))
        provider = create_provider(spec, http, options)
        async with provider.stream(request) as deltas:
            assert [delta async for delta in deltas]
        assert f'"{field}":5' in fake.requests()[-1].body
        assert provider.name == name


async def test_configured_models_are_listed_without_asking(
    fake: FakeProvider, http: HttpClient
) -> None:
    spec = provider_spec("ollama")
    provider = create_provider(spec, http, ProviderOptions(base_url=fake.base_url, models=("a",)))
    assert isinstance(provider, OpenAICompatible)
    assert [model.id for model in await provider.models()] == ["ollama/a"]


async def answered(
    fake: FakeProvider, http: HttpClient, name: str, **changes: object
) -> tuple[RelayProvider, Exchange]:
    """The provider of a row at the fake's address, and what it sent for a call."""
    spec = replace(provider_spec(name), **changes)
    root = fake.root_url if spec.dialect == "anthropic_messages" else fake.base_url
    options = ProviderOptions(base_url=root, key=Secret(fake.key))
    provider = create_provider(spec, http, options)
    async with provider.stream(asking()) as deltas:
        assert [delta async for delta in deltas]
    return provider, fake.requests()[-1]


def asking() -> ModelRequest:
    message = Message(Role.USER, (Text("Hi"),))
    sampling = Sampling(max_tokens=50)
    return ModelRequest(owner_id="o", model="fake", messages=(message,), sampling=sampling)


async def test_each_dialect_is_spoken_at_its_endpoint(fake: FakeProvider, http: HttpClient) -> None:
    anthropic, sent = await answered(fake, http, "anthropic")
    assert (sent.path, sent.header("x-api-key")) == ("/v1/messages", fake.key)
    assert sent.header("authorization") is None
    assert anthropic.dialects == {"anthropic_messages"}

    openai, sent = await answered(fake, http, "openai")
    assert sent.path == "/v1/chat/completions"
    assert openai.dialects == {"openai_chat", "openai_responses"}

    comet, sent = await answered(fake, http, "comet")
    assert (sent.path, sent.header("authorization")) == ("/v1/messages", f"Bearer {fake.key}")
    assert comet.dialects == {"anthropic_messages", "openai_chat"}


async def test_responses_are_spoken_where_they_are_configured(http: HttpClient) -> None:
    paths: list[bytes] = []
    said = {"type": "output_text", "text": "Hello", "annotations": []}
    message = {"type": "message", "role": "assistant", "content": [said]}
    body = json.dumps({"object": "response", "status": "completed", "output": [message]}).encode()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        paths.append((await reader.readuntil(b"\r\n\r\n")).split()[1])
        writer.write(answer(body, b"Content-Type: application/json"))
        await writer.drain()

    spec = replace(provider_spec("openai"), dialect="openai_responses")
    async with serving(say) as url:
        provider = create_provider(spec, http, ProviderOptions(base_url=url))
        async with provider.stream(asking()) as deltas:
            assert TextDelta("Hello") in [delta async for delta in deltas]
    assert paths == [b"/v1/responses"]
    assert provider.dialects == {"openai_responses"}


async def test_tokens_take_the_place_of_a_key(fake: FakeProvider, http: HttpClient) -> None:
    client = OAuthClient(
        token_url="http://127.0.0.1:1/token", client_id="a", client_secret=Secret("b")
    )
    options = ProviderOptions(
        base_url=fake.base_url, key=Secret(fake.key), tokens=TokenSource(client, http)
    )
    provider = create_provider(provider_spec("oca"), http, options)
    with pytest.raises(UpstreamUnreachable, match="token endpoint of oca"):
        await provider.models()
    assert fake.requests() == []


async def test_another_key_takes_the_place_of_all_that_was_configured(
    fake: FakeProvider, http: HttpClient
) -> None:
    for name, header, shown in (
        ("anthropic", "x-api-key", "{}"),
        ("openai", "authorization", "Bearer {}"),
        ("comet", "authorization", "Bearer {}"),
    ):
        spec = provider_spec(name)
        root = fake.root_url if spec.dialect == "anthropic_messages" else fake.base_url
        options = ProviderOptions(base_url=root, key=Secret("sk-of-the-operator"))
        provider = create_provider(spec, http, options)
        keyed = provider.with_key(Secret(fake.key))
        assert (keyed.name, keyed.dialects) == (provider.name, provider.dialects)
        async with keyed.stream(asking()) as deltas:
            assert [delta async for delta in deltas]
        sent = fake.requests()[-1]
        assert sent.header(header) == shown.format(fake.key)
        assert not any("sk-of-the-operator" in value for _, value in sent.headers)
        with pytest.raises(ValueError, match="printable"):
            provider.with_key(Secret("\n"))
