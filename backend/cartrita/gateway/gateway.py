"""The gateway: lists models, resolves their names and returns their providers."""

from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import ModelProvider
from cartrita.gateway.catalog import Catalog, ResolvedModel


class Gateway:
    """Access to all models. Providers are returned with their retries (`RetryingProvider`)."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def models(self) -> list[ModelInfo]:
        """The models of all providers."""
        return await self._catalog.models()

    async def resolve(self, provider: str | None, model: str | None) -> ResolvedModel:
        """The model that a request for this provider and model gets; each may be None.

        Raises NotFound.
        """
        return await self._catalog.resolve(provider, model)

    def provider(self, name: str) -> ModelProvider:
        """The provider of this name. Raises NotFound."""
        return self._catalog.provider(name)
