"""Finds the passages whose embeddings are closest to that of a question."""

import structlog

from cartrita.domain.embeddings import Vector
from cartrita.domain.errors import CartritaError
from cartrita.domain.passages import FoundPassage, PassageQuery
from cartrita.domain.ports.embeddings import Embeddings, PassageVectors
from cartrita.kit.remembered import RememberedValues
from cartrita.kit.text import storable_text

log = structlog.get_logger(__name__)

_LONGEST = 4_000
"""Characters of a question that are embedded: models refuse what is too long."""
_KEPT_S = 60.0
"""How long the vector of a question is kept: each of the files that an answer is about is asked."""


class MeaningSearch:
    """Where the model or its vectors cannot be asked, nothing is found: words alone must do."""

    def __init__(self, vectors: PassageVectors, embeddings: Embeddings) -> None:
        self._vectors = vectors
        self._embeddings = embeddings
        self._asked = RememberedValues[tuple[str, str], Vector](_KEPT_S, most=200)

    async def nearest(self, query: PassageQuery) -> list[FoundPassage]:
        """The closest passages first."""
        text = storable_text(query.text[:_LONGEST]).strip()
        if not text:
            return []
        try:
            vector = await self._vector(query.owner_id, text)
            return await self._vectors.nearest(query, self._embeddings.model, vector)
        except CartritaError as error:
            log.info("meaning_not_searched", code=error.code)
            return []

    async def _vector(self, owner_id: str, text: str) -> Vector:
        vector = self._asked.get((owner_id, text))
        if vector is None:
            [vector] = await self._embeddings.embed(owner_id, [text])
            self._asked.put((owner_id, text), vector)
        return vector
