"""A row of the registry becomes a provider that can be called."""

import pytest
from tests.harness.fake_provider.launch import FakeProvider

from cartrita.adapters.providers.factory import ProviderOptions, create_provider
from cartrita.adapters.providers.http import HttpClient
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.adapters.providers.registry import provider_spec
from cartrita.domain.messages import Message, Role, Text
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


@pytest.mark.parametrize("name", ["anthropic", "comet"])
async def test_a_dialect_that_is_not_implemented_is_refused(name: str, http: HttpClient) -> None:
    with pytest.raises(ValueError, match="anthropic_messages, which this server does not"):
        create_provider(provider_spec(name), http, ProviderOptions())
