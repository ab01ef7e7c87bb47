"""What a live session makes of a server that sends elsewhere, and of its certificate."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.client.certificates import self_signed
from tests.client.strange_server import Reply, strange_server
from websockets.sync.server import ServerConnection, serve

from cartrita_client import (
    AsyncCartritaApiClient,
    CartritaApiClient,
    NotCartrita,
    Unreachable,
)

QUICK = {"resumes": 0, "retry_delay": 0.02}


def blocking(base: str, **options: Any) -> None:
    """Ask over a live session whether the server is there."""
    with CartritaApiClient(base, "ck_a", **QUICK, **options).live() as session:
        session.ping()


def asynchronous(base: str, **options: Any) -> None:
    """The same without blocking."""

    async def ask() -> None:
        async with AsyncCartritaApiClient(base, "ck_a", **QUICK, **options).live() as session:
            await session.ping()

    asyncio.run(ask())


both = pytest.mark.parametrize("ask", [blocking, asynchronous])


@contextmanager
def listening(heard: list[str | bytes], **options: Any) -> Generator[int]:
    """A WebSocket server that answers each frame with a pong, and its port."""

    def answer(socket: ServerConnection) -> None:
        for frame in socket:
            heard.append(frame)
            socket.send('{"type": "pong"}')

    with serve(answer, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


@both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_no_key_follows_it(ask: Any, status: int) -> None:
    heard: list[str | bytes] = []
    with listening(heard) as port:
        there = f"ws://localhost:{port}/ws/chat?next=secret"
        with (
            strange_server(Reply(status, headers={"Location": there})) as here,
            pytest.raises(NotCartrita, match="elsewhere") as told,
        ):
            ask(here.base)
    assert heard == []
    assert "next=secret" not in str(told.value)


@both
def test_a_certificate_is_looked_at_unless_that_is_switched_off(ask: Any, tmp_path: Path) -> None:
    heard: list[str | bytes] = []
    with listening(heard, ssl=self_signed(tmp_path)) as port:
        base = f"https://localhost:{port}"
        with pytest.raises(Unreachable, match="CERTIFICATE"):
            ask(base)
        assert heard == []
        ask(base, verify=False)
    assert heard
