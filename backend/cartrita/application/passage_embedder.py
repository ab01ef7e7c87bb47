"""Embeds passages beside the requests, some at a time, where a model for it is configured."""

import asyncio

import structlog

from cartrita.domain.embeddings import EmbeddedPassage, UnembeddedPassage
from cartrita.domain.errors import CartritaError, UpstreamRejected
from cartrita.domain.ports.embeddings import Embeddings, PassageVectors
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger()

_AT_ONCE = 64


class PassageEmbedder:
    """Looks every `interval_s` seconds for passages that have no embedding of the model."""

    def __init__(
        self, vectors: PassageVectors, embeddings: Embeddings, *, interval_s: float
    ) -> None:
        self._vectors = vectors
        self._embeddings = embeddings
        self._interval_s = interval_s
        self._failure_logger = RepeatedFailures("passage_embedding_failed")

    async def run(self) -> None:
        """Embed until cancelled. What failed is tried again later."""
        while True:
            try:
                await self._embed_all()
                self._failure_logger.forget("embedding")
            except CartritaError as error:
                log.info("passage_embedding_paused", code=error.code)
            except Exception as error:
                self._failure_logger.exception("embedding", error=error)
            await asyncio.sleep(self._interval_s)

    async def _embed_all(self) -> None:
        batches = 0
        while await self.embed_some():
            batches += 1
        if batches:
            log.info("passages_embedded", model=self._embeddings.model, batches=batches)

    async def embed_some(self) -> bool:
        """Embed the next passages. Whether there were any. Raises CartritaError.

        Where all of them are refused, it is rather the model that is wrong.
        """
        passages = await self._vectors.claim(self._embeddings.model, _AT_ONCE)
        if not passages:
            return False
        try:
            embedded = await self._embedded(passages)
        except UpstreamRejected:
            embedded = [await self._embedded_alone(passage) for passage in passages]
            if len(embedded) > 1 and not any(each.vector for each in embedded):
                raise
        await self._vectors.store(self._embeddings.model, embedded)
        return True

    async def _embedded(self, passages: list[UnembeddedPassage]) -> list[EmbeddedPassage]:
        texts = [passage.text for passage in passages]
        vectors = await self._embeddings.embed(passages[0].owner_id, texts)
        return [
            EmbeddedPassage(passage.key, vector)
            for passage, vector in zip(passages, vectors, strict=True)
        ]

    async def _embedded_alone(self, passage: UnembeddedPassage) -> EmbeddedPassage:
        """One text that is refused does not keep the others from being embedded."""
        try:
            [embedded] = await self._embedded([passage])
        except UpstreamRejected:
            return EmbeddedPassage(passage.key, None)
        return embedded
