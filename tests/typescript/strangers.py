"""Servers that are not what the client hopes for: each answers every request the same way."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.harness.raw_http import HOST
from tests.typescript.proxies import Network

Writer = asyncio.StreamWriter
Answer = Callable[[Writer], Awaitable[None]]
_PAGE = "<!doctype html><title>Welcome</title><p>It works!"


class Stranger:
    """A server on a port of its own, and how often it was asked for what."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = answers
        self.asked: list[bytes] = []
        self._serving: set[asyncio.Task[None] | None] = set()
        self.base = ""

    async def open(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.base = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self._serving.add(asyncio.current_task())  # a loop holds its tasks weakly
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.partition(b"\r\n")[0])
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)  # else the end is a reset
            await self._answers[min(len(self.asked), len(self._answers)) - 1](writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has left, or the test has ended
        finally:
            writer.close()


def stranger(net: Network, *answers: Answer) -> Stranger:
    """Gives the answers one after the other, and the last one again and again."""
    made = Stranger(*answers)
    net.listen(made.open())
    return made


def page(status: int, **headers: str) -> Answer:
    """A web page, as proxies and other servers answer it."""
    return sent(status, "text/html", _PAGE, headers)


def refusal(status: int, code: str, **headers: str) -> Answer:
    """An error as Cartrita writes it."""
    body = {"detail": "No.", "error": "No.", "code": code, "details": {}, "request_id": "req_1"}
    return sent(status, "application/json", json.dumps(body), headers)


def value(body: Any, **headers: str) -> Answer:
    return sent(200, "application/json", json.dumps(body), headers)


def sent(status: int, media_type: str, body: str, headers: dict[str, str]) -> Answer:
    named = {
        "Content-Type": media_type,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **{name.replace("_", "-"): each for name, each in headers.items()},
    }
    lines = "".join(f"{name}: {each}\r\n" for name, each in named.items())

    async def answer(writer: Writer) -> None:
        writer.write(f"HTTP/1.1 {status} Status\r\n{lines}\r\n{body}".encode())

    return answer


def events(*frames: str, stays: bool) -> Answer:
    """An event stream that ends after these blocks, or falls silent."""

    async def answer(writer: Writer) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        writer.write((head + "".join(f"{frame}\n\n" for frame in frames)).encode())
        await writer.drain()
        if stays:
            await asyncio.Event().wait()

    return answer


def slowly(*frames: str, heartbeats: int, interval_s: float) -> Answer:
    """An event stream that sends these blocks, then only heartbeats, and then breaks off."""

    async def answer(writer: Writer) -> None:
        await events(*frames, stays=False)(writer)
        for _ in range(heartbeats):
            await asyncio.sleep(interval_s)
            writer.write(b":\n\n")
            await writer.drain()

    return answer


async def halved(writer: Writer) -> None:
    """Ends the connection in the middle of an answer."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    writer.write(head + b'{"agents": [')


async def silence(_: Writer) -> None:
    """Says nothing, for ever."""
    await asyncio.Event().wait()


async def reset(writer: Writer) -> None:
    """Ends the connection in place of an answer."""
    writer.transport.abort()
