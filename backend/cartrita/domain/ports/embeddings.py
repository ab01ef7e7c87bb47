"""The ports of embeddings: what makes them, and where those of passages are kept."""

from collections.abc import Collection, Sequence
from typing import Protocol

from cartrita.domain.embeddings import EmbeddedPassage, UnembeddedPassage, Vector
from cartrita.domain.passages import FoundPassage, PassageQuery


class Embeddings(Protocol):
    """A model that embeds texts."""

    @property
    def model(self) -> str:
        """Its name as `provider/model`: only vectors of one model can be compared."""
        ...

    async def embed(self, owner_id: str, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, on behalf of an owner. Raises CartritaError."""
        ...


class PassageVectors(Protocol):
    """The embeddings of passages."""

    async def claim(
        self, model: str, limit: int, without: Collection[str] = ()
    ) -> list[UnembeddedPassage]:
        """Passages of one owner to embed, which nobody else gets for some minutes.

        The owners `without` are passed over.
        """
        ...

    async def store(self, model: str, passages: Sequence[EmbeddedPassage]) -> None:
        """Those that are gone since are left out."""
        ...

    async def nearest(self, query: PassageQuery, model: str, vector: Vector) -> list[FoundPassage]:
        """The passages whose vectors are closest, the closest first."""
        ...
