"""The gateway answers by the provider that a name leads to."""

import pytest
from tests.backend.gateway.fakes import REQUEST, ListingProvider

from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import NotFound
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway


@pytest.fixture
def gateway() -> Gateway:
    entries = [
        ProviderEntry(provider=ListingProvider(name, "m"), origin=ProviderOrigin.API_KEY)
        for name in ("a", "b")
    ]
    return Gateway(Catalog(entries))


async def test_it_resolves_and_streams(gateway: Gateway) -> None:
    target = await gateway.resolve("b", None)
    async with gateway.provider(target.provider).stream(REQUEST) as deltas:
        assert await anext(deltas) == TextDelta("b m")


async def test_it_lists(gateway: Gateway) -> None:
    assert [model.id for model in await gateway.models()] == ["a/m", "b/m"]


def test_a_provider_that_is_not_there(gateway: Gateway) -> None:
    with pytest.raises(NotFound):
        gateway.provider("c")
