"""Speaks texts as they come with what speaks one text at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import TypeVar

from cartrita.domain.ports.speech import Speech
from cartrita.domain.speech import AudioFormat, SpokenText
from cartrita.kit.cuts import CuttableWork

T = TypeVar("T")


class _Cleared(Exception):
    """What is being spoken is not wanted any more."""


class TextsInTurn:
    """Implements `Speaking`; `speak` makes the speech of one text, in this format."""

    def __init__(
        self,
        speak: Callable[[str], AbstractAsyncContextManager[Speech]],
        audio: AudioFormat,
        sample_rate: int | None,
    ) -> None:
        self.format = audio
        self.sample_rate = sample_rate
        self._speak = speak
        self._texts = deque[str]()
        self._changed = asyncio.Event()
        self._finished = False
        self._clearings = 0
        self._waiting: CuttableWork | None = None

    async def say(self, text: str) -> None:
        """See `Speaking.say`."""
        self._texts.append(text)
        self._changed.set()

    async def clear(self) -> None:
        """See `Speaking.clear`; what is being waited for is given up at once."""
        self._texts.clear()
        self._clearings += 1
        if self._waiting is not None:
            self._waiting.cut()

    async def finish(self) -> None:
        """See `Speaking.finish`."""
        self._finished = True
        self._changed.set()

    async def pieces(self) -> AsyncGenerator[bytes | SpokenText]:
        """See `Speaking.pieces`."""
        spoken = 0
        while (text := await self._next()) is not None:
            clearings = self._clearings
            try:
                async with aclosing(self._spoken(text)) as pieces:
                    async for piece in pieces:
                        yield piece
                        if self._clearings != clearings:
                            raise _Cleared
            except _Cleared:
                continue
            spoken += 1
            yield SpokenText(spoken)

    async def _next(self) -> str | None:
        while not self._texts:
            if self._finished:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._texts.popleft()

    async def _spoken(self, text: str) -> AsyncGenerator[bytes]:
        """The audio of one text. Raises _Cleared where it is cleared while it is waited for."""
        async with AsyncExitStack() as opened:
            speech = await self._unless_cleared(opened.enter_async_context(self._speak(text)))
            pieces = await opened.enter_async_context(aclosing(speech.pieces()))
            while (piece := await self._unless_cleared(anext(pieces, None))) is not None:
                yield piece

    async def _unless_cleared(self, awaited: Awaitable[T]) -> T:
        """What is awaited. Only this can be cut: between two pieces the reader has the task."""
        work = CuttableWork(_Cleared)
        self._waiting = work
        try:
            with work:
                return await awaited
        finally:
            self._waiting = None
