"""Embeddings that tell animals from everything else."""

from collections.abc import Sequence

from cartrita.domain.embeddings import Vector, unit_vector
from cartrita.domain.errors import UpstreamRejected

ANIMALS = ("dog", "hound", "puppy")


class FakeEmbeddings:
    """Knows animals from everything else; texts with `refused` are refused."""

    model = "p/m"

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self.error: Exception | None = None

    async def embed(self, owner_id: str, texts: Sequence[str]) -> list[Vector]:
        self.asked.append((owner_id, list(texts)))
        if self.error is not None:
            raise self.error
        if any("refused" in text for text in texts):
            raise UpstreamRejected("Too long.", provider="p")
        return [
            unit_vector([1, 0.1] if any(word in text for word in ANIMALS) else [0.1, 1])
            for text in texts
        ]
