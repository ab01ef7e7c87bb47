"""A provider for one deployment, which the gateway stands behind with all that it can do."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol

from cartrita.domain.deltas import Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.answers import Answer, Call
from cartrita.gateway.routes import Deployment


class Calls(Protocol):
    """Answers calls: the gateway."""

    async def models(self) -> list[ModelInfo]: ...

    def open(self, call: Call) -> AbstractAsyncContextManager[Answer]: ...


class FailoverProvider:
    """Answers the requests of native runs by the gateway; implements `ModelProvider`."""

    def __init__(self, calls: Calls, deployment: Deployment) -> None:
        self._calls = calls
        self._deployment = deployment

    @property
    def name(self) -> str:
        """The name of the provider that is called first."""
        return self._deployment.provider

    async def models(self) -> list[ModelInfo]:
        """The models of that provider."""
        return [one for one in await self._calls.models() if one.provider == self.name]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        async with aclosing(self._deltas(request)) as deltas:
            yield deltas

    async def _deltas(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        call = Call(
            owner_id=request.owner_id,
            surface="native",
            provider=self._deployment.provider,
            name=self._deployment.model,
            parse=lambda: request,
            strict=request.strict,
        )
        async with self._calls.open(call) as answer:
            async for item in answer.items:
                assert not isinstance(item, bytes)  # there is no relay without `Call.relay`
                yield item
