"""A WebSocket client of the tests: JSON frames, with a watchdog on each."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.harness.raw_http import HOST
from tests.harness.server import KEY
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

_WATCHDOG_S = 30.0
Frame = dict[str, Any]


class SocketClient:
    """One open socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def next(self) -> Frame:
        """The next frame. Raises ConnectionClosed."""
        async with asyncio.timeout(_WATCHDOG_S):
            return json.loads(await self.connection.recv())

    async def until(self, is_last: Callable[[Frame], bool]) -> list[Frame]:
        """The frames up to and with one of which that is true."""
        frames = [await self.next()]
        while not is_last(frames[-1]):
            frames.append(await self.next())
        return frames

    async def until_end(self, run: str | None = None) -> list[Frame]:
        """The frames up to the last event of a run, or of any."""
        return await self.until(
            lambda frame: frame.get("event") in ("done", "error") and run in (None, frame["run_id"])
        )

    async def closed(self) -> tuple[list[Frame], int]:
        """The frames that still come, and the code of the close frame."""
        frames: list[Frame] = []
        try:
            while True:
                frames.append(await self.next())
        except ConnectionClosed as closed:
            return frames, close_code(closed)


def close_code(closed: ConnectionClosed) -> int:
    """The code of the close frame, which there must have been."""
    assert closed.rcvd is not None, "the connection was lost without a close frame"
    return closed.rcvd.code


@asynccontextmanager
async def opened(
    port: int,
    *,
    key: str | None = KEY,
    headers: Mapping[str, str] | None = None,
    target: str = "/ws/chat",
    origin: str | None = None,
    **options: Any,
) -> AsyncGenerator[SocketClient]:
    """An open socket, which has sent its key if there is one. Raises InvalidStatus."""
    async with connect(
        f"ws://{HOST}:{port}{target}",
        additional_headers=headers,
        origin=None if origin is None else Origin(origin),
        proxy=None,
        open_timeout=_WATCHDOG_S,
        **options,
    ) as connection:
        client = SocketClient(connection)
        if key is not None:
            await client.send(type="auth", api_key=key)
        yield client


async def narrow_socket(port: int) -> sockets.socket:
    """A connection whose kernel takes little that is not read."""
    narrow = sockets.socket()
    narrow.setblocking(False)
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 2048)
    await asyncio.get_running_loop().sock_connect(narrow, (HOST, port))
    return narrow


def text_of(frames: list[Frame]) -> str:
    """The answer's text in the frames of one run."""
    return "".join(frame["data"]["delta"] for frame in frames if frame.get("event") == "token")


def seqs_of(frames: list[Frame]) -> list[int]:
    """The numbers of the frames that are in the log."""
    return [frame["seq"] for frame in frames if "seq" in frame]
