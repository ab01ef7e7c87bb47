"""Frames as RFC 6455 has them, and the bounds on them, on a real uvicorn."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close, Frame, Opcode

from cartrita.cli.server.http_protocol import http_protocol
from cartrita.cli.server.websocket_protocol import websocket_protocol

WATCHDOG_S = 20.0
MOST = 4096


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "websocket"
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "silence":
            return
        await send({**message, "type": "websocket.send"})


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals to the test runner."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def _served(frames_per_s: float = 1000.0) -> AsyncGenerator[int]:
    config = uvicorn.Config(
        _echo,
        http=http_protocol(10.0, 120.0, ["/ws"]),
        ws=websocket_protocol(frames_per_s),
        ws_max_size=MOST,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([listener]))
            await server.up.wait()
            try:
                yield listener.getsockname()[1]
            finally:
                server.should_exit = True


@asynccontextmanager
async def _connected(frames_per_s: float = 1000.0) -> AsyncGenerator[ClientConnection]:
    async with (
        _served(frames_per_s) as port,
        connect(f"ws://127.0.0.1:{port}/ws", proxy=None, max_size=None) as client,
    ):
        yield client


def _write(client: ClientConnection, frames: Sequence[Frame], *, bytewise: bool = False) -> None:
    octets = b"".join(frame.serialize(mask=True) for frame in frames)
    for piece in [octets[at : at + 1] for at in range(len(octets))] if bytewise else [octets]:
        client.transport.write(piece)


async def _received(client: ClientConnection) -> list[str | bytes]:
    """What comes back until it is closed."""
    found: list[str | bytes] = []
    async with asyncio.timeout(WATCHDOG_S):
        try:
            while True:
                found.append(await client.recv())
        except ConnectionClosed:
            return found


async def _next(client: ClientConnection, number: int) -> list[str | bytes]:
    async with asyncio.timeout(WATCHDOG_S):
        return [await client.recv() for _ in range(number)]


def _text(data: bytes, *, fin: bool = True) -> Frame:
    return Frame(Opcode.TEXT, data, fin=fin)


def _more(data: bytes, *, fin: bool = False) -> Frame:
    return Frame(Opcode.CONT, data, fin=fin)


PING = Frame(Opcode.PING, b"there?")
PONG = Frame(Opcode.PONG, b"unasked")
END = Frame(Opcode.CLOSE, Close(1000, "").serialize())
EURO = "\u20ac".encode()


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize(
    ("frames", "answers"),
    [
        ([_text(b"")], [""]),
        ([_text(b"one"), _text(b"two")], ["one", "two"]),
        ([Frame(Opcode.BINARY, b"\xff")], [b"\xff"]),
        ([_text(b"fra", fin=False), _more(b"gme"), _more(b"nts", fin=True)], ["fragments"]),
        ([_text(b"", fin=False), _more(b""), _more(b"", fin=True)], [""]),
        ([_text(b"a", fin=False), PING, PONG, _more(b"b", fin=True)], ["ab"]),
        (
            [_text(EURO[:1], fin=False), _more(EURO[1:2]), PING, _more(EURO[2:], fin=True)],
            ["\u20ac"],
        ),
        ([_text(b"a" * MOST)], ["a" * MOST]),
        ([PONG, PING, _text(b"after")], ["after"]),
    ],
)
async def test_messages(frames: list[Frame], answers: list[str | bytes], bytewise: bool) -> None:
    async with _connected() as client:
        _write(client, frames, bytewise=bytewise)
        assert await _next(client, len(answers)) == answers
        _write(client, [END])
        assert await _received(client) == []
        assert client.close_code == 1000


async def test_a_ping_is_answered_with_its_payload() -> None:
    async with _connected() as client, asyncio.timeout(WATCHDOG_S):
        await (await client.ping(b"there?"))
        assert client.latency > 0


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([_text(EURO[:2])], 1007),
        ([_text(b"ok", fin=False), _more(b"\xc0\xaf", fin=True)], 1007),
        ([_text(EURO[:1], fin=False), _more(b"x", fin=True)], 1007),
        ([_text(b"\xed\xa0\x80")], 1007),
        ([_text(b"a" * (MOST + 1))], 1009),
        ([_text(b"a" * MOST, fin=False), _more(b"a", fin=True)], 1009),
        ([_text(b"a" * 1_000_000)], 1009),
        ([_more(b"a", fin=True)], 1002),
        ([_text(b"a", fin=False), _text(b"b")], 1002),
        ([Frame(Opcode.CLOSE, b"\x03")], 1002),
        ([Frame(Opcode.CLOSE, b"\x03\xed")], 1002),
        ([Frame(Opcode.CLOSE, Close(3000, "ours").serialize())], 3000),
        ([Frame(Opcode.CLOSE, Close(4999, "").serialize()), _text(b"late")], 4999),
        ([Frame(Opcode.CLOSE, b"\x03\xe8\xff")], 1007),
    ],
)
async def test_what_ends_a_connection(frames: list[Frame], code: int) -> None:
    """Its close code arrives, whatever follows what was wrong."""
    async with _connected() as client:
        _write(client, [_text(b"before")])
        assert await _next(client, 1) == ["before"]
        _write(client, [*frames, *[_text(b"x" * 1000)] * 100])
        assert await _received(client) == []
        assert client.close_code == code


@pytest.mark.parametrize(
    "frame",
    [
        bytes([0x83, 0x80, 0, 0, 0, 0]),
        bytes([0xC1, 0x80, 0, 0, 0, 0]),
        bytes([0x81, 0x01, 0x61]),
        bytes([0x89, 0xFE, 0, 0x80]) + b"x" * (4 + 128),
        bytes([0x09, 0x80, 0, 0, 0, 0]),
    ],
)
async def test_frames_that_are_none(frame: bytes) -> None:
    """An unknown opcode, a reserved bit, no mask, a ping that is too long, half a ping."""
    async with _connected() as client:
        client.transport.write(frame)
        assert await _received(client) == []
        assert client.close_code == 1002


@pytest.mark.parametrize(
    "frames",
    [
        [_text(b"x")] * 1000,
        [PING] * 1000,
        [PONG] * 1000,
        [_text(b"", fin=False), *[_more(b"")] * 1000],
        [_text(b"x" * MOST)] * 36,
    ],
    ids=["messages", "pings", "pongs", "fragments", "bytes"],
)
async def test_too_many_frames(frames: list[Frame]) -> None:
    async with _connected(frames_per_s=10) as client:
        _write(client, frames)
        assert len(await _received(client)) <= 40
        assert client.close_code == 4429


async def test_as_many_as_are_allowed() -> None:
    async with _connected(frames_per_s=10) as client:
        _write(client, [_text(b"x")] * 38)
        assert await _next(client, 38) == ["x"] * 38


async def test_a_connection_that_is_lost() -> None:
    async with _connected() as client:
        client.transport.abort()
        assert await _received(client) == []


async def test_an_application_that_ends_without_a_close_frame() -> None:
    async with _connected() as client:
        await client.send("silence")
        assert await _received(client) == []
        assert client.close_code == 1006


HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (HANDSHAKE + b"\r\n", b"HTTP/1.1 101 "),
        (HANDSHAKE + b"X: " + b"x" * 9000 + b"\r\n\r\n", b"HTTP/1.1 431 "),
        (HANDSHAKE + b"\r\n" + _text(b"early").serialize(mask=True), b"HTTP/1.1 400 "),
        (HANDSHAKE.replace(b"/ws ", b"/ws\xff "), b"HTTP/1.1 400 "),
        (HANDSHAKE.replace(b"Version: 13", b"Version: x") + b"\r\n", b"HTTP/1.1 400 "),
    ],
)
async def test_handshakes(sent: bytes, answer: bytes) -> None:
    async with _served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(WATCHDOG_S):
            assert (await reader.readuntil(b"\r\n")).startswith(answer)
        writer.close()
