"""Bytes of files that are sent are closed, whoever is there to receive them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message

from cartrita.surfaces.served_files import _streamed


async def test_what_was_opened_is_closed_where_the_client_has_gone() -> None:
    """It went before the first byte was sent."""
    opened = 0

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    @asynccontextmanager
    async def opening() -> AsyncGenerator[AsyncIterator[bytes]]:
        nonlocal opened
        opened += 1
        try:
            yield pieces()
        finally:
            opened -= 1

    async def gone(_: Message) -> None:
        raise OSError("gone")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    response = await _streamed(opening(), 6, {})
    assert opened == 1
    with pytest.raises(OSError, match="gone"):
        await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, gone)
    assert opened == 0
