"""Live sessions that are closed, or not waited for any more, while their connection is opened."""

import asyncio
import json
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.http11 import Request
from websockets.sync.server import ServerConnection, serve

from cartrita_client import AsyncCartritaApiClient, CartritaApiClient, SessionClosed
from cartrita_client.live_connections import LiveConnection

_WATCHDOG_S = 20.0


class Door:
    """A server that opens a connection when it is told to, and what it hears then."""

    def __init__(self) -> None:
        self.knocked = threading.Event()
        self.open = threading.Event()
        self.left = threading.Event()
        self.heard: list[str] = []

    def look(self, _: ServerConnection, __: Request) -> None:
        self.knocked.set()
        assert self.open.wait(_WATCHDOG_S)

    def serve(self, socket: ServerConnection) -> None:
        for content in socket:
            kind: str = json.loads(content)["type"]
            self.heard.append(kind)
            if kind == "ping":
                socket.send('{"type": "pong"}')
        self.left.set()


@contextmanager
def door() -> Generator[tuple[str, Door]]:
    made = Door()
    with serve(made.serve, "127.0.0.1", 0, process_request=made.look) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}", made
        finally:
            made.open.set()
            server.shutdown()
            thread.join()


async def knocked(made: Door) -> None:
    assert await asyncio.to_thread(made.knocked.wait, _WATCHDOG_S)


def heard_by(session: Any) -> Any:
    """What comes of a session, blocking."""
    return list(session) if hasattr(session, "send_audio") else session.ping()


async def heard_by_async(session: Any) -> Any:
    """What comes of a session, for asyncio."""
    if hasattr(session, "send_audio"):
        return [each async for each in session]
    return await session.ping()


@pytest.mark.parametrize("kind", ["live", "voice"])
def test_a_session_that_is_closed_while_a_thread_connects_leaves_no_connection(kind: str) -> None:
    with door() as (base, made), ThreadPoolExecutor() as threads:
        session = getattr(CartritaApiClient(base, "ck_a"), kind)()
        reading = threads.submit(heard_by, session)
        assert made.knocked.wait(_WATCHDOG_S)
        session.close()
        made.open.set()
        assert made.left.wait(_WATCHDOG_S)
        assert made.heard == []
        if kind == "voice":
            assert reading.result(_WATCHDOG_S) == []
        else:
            with pytest.raises(SessionClosed):
                reading.result(_WATCHDOG_S)


@pytest.mark.parametrize("kind", ["live", "voice"])
async def test_a_session_that_is_closed_while_a_task_connects_leaves_no_connection(
    kind: str,
) -> None:
    with door() as (base, made):
        session = getattr(AsyncCartritaApiClient(base, "ck_a"), kind)()
        reading = asyncio.create_task(heard_by_async(session))
        await knocked(made)
        await session.close()
        made.open.set()
        assert await asyncio.to_thread(made.left.wait, _WATCHDOG_S)
        assert made.heard == []
        if kind == "voice":
            assert await reading == []
        else:
            with pytest.raises(SessionClosed):
                await reading


async def test_what_nobody_waits_for_any_more_is_not_said() -> None:
    with door() as (base, made):
        async with AsyncCartritaApiClient(base, "ck_a").live() as session:
            for said in (session.chat("Never mind."), session.follow("run_1"), session.ping()):
                made.knocked.clear()
                waiting = asyncio.create_task(said)
                await knocked(made)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            made.open.set()
            await session.ping()
    assert made.heard == ["auth", "ping"]


def test_what_was_interrupted_is_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: LiveConnection) -> None:
        raise KeyboardInterrupt

    with door() as (base, made), CartritaApiClient(base, "ck_a").live() as session:
        made.open.set()
        for name, say in (
            ("ensure_open", lambda: session.chat("Never mind.")),
            ("_connect", session.ping),
        ):
            with monkeypatch.context() as patched:
                patched.setattr(LiveConnection, name, interrupted)
                with pytest.raises(KeyboardInterrupt):
                    say()
        session.ping()
    assert made.heard == ["auth", "ping"]
