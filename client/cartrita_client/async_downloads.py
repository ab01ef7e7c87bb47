"""Content that the server sends as a file, for asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

from cartrita_client.async_connections import AsyncConnection
from cartrita_client.content import Head, partial_file, received
from cartrita_client.operations import Call


class AsyncDownload:
    """The bytes of a file: iterate over them, `read` them whole, or `save` them.

    The request leaves with the first of these, and is made once.
    """

    def __init__(self, connection: AsyncConnection, call: Call) -> None:
        self._heads: list[Head] = []
        self._pieces = _pieces(connection, call, self._heads)

    @property
    def head(self) -> Head | None:
        """What is known of the file; None until the server has told it."""
        return self._heads[0] if self._heads else None

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([piece async for piece in self])

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, which is there when it is whole. Raises OSError for the disk."""
        with partial_file(Path(path)) as file:
            async for piece in self:
                await asyncio.to_thread(file.write, piece)
        return Path(path)

    async def close(self) -> None:
        """Stop it."""
        await self._pieces.aclose()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def _pieces(
    connection: AsyncConnection, call: Call, heads: list[Head]
) -> AsyncGenerator[bytes]:
    """The bytes as they come; like a stream's events, they do not know who reads them."""
    async with connection.opened(call) as response:
        heads.append(received(response.status_code, response.headers))
        async for piece in response.aiter_bytes():
            yield piece
