"""The port of model providers."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from cartrita.domain.deltas import Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.requests import ModelRequest


class ModelProvider(Protocol):
    """Answers model calls. Decorating providers (failover, caching, limits) hold another."""

    @property
    def name(self) -> str: ...

    async def models(self) -> list[ModelInfo]:
        """The models it offers. Raises UpstreamError if they cannot be listed."""
        ...

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        """Call a model. Leaving the context closes the upstream connection at once.

        The iterator ends after `Finished`; any other end, such as a broken or stalled connection,
        raises UpstreamError.
        """
        ...
