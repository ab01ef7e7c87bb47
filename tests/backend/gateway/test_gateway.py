"""The gateway answers by the provider of a deployment, and retries its calls."""

import pytest
from tests.backend.gateway.fakes import DONE, REQUEST, ListingProvider, overloaded
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.domain.deltas import Accepted, TextDelta
from cartrita.domain.errors import NotFound, UpstreamOverloaded
from cartrita.domain.ports.providers import ModelProvider
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routes import Deployment


def create_gateway(*providers: ModelProvider, attempts: int = 3) -> Gateway:
    entries = [ProviderEntry(provider=one, origin=ProviderOrigin.API_KEY) for one in providers]
    return Gateway(Catalog(entries), RetryPolicy(attempts=attempts, first_pause=0.0))


@pytest.fixture
def gateway() -> Gateway:
    return create_gateway(ListingProvider("a", "m"), ListingProvider("b", "m"))


async def test_it_resolves_and_streams(gateway: Gateway) -> None:
    deployment = await gateway.resolve("b", None)
    assert deployment == Deployment("b", "m")
    async with gateway.provider_for(deployment).stream(REQUEST) as deltas:
        assert await anext(deltas) == Accepted("b", "m")
        assert await anext(deltas) == TextDelta("b m")


async def test_it_lists(gateway: Gateway) -> None:
    assert [model.id for model in await gateway.models()] == ["a/m", "b/m"]


async def test_a_provider_that_is_not_there(gateway: Gateway) -> None:
    with pytest.raises(NotFound):
        async with gateway.provider_for(Deployment("c", "m")).stream(REQUEST) as deltas:
            await anext(deltas)


async def test_it_retries_by_its_policy() -> None:
    scripted = ScriptedProvider([overloaded()], [DONE])
    async with create_gateway(scripted).provider_for(Deployment("p", "m")).stream(REQUEST) as told:
        assert [delta async for delta in told] == [Accepted("p", "m"), DONE]
    scripted = ScriptedProvider([overloaded()], [DONE])
    once = create_gateway(scripted, attempts=1).provider_for(Deployment("p", "m"))
    with pytest.raises(UpstreamOverloaded):
        async with once.stream(REQUEST) as told:
            await anext(told)
    assert len(scripted.requests) == 1
