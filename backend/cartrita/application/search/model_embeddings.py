"""Embeds texts by a model of a configured provider: implements Embeddings."""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from cartrita.dialects.counted_bodies import CountMonitor
from cartrita.dialects.openai_chat.embeddings import parse_answer, render_request
from cartrita.domain.embeddings import Vector, unit_vector
from cartrita.domain.errors import InvalidInput, UpstreamMalformed
from cartrita.domain.relays import Endpoint
from cartrita.domain.scopes import Operation
from cartrita.gateway.calls import CacheWish, Call, Relayable
from cartrita.gateway.gateway import Gateway

SURFACE = "files"
_TEXTS_AT_ONCE = 64


class ModelEmbeddings:
    """`model` is its name as `provider/model`, as operators write it."""

    def __init__(self, gateway: Gateway, model: str) -> None:
        self._gateway = gateway
        self._model = model

    @property
    def model(self) -> str:
        """See Embeddings."""
        return self._model

    async def embed(self, owner_id: str, texts: Sequence[str]) -> list[Vector]:
        """See Embeddings."""
        vectors: list[Vector] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            vectors += await self._embed(owner_id, texts[start : start + _TEXTS_AT_ONCE])
        return vectors

    async def _embed(self, owner_id: str, texts: Sequence[str]) -> list[Vector]:
        render = partial(render_request, texts=texts)
        provider, _, name = self._model.partition("/")
        call = Call(
            owner_id=owner_id,
            surface=SURFACE,
            name=name,
            provider=provider,
            parse=self._not_relayed,
            streamed=False,
            relay=Relayable(endpoint=Endpoint.EMBEDDINGS, rewrite=render, monitor=CountMonitor),
            cache=CacheWish(0),
            relay_only=True,
            size=sum(map(len, texts)),
            operation=Operation.EMBEDDINGS,
        )
        async with self._gateway.open(call) as answer:
            body = b"".join([item async for item in answer.items if isinstance(item, bytes)])
        try:
            return [unit_vector(each) for each in parse_answer(body, len(texts), provider)]
        except (ValueError, OverflowError):
            raise UpstreamMalformed(
                f"{provider} sent an embedding without a direction.", provider=provider
            ) from None

    def _not_relayed(self) -> NoReturn:
        problem = f"the provider of {self._model} has no embeddings"
        raise InvalidInput.of("files.embeddings_model", problem)
