"""Texts are embedded by a provider, through the gateway."""

import json

import pytest
from tests.backend.application.fakes import gateway
from tests.backend.gateway.fakes import NamedProvider, RelayingProvider

from cartrita.application.search.model_embeddings import ModelEmbeddings
from cartrita.domain.errors import InvalidInput, UpstreamMalformed
from cartrita.domain.relays import Endpoint


def answer(*vectors: list[float]) -> list[bytes]:
    data = [{"index": index, "embedding": one} for index, one in enumerate(vectors)]
    return [json.dumps({"data": data, "usage": {"prompt_tokens": 3}}).encode()]


async def test_texts_become_unit_vectors() -> None:
    provider = RelayingProvider("p", answer([3, 4], [0, 2]))
    embeddings = ModelEmbeddings(gateway(provider), "p/m")
    first, second = await embeddings.embed("ann", ["one", "two"])
    assert embeddings.model == "p/m"
    assert first.tolist() == pytest.approx([0.6, 0.8])
    assert second.tolist() == [0, 1]
    [request] = provider.relayed
    assert request.endpoint is Endpoint.EMBEDDINGS
    assert json.loads(request.body)["model"] == "m"
    assert json.loads(request.body)["input"] == ["one", "two"]


async def test_many_texts_are_sent_in_several_requests() -> None:
    provider = RelayingProvider("p", answer(*([[1.0, 0.0]] * 64)), answer([0.0, 1.0]))
    vectors = await ModelEmbeddings(gateway(provider), "p/m").embed("ann", ["text"] * 65)
    assert len(vectors) == 65
    assert vectors[64].tolist() == [0, 1]


async def test_vectors_without_a_direction_are_refused() -> None:
    provider = RelayingProvider("p", answer([0.0, 0.0]))
    with pytest.raises(UpstreamMalformed, match="without a direction"):
        await ModelEmbeddings(gateway(provider), "p/m").embed("ann", ["one"])


async def test_a_provider_without_embeddings() -> None:
    with pytest.raises(InvalidInput, match="the provider of p/m has no embeddings"):
        await ModelEmbeddings(gateway(NamedProvider("p")), "p/m").embed("ann", ["one"])
