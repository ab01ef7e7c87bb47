"""Answers a model request, whoever serves the model."""

from cartrita.domain.models import ModelInfo
from cartrita.domain.ports import ModelProvider
from cartrita.gateway.catalog import Catalog, Target


class Gateway:
    """The one door to all models. What a provider needs around it (`Retrying`) it has already."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def models(self) -> list[ModelInfo]:
        """All models on offer."""
        return await self._catalog.models()

    async def resolve(self, provider: str | None, model: str | None) -> Target:
        """Who answers a request for this provider and model; either, or both, may be left open.

        Raises NotFound.
        """
        return await self._catalog.resolve(provider, model)

    def provider(self, name: str) -> ModelProvider:
        """The provider of this name. Raises NotFound."""
        return self._catalog.provider(name)
