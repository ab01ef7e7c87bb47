"""A model server whose tokens hold the time at which they were sent.

`python -m tests.benchmarks.timestamp_provider 10 100` sends 10 tokens a second, 100 in all. It
exits at the end of its input. It implements as much of OpenAI's API as a stream needs, and uses
little CPU time, since it shares the machine with what is measured.
"""

import asyncio
import sys
import time
from typing import cast

import uvloop

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_MODELS = b'{"object":"list","data":[{"id":"timed","object":"model"}]}'
_CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"timed",'
    b'"choices":[{"index":0,"delta":{%s},"finish_reason":%s}]}\n\n'
)
_USAGE = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"timed","choices":[],'
    b'"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\ndata: [DONE]\n\n'
)


class TimestampProvider(asyncio.Protocol):
    """One connection; a request at a time, as clients without pipelining send them."""

    def __init__(self, rate: float, tokens: int) -> None:
        self._pause = 1 / rate
        self._tokens = tokens
        self._heard = b""
        self._next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next is not None:
            self._next.cancel()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._heard = b""
        if head.startswith(b"GET"):
            size = len(_MODELS)
            start = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {size}"
            self._transport.write(start.encode() + b"\r\n\r\n" + _MODELS)
            return
        self._left = self._tokens
        self._due = asyncio.get_running_loop().time()
        self._transport.write(_HEAD)
        self._tick()

    def _tick(self) -> None:
        if not self._left:
            self._send(_CHUNK % (b"", b'"stop"') + _USAGE)
            self._transport.write(b"0\r\n\r\n")
            return
        self._left -= 1
        self._send(_CHUNK % (b'"content":" @%.6f"' % time.monotonic(), b"null"))
        self._due += self._pause
        self._next = asyncio.get_running_loop().call_at(self._due, self._tick)

    def _send(self, data: bytes) -> None:
        self._transport.write(b"%x\r\n%s\r\n" % (len(data), data))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def _serve(rate: float, tokens: int) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(
        lambda: TimestampProvider(rate, tokens), "127.0.0.1", 0, backlog=2048
    )
    loop.add_reader(sys.stdin.fileno(), over.set)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await over.wait()
    server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(float(sys.argv[1]), int(sys.argv[2])))
