"""Fake providers with scripted answers and model lists."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
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


class ScriptedProvider:
    """Yields scripted deltas and errors, one list per call; `at_once` raises before opening."""

    def __init__(self, *plays: Sequence[Delta | Exception], at_once: bool = False) -> None:
        self.plays = list(plays)
        self.at_once = at_once
        self.calls = 0
        self.open = 0

    @property
    def name(self) -> str:
        return "p"

    async def models(self) -> list[ModelInfo]:
        return [ModelInfo("p", "m")]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        self.calls += 1
        play = self.plays.pop(0)
        if self.at_once and isinstance(play[0], Exception):
            raise play[0]
        self.open += 1
        try:
            async with aclosing(self._played(play)) as deltas:
                yield deltas
        finally:
            self.open -= 1

    async def _played(self, play: Sequence[Delta | Exception]) -> AsyncGenerator[Delta]:
        for one in play:
            if isinstance(one, Exception):
                raise one
            yield one


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
