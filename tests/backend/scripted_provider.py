"""A fake provider with scripted answers, for the tests of those who call models."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TypeAlias

import anyio

from cartrita.domain.deltas import Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.requests import ModelRequest

Script: TypeAlias = Sequence[Delta | Exception | asyncio.Event]
"""Deltas are yielded, errors raised, events waited for."""


class ScriptedProvider:
    """Answers each call with its script; calls beyond the last script repeat that one.

    With `at_once`, an error at the start of a script is raised before the stream is open.
    """

    name = "p"

    def __init__(self, *scripts: Script, at_once: bool = False) -> None:
        self.scripts = scripts
        self.at_once = at_once
        self.requests: list[ModelRequest] = []
        self.open = 0
        """The number of open streams."""
        self.on_close: Exception | None = None
        """Raised when the stream is left."""
        self.slow_close: asyncio.Event | None = None
        """Waited for when the stream is left, whatever happens."""

    async def models(self) -> list[ModelInfo]:
        return [ModelInfo("p", "m")]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        call = len(self.requests)
        self.requests.append(request)
        script = self.scripts[min(call, len(self.scripts) - 1)]
        if self.at_once and isinstance(script[0], Exception):
            raise script[0]
        self.open += 1
        try:
            async with aclosing(self._deltas(script)) as deltas:
                yield deltas
        finally:
            if self.slow_close is not None:
                with anyio.CancelScope(shield=True):
                    await self.slow_close.wait()
            self.open -= 1
            if self.on_close is not None:
                raise self.on_close

    async def _deltas(self, script: Script) -> AsyncGenerator[Delta]:
        for item in script:
            if isinstance(item, asyncio.Event):
                await item.wait()
            elif isinstance(item, Exception):
                raise item
            else:
                yield item
