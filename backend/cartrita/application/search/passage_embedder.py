"""Embeds passages beside the requests, some at a time, where a model for it is configured."""

import asyncio
import time
from collections.abc import Callable

import structlog

from cartrita.domain.embeddings import EmbeddedPassage, UnembeddedPassage
from cartrita.domain.errors import (
    BudgetExhausted,
    CartritaError,
    EndpointMissing,
    Forbidden,
    UpstreamRejected,
)
from cartrita.domain.ports.embeddings import Embeddings, PassageVectors
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

_AT_ONCE = 64
_PAUSE_S = 300.0
_LONGEST_PAUSE_S = 86_400.0
_MOST_OWNERS = 1_000


class _PausedOwners:
    """Owners whose passages could not be embedded, which are passed over for a while.

    For one to whom it is refused that takes ever longer. Of too many the first are forgotten.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._seconds: dict[str, float] = {}

    def now(self) -> list[str]:
        """Those that are passed over now."""
        now = self._clock()
        return [owner_id for owner_id, until in self._until.items() if until > now]

    def refused(self, owner_id: str) -> None:
        """It was refused to this owner, once more."""
        seconds = min(2 * self._seconds.pop(owner_id, _PAUSE_S / 2), _LONGEST_PAUSE_S)
        self._seconds[owner_id] = seconds
        self._pass_over(owner_id, seconds)

    def failed(self, owner_id: str) -> None:
        """It failed for a reason that is not the owner's, as far as one can tell."""
        self._seconds[owner_id] = self._seconds.pop(owner_id, _PAUSE_S / 2)
        self._pass_over(owner_id, _PAUSE_S)

    def forget(self, owner_id: str) -> None:
        """It has worked."""
        self._until.pop(owner_id, None)
        self._seconds.pop(owner_id, None)

    def _pass_over(self, owner_id: str, seconds: float) -> None:
        self._until[owner_id] = self._clock() + seconds
        if len(self._seconds) > _MOST_OWNERS:
            self.forget(next(iter(self._seconds)))


def _is_of_owner(error: CartritaError) -> bool:
    """Whether it is the owner to whom it is refused, and not the model that cannot be asked."""
    if isinstance(error, UpstreamRejected):
        return not isinstance(error, EndpointMissing)
    return isinstance(error, BudgetExhausted | Forbidden) or error.callers_own


class PassageEmbedder:
    """Looks every `interval_s` seconds for passages that have no embedding of the model.

    An owner for whom it fails, as by a budget, keeps no other from it: see `_PausedOwners`. While
    the model cannot be asked, it looks ever less often, down to once in five minutes.
    """

    def __init__(
        self,
        vectors: PassageVectors,
        embeddings: Embeddings,
        *,
        interval_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vectors = vectors
        self._embeddings = embeddings
        self._interval_s = interval_s
        self._paused = _PausedOwners(clock)
        self._failure_logger = RepeatedFailures("passage_embedding_failed")

    async def run(self) -> None:
        """Embed until cancelled. What failed is tried again later."""
        pause_s = self._interval_s
        while True:
            try:
                await self._embed_all()
                pause_s = self._interval_s
                self._failure_logger.forget("embedding")
            except CartritaError as error:
                log.info("passage_embedding_paused", code=error.code)
                pause_s = self._interval_s if _is_of_owner(error) else self._longer(pause_s)
            except Exception as error:
                self._failure_logger.exception("embedding", error=error)
            await asyncio.sleep(pause_s)

    def _longer(self, pause_s: float) -> float:
        return max(self._interval_s, min(2 * pause_s, _PAUSE_S))

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
        model = self._embeddings.model
        passages = await self._vectors.claim(model, _AT_ONCE, self._paused.now())
        if not passages:
            return False
        owner_id = passages[0].owner_id
        try:
            embedded = await self._each_embedded(passages)
        except CartritaError as error:
            if _is_of_owner(error):
                self._paused.refused(owner_id)
            else:
                self._paused.failed(owner_id)
            raise
        self._paused.forget(owner_id)
        await self._vectors.store(model, embedded)
        return True

    async def _each_embedded(self, passages: list[UnembeddedPassage]) -> list[EmbeddedPassage]:
        try:
            return await self._embedded(passages)
        except EndpointMissing:  # it is not the texts
            raise
        except UpstreamRejected:
            embedded = [await self._embedded_alone(passage) for passage in passages]
            if len(embedded) > 1 and not any(each.vector for each in embedded):
                raise
            return embedded

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
