"""The gateway: lists models, resolves their names and returns the providers that answer."""

from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import ModelProvider
from cartrita.gateway.catalog import Catalog
from cartrita.gateway.retry import RetryingProvider, RetryPolicy
from cartrita.gateway.routes import Deployment


class Gateway:
    """Access to all models. `retry` applies to each model call."""

    def __init__(self, catalog: Catalog, retry: RetryPolicy | None = None) -> None:
        self._catalog = catalog
        self._retry = retry or RetryPolicy()

    async def models(self) -> list[ModelInfo]:
        """The models of all providers."""
        return await self._catalog.models()

    async def resolve(self, provider: str | None, model: str | None) -> Deployment:
        """The deployment that answers a request for this provider and model; each may be None.

        Raises NotFound and Unavailable.
        """
        return await self._catalog.resolve(provider, model)

    def provider_for(self, deployment: Deployment) -> ModelProvider:
        """The provider that answers requests for this deployment, with retries. Raises NotFound."""
        return RetryingProvider(self._catalog.provider(deployment.provider), self._retry)
