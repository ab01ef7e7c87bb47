"""The end of a desktop: the first reason counts."""

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

SERVER_ENDED: Final = "The server has ended."
_PIECE: Final = 4096


class FirstReason:
    """Waits for a reason to end. Made in a running loop."""

    def __init__(self) -> None:
        self._reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def because(self, reason: str) -> None:
        """End, if that has not begun."""
        if not self._reason.done():
            self._reason.set_result(reason)

    async def wait(self) -> str:
        """Why it ends."""
        return await asyncio.shield(self._reason)

    def with_pipes(self, pipes: Iterable[int]) -> None:
        """End when nobody can write to one of these any more: its process is gone."""
        for pipe in pipes:
            os.set_blocking(pipe, False)
            asyncio.get_running_loop().add_reader(pipe, self._read, pipe)

    def _read(self, pipe: int) -> None:
        with suppress(BlockingIOError):
            if not os.read(pipe, _PIECE):
                asyncio.get_running_loop().remove_reader(pipe)
                self.because(SERVER_ENDED)
