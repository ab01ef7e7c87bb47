"""A model server that costs next to nothing: whole answers at once, streams at a steady pace.

`python -m tests.benchmarks.relay_upstream 200 0.02` streams 200 chunks, one every 20 ms. It prints
its port and exits at the end of its input.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

_MODELS = b'{"object":"list","data":[{"id":"relayed","object":"model"}]}'
_TEXT = b"A plain answer of some words, as a model would give it to a short question."
_WHOLE = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"relayed","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"%b"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":9,"completion_tokens":16,"total_tokens":25}}' % _TEXT
)
_CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"relayed",'
    b'"choices":[{"index":0,"delta":{%b},"finish_reason":%b}]}\n\n'
)
_END = (
    _CHUNK
    % (b"", b'"stop"')
    + b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"relayed",'
    b'"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":16,"total_tokens":25}}\n\n'
    b"data: [DONE]\n\n"
)
_WORD = _CHUNK % (b'"content":" word"', b"null")


class RelayUpstream(asyncio.Protocol):
    """One connection; a request at a time, as clients without pipelining send them."""

    def __init__(self, chunks: int, pause: float) -> None:
        self._chunks = chunks
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next is not None:
            self._next.cancel()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        if b'"stream":true' not in body:
            self._answer(_WHOLE if body else _MODELS)
            return
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        self._left = self._chunks
        self._due = self._loop.time()
        self._tick()

    def _answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)

    def _tick(self) -> None:
        if not self._left:
            self._transport.write(_framed(_END) + b"0\r\n\r\n")
            return
        self._left -= 1
        self._transport.write(_framed(_WORD))
        self._due += self._pause
        self._next = self._loop.call_at(self._due, self._tick)


def _framed(chunk: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(chunk), chunk)


async def main(chunks: int, pause: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: RelayUpstream(chunks, pause), "127.0.0.1", 0, backlog=4096
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
