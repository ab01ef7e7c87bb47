"""A fake provider with a list of models, and what tests of model calls send and get."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from cartrita.domain.deltas import Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import UpstreamError, UpstreamOverloaded
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.models import ModelInfo
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage

DONE = Finished(FinishReason.STOP, Usage(1, 1), "m")
REQUEST = ModelRequest(owner_id="o", model="m", messages=(Message(Role.USER, (Text("Hi"),)),))


def overloaded(retry_after: float | None = None) -> UpstreamOverloaded:
    return UpstreamOverloaded("p failed.", provider="p", retry_after=retry_after)


class ListingProvider:
    """A provider that only lists models, or fails to; counts how often it was asked."""

    def __init__(self, name: str, *models: str, error: UpstreamError | None = None) -> None:
        self.name = name
        self.listed = [ModelInfo(name, model) for model in models]
        self.error = error
        self.asked = 0

    async def models(self) -> list[ModelInfo]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.listed

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        async with aclosing(self._echo(request)) as deltas:
            yield deltas

    async def _echo(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        yield TextDelta(f"{self.name} {request.model}")
        yield DONE
