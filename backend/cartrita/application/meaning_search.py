"""Finds the passages whose embeddings are closest to that of a question."""

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.passages import FoundPassage, PassageQuery
from cartrita.domain.ports.embeddings import Embeddings, PassageVectors
from cartrita.kit.text import storable_text

log = structlog.get_logger()

_LONGEST = 4_000
"""Characters of a question that are embedded: models refuse what is too long."""


class MeaningSearch:
    """Where the model or its vectors cannot be asked, nothing is found: words alone must do."""

    def __init__(self, vectors: PassageVectors, embeddings: Embeddings) -> None:
        self._vectors = vectors
        self._embeddings = embeddings

    async def nearest(self, query: PassageQuery) -> list[FoundPassage]:
        """The closest passages first."""
        text = storable_text(query.text[:_LONGEST]).strip()
        if not text:
            return []
        try:
            [vector] = await self._embeddings.embed(query.owner_id, [text])
            return await self._vectors.nearest(query, self._embeddings.model, vector)
        except CartritaError as error:
            log.info("meaning_not_searched", code=error.code)
            return []
