"""As much of a client of RFB (RFC 6143) as tests need: it says things, and reads raw pictures."""

import asyncio
import struct
from contextlib import suppress
from typing import Protocol

from tests.harness.websockets import SocketClient, close_code
from websockets.exceptions import ConnectionClosed

from cartrita.domain.desktop import Point

WIDTH, HEIGHT = 1280, 800
RETURN = 0xFF0D
RIGHT_BUTTON = 4
VERSION = b"RFB 003.008\n"
WHOLE = struct.pack(">BBHHHH", 3, 0, 0, 0, WIDTH, HEIGHT)
_WATCHDOG_S = 180.0


class RfbStream(Protocol):
    """What carries it: `receive` is empty at the end."""

    async def receive(self) -> bytes: ...

    async def send(self, data: bytes) -> None: ...


class RfbClient:
    """One viewer."""

    def __init__(self, stream: RfbStream) -> None:
        self._stream = stream
        self._rest = b""

    async def read(self, size: int) -> bytes:
        async with asyncio.timeout(_WATCHDOG_S):
            while len(self._rest) < size:
                piece = await self._stream.receive()
                if not piece:
                    raise EOFError
                self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    async def greet(self) -> tuple[int, int]:
        """The width and the height that are told."""
        assert await self.read(12) == VERSION
        await self._stream.send(VERSION)
        (count,) = await self.read(1)
        assert 1 in await self.read(count)
        await self._stream.send(b"\1")
        assert await self.read(4) == bytes(4)
        await self._stream.send(b"\0")
        width, height, _, name = struct.unpack(">HH16sI", await self.read(24))
        await self.read(name)
        return width, height

    async def point(self, at: Point, buttons: int = 0) -> None:
        await self._stream.send(struct.pack(">BBHH", 5, buttons, at.x, at.y))

    async def click(self, at: Point, buttons: int) -> None:
        for down in (0, buttons, 0):
            await self.point(at, down)

    async def press(self, keysym: int) -> None:
        for down in (1, 0):
            await self._stream.send(struct.pack(">BBxxI", 4, down, keysym))

    async def type(self, text: str) -> None:
        for letter in text:
            await self.press(RETURN if letter == "\n" else ord(letter))

    async def say(self, data: bytes) -> None:
        await self._stream.send(data)

    async def picture(self) -> bytes:
        """Ask for the whole screen, and read it: what was said before has been read then."""
        await self._stream.send(WHOLE)
        return await self.answer()

    async def answer(self) -> bytes:
        """The octets of the next picture, rectangle by rectangle."""
        kind, rectangles = struct.unpack(">BxH", await self.read(4))
        assert kind == 0
        octets = b""
        for _ in range(rectangles):
            *_, width, height, encoding = struct.unpack(">HHHHi", await self.read(12))
            assert encoding == 0
            octets += await self.read(width * height * 4)
        return octets


class RfbSocket:
    """RFB over a WebSocket: implements `RfbStream`. Texts are `told`, and `code` closed it."""

    def __init__(self, client: SocketClient) -> None:
        self._client = client
        self.told: list[str] = []
        self.code: int | None = None

    async def receive(self) -> bytes:
        try:
            while isinstance(message := await self._client.connection.recv(), str):
                self.told.append(message)
        except ConnectionClosed as closed:
            self.code = close_code(closed)
            return b""
        return message

    async def send(self, data: bytes) -> None:
        with suppress(ConnectionClosed):  # `receive` tells
            await self._client.connection.send(data)
